"""The settings page of the user's own quick actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.settings import Settings, Template
from app.ui.look import Look
from app.ui.templates import Templates

ONE = Template("Summarise", "Summarise this in three points.")
TWO = Template("Reply", "Write a polite reply.")
Hear = Callable[..., list[Any]]


@pytest.fixture
def page(qt: QApplication, look: Look, shown: Callable[[Templates], Templates]) -> Templates:
    made = Templates(look)
    made.show_settings(Settings(templates=(ONE, TWO), temperature=0.5))
    return shown(made)


def test_a_new_template_is_kept_with_all_other_settings(page: Templates, hear: Hear) -> None:
    told = hear(page.changed)
    page.add.click()
    page.name.setText("Shorter")
    page.question.setPlainText("Say it in one sentence.")
    page.flush()
    assert told[-1].templates == (ONE, TWO, Template("Shorter", "Say it in one sentence."))
    assert told[-1].temperature == 0.5


def test_what_is_typed_is_told_after_a_pause(page: Templates, hear: Hear, qt: QApplication) -> None:
    told = hear(page.changed)
    page.question.setPlainText("Summarise this in one point.")
    assert told == []
    page._pause.timeout.emit()
    assert told[-1].templates[0] == Template("Summarise", "Summarise this in one point.")


def test_going_to_another_one_loses_nothing(page: Templates, hear: Hear) -> None:
    told = hear(page.changed)
    page.name.setText("Sum up")
    page.rows.setCurrentRow(1)
    assert told[-1].templates == (Template("Sum up", ONE.text), TWO)
    assert page.name.text() == "Reply"
    page.rows.setCurrentRow(0)
    assert page.name.text() == "Sum up"
    page.down.click()
    assert told[-1].templates == (TWO, Template("Sum up", ONE.text))


def test_their_order_is_changed_and_the_moved_one_stays_chosen(page: Templates, hear: Hear) -> None:
    told = hear(page.changed)
    page.rows.setCurrentRow(1)
    page.up.click()
    assert told[-1].templates == (TWO, ONE)
    assert (page.rows.currentRow(), page.name.text()) == (0, "Reply")
    assert not page.up.isEnabled() and page.down.isEnabled()


def test_one_is_removed_and_its_neighbour_shown(page: Templates, hear: Hear) -> None:
    told = hear(page.changed)
    page.remove.click()
    assert told[-1].templates == (TWO,)
    assert page.name.text() == "Reply"
    page.remove.click()
    assert told[-1].templates == ()
    assert page.form.isHidden() and not page.empty.isHidden()


def test_one_without_a_name_is_called_by_its_first_words(page: Templates, hear: Hear) -> None:
    told = hear(page.changed)
    page.add.click()
    page.question.setPlainText("What would a lawyer say about this paragraph?")
    page.flush()
    assert told[-1].templates[2].name == "What would a lawyer say…"


def test_one_without_a_question_is_said_and_not_kept_but_stays_to_be_finished(
    page: Templates, hear: Hear
) -> None:
    told = hear(page.changed)
    page.add.click()
    page.name.setText("Later")
    page.flush()
    assert told[-1].templates == (ONE, TWO)
    assert "question" in page.wrong.text() and not page.wrong.isHidden()
    page.show_settings(told[-1])  # the echo of what was told
    page.question.setPlainText("And now?")
    page.flush()
    assert told[-1].templates == (ONE, TWO, Template("Later", "And now?"))
    assert page.wrong.isHidden()


def test_settings_that_change_elsewhere_are_shown(page: Templates, hear: Hear) -> None:
    told = hear(page.changed)
    page.show_settings(Settings(templates=(TWO,)))
    assert (page.rows.count(), page.name.text()) == (1, "Reply")
    assert told == []


def test_everything_has_a_name(page: Templates, unnamed: Callable[[QObject], list[str]]) -> None:
    assert unnamed(page) == []
