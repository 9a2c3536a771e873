# make run    sets up and starts Sightline (in the terminal where there is no screen)
# make test   sets up and runs the tests
# make check  format, lint, types, import contracts, tests

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv/bin
SAMPLE := assets/samples/invoice.png
QUESTION := What is the total due?

.PHONY: run test check format setup-run setup-test samples translations clean

run: setup-run
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		exec $(VENV)/python -m app; \
	else \
		echo 'There is no screen here, so Sightline answers in the terminal.'; \
		echo 'With a screen, "make run" opens the window.'; \
		echo '> sightline ask $(SAMPLE) "$(QUESTION)"'; \
		exec $(VENV)/python -m app ask $(SAMPLE) "$(QUESTION)"; \
	fi

test: setup-test
	$(VENV)/python -m pytest

check: setup-test
	$(VENV)/ruff format --check app tests packaging assets
	$(VENV)/ruff check app tests packaging assets
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python -m pytest

format: setup-test
	$(VENV)/ruff format app tests packaging assets
	$(VENV)/ruff check --fix app tests packaging assets

translations: setup-run
	$(VENV)/pyside6-lupdate app/ui/*.py app/ui/*/*.py -locations none -no-obsolete \
		-ts assets/translations/sightline_zh_CN.ts
	$(VENV)/pyside6-lrelease assets/translations/sightline_zh_CN.ts

samples: setup-run
	$(VENV)/python assets/samples/make.py

setup-run:
	@$(PYTHON) packaging/setup.py run

setup-test:
	@$(PYTHON) packaging/setup.py test

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
