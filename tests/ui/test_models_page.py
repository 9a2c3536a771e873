from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from folders_of_models import adapter, checkpoint, half
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app.settings import Profile, Settings
from app.ui.look import Look
from app.ui.models import Models
from app.ui.shelf import Shelf, read
from app.ui.snippet import Snippet

Hear = Callable[..., list[Any]]


@pytest.fixture
def page(look: Look, shown: Callable[[QWidget], QWidget]) -> Models:
    made = Models(look)
    made.resize(600, 560)
    made.show_settings(Settings(local_model="first"))
    shown(made)
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        checkpoint(tmp_path / "models" / name)
    checkpoint(tmp_path / "models" / "seer", vision_config={})
    return tmp_path


def described(page: Models, called: str) -> str:
    return page.choices[called].accessibleDescription()


def commands(page: Models) -> list[str]:
    return [snippet.text for snippet in page.unfinished.findChildren(Snippet)]


def test_a_model_is_listed_with_its_size_and_what_it_does(page: Models, data: Path) -> None:
    page.show_shelf(read(data, "first"))
    assert page.choices["seer"].accessibleName() == "seer"
    assert "sees pictures" in described(page, "seer")
    assert "reads text" in described(page, "first")
    assert "bytes" in described(page, "first")
    assert page.choices["first"].isChecked()
    assert not page.empty.isVisible()


def test_a_click_chooses_a_model(page: Models, data: Path, hear: Hear) -> None:
    page.show_shelf(read(data, "first"))
    changed = hear(page.changed)
    page.choices["second"].click()
    assert [settings.local_model for settings in changed] == ["second"]
    assert page.choices["second"].isChecked() and not page.choices["first"].isChecked()


def test_the_keyboard_chooses_too(page: Models, data: Path, hear: Hear) -> None:
    page.show_shelf(read(data, "first"))
    changed = hear(page.changed)
    page.choices["first"].setFocus()
    QTest.keyClick(page.choices["first"], Qt.Key.Key_Down)
    assert [settings.local_model for settings in changed] == ["second"]


def test_the_chosen_model_is_not_chosen_again(page: Models, data: Path, hear: Hear) -> None:
    page.show_shelf(read(data, "first"))
    changed = hear(page.changed)
    page.choices["first"].click()
    assert changed == []


def test_rows_stay_while_only_the_choice_moves(page: Models, data: Path) -> None:
    page.show_shelf(read(data, "first"))
    row = page.choices["second"]
    page.show_shelf(read(data, "second"))
    assert page.choices["second"] is row
    assert row.isChecked()


def test_an_adapter_names_its_base_and_can_not_be_chosen_without_it(
    page: Models, data: Path
) -> None:
    adapter(data / "models" / "with", base="owner/first")
    adapter(data / "models" / "without", base="owner/other")
    page.show_shelf(read(data, "first"))
    assert "adapter for first" in described(page, "with")
    assert page.choices["with"].isEnabled()
    assert "adapter for other, which is not here" in described(page, "without")
    assert not page.choices["without"].isEnabled()


def test_an_unfinished_download_is_shown_with_the_command_that_goes_on(
    page: Models, data: Path
) -> None:
    half(data / "models", "big", "owner/Big")
    page.show_shelf(read(data, "first"))
    assert page.unfinished.isVisible()
    assert commands(page) == ["sightline models get owner/Big"]


def test_without_models_the_page_says_so_and_what_to_do(page: Models, tmp_path: Path) -> None:
    page.show_shelf(Shelf(tmp_path / "models", wrong="The embedded engine is not installed."))
    assert page.empty.isVisible()
    assert not page.card.isVisible()
    assert page.wrong.text() == "The embedded engine is not installed."
    assert page.get.text == "sightline models get owner/name"
    assert page.where.said == f"Models lie in {tmp_path / 'models'}"


def test_the_command_is_copied(page: Models, qt: QApplication) -> None:
    page.get.copy.click()
    assert QGuiApplication.clipboard().text() == "sightline models get owner/name"


def test_a_refused_folder_is_said_below_the_button_until_a_model_is_chosen(
    page: Models, data: Path
) -> None:
    page.show_shelf(read(data, "first"))
    page.refuse("The folder /a holds no model: it has no config.json.")
    page.show_shelf(read(data, "first"))
    assert page.says.isVisible()
    page.show_settings(Settings(local_model="second"))
    assert not page.says.isVisible()


def test_a_folder_is_picked_with_the_systems_dialog(page: Models, data: Path, hear: Hear) -> None:
    given = hear(page.folder_given)
    page.pick.click()
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    dialog.fileSelected.emit(str(data))
    dialog.reject()
    assert given == [data]


def test_the_page_says_when_another_endpoint_answers(page: Models) -> None:
    assert not page.elsewhere.isVisible()
    office = Profile("Office", "http://10.0.0.7/v1", "m")
    page.show_settings(replace(page.settings, endpoint="Office", profiles=(office,)))
    assert page.elsewhere.isVisible()
    assert "“Office” answers at the moment" in page.elsewhere.text()


def test_the_page_asks_for_the_models_when_it_comes_into_sight(
    page: Models, hear: Hear, qt: QApplication
) -> None:
    wanted = hear(page.wanted)
    page.hide()
    page.show()
    assert len(wanted) == 1


def test_every_control_of_the_page_has_a_name(
    page: Models, data: Path, unnamed: Callable[..., list[str]]
) -> None:
    half(data / "models", "big", "owner/Big")
    page.show_shelf(read(data, "first"))
    assert unnamed(page) == []
