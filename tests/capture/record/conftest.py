"""A display of the test's own and someone who paints on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from painting import Painter, served


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty X screen of 400 by 300."""
    with served(monkeypatch) as name:
        yield name


@pytest.fixture
def painter(screen: str) -> Iterator[Painter]:
    made = Painter(screen)
    yield made
    made.close()
