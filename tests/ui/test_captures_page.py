from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.settings import Settings
from app.ui.captures import Captures
from app.ui.look import Look

Hear = Callable[..., list[Any]]


@pytest.fixture
def page(look: Look, shown: Callable[[QWidget], QWidget]) -> Captures:
    made = Captures(look)
    made.show_settings(Settings(never_captured=("KeePassXC",)))
    shown(made)
    return made


def test_what_a_click_and_a_close_do_is_told_at_once(page: Captures, hear: Hear) -> None:
    changed = hear(page.changed)
    page.click._buttons["window"].click()
    page.closing._buttons["quit"].click()
    page.sign._buttons["sound"].click()
    said = changed[-1]
    assert (said.tray_click, said.close_to_tray, said.sign) == ("window", False, "sound")
    assert said.never_captured == ("KeePassXC",)


def test_settings_shown_are_not_told_as_changed(page: Captures, hear: Hear) -> None:
    changed = hear(page.changed)
    page.show_settings(Settings(tray_click="record", close_to_tray=False, sign="none"))
    assert changed == []
    assert (page.click.value, page.closing.value, page.sign.value) == ("record", "quit", "none")


def test_a_program_is_added_by_its_name(page: Captures, hear: Hear) -> None:
    changed = hear(page.changed)
    QTest.keyClicks(page.typed, "  Signal ")
    QTest.keyClick(page.typed, Qt.Key.Key_Return)
    assert changed[0].never_captured == ("KeePassXC", "Signal")
    assert list(page.rows) == ["KeePassXC", "Signal"]
    assert page.typed.text() == ""


@pytest.mark.parametrize("name", ["", "   ", "keepassxc"])
def test_no_name_and_a_known_one_add_nothing(page: Captures, hear: Hear, name: str) -> None:
    changed = hear(page.changed)
    page.typed.setText(name)
    page.add.click()
    assert changed == []


def test_a_program_is_taken_off_again(page: Captures, hear: Hear) -> None:
    changed = hear(page.changed)
    page.rows["KeePassXC"].click()
    assert changed[0].never_captured == ()
    assert page.area.isHidden()


def test_running_programs_are_offered_but_for_those_on_the_list(page: Captures, hear: Hear) -> None:
    page.typed.setText("Fire")
    page.show_programs(["zoom", "KeePassXC", "Firefox", "Firefox"])
    offered = [page.program.itemText(at) for at in range(page.program.count())]
    assert offered == ["Firefox", "zoom"]
    assert page.typed.text() == "Fire"


def test_a_chosen_one_is_added(page: Captures, hear: Hear) -> None:
    changed = hear(page.changed)
    page.show_programs(["Firefox", "zoom"])
    page.program.setCurrentIndex(1)
    page.add.click()
    assert changed[0].never_captured == ("KeePassXC", "zoom")


def test_the_page_asks_what_runs_when_it_is_seen(page: Captures, hear: Hear) -> None:
    asked = hear(page.programs_wanted)
    page.hide()
    page.show()
    assert len(asked) == 1


def test_every_control_has_a_name(page: Captures, unnamed: Callable[..., list[str]]) -> None:
    page.show_programs(["zoom"])
    assert unnamed(page) == []
