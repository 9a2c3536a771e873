"""The page of hotkeys and the field that takes chords."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.capture.hotkey.chord import read
from app.capture.hotkey.hotkeys import Refusal
from app.capture.obstacle import Obstacle
from app.settings import Hotkeys, Settings
from app.ui import strokes
from app.ui.hotkeys import HotkeysPage
from app.ui.look import Look

Hear = Callable[..., list[Any]]
NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
META = Qt.KeyboardModifier.MetaModifier


@pytest.fixture
def page(look: Look, shown: Callable[[QWidget], QWidget]) -> HotkeysPage:
    made = HotkeysPage(look)
    made.show_settings(Settings())
    made.show_way("X11")
    shown(made)
    return made


def wake(page: HotkeysPage, action: str = "record") -> QWidget:
    field = page.rows[action].field
    field.setFocus()
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    return field


def test_a_chord_is_recorded_as_it_is_pressed(page: HotkeysPage, hear: Hear) -> None:
    changed = hear(page.changed)
    field = wake(page)
    QTest.keyPress(field, Qt.Key.Key_Control, NONE)
    QTest.keyPress(field, Qt.Key.Key_Alt, CTRL)
    QTest.keyPress(field, Qt.Key.Key_K, CTRL | ALT)
    assert changed[-1].hotkeys == replace(Hotkeys(), record="Ctrl+Alt+K")
    assert page.rows["record"].field.text() == "Ctrl+Alt+K"
    assert len(changed) == 1


def test_what_is_held_so_far_is_seen(page: HotkeysPage) -> None:
    field = wake(page)
    QTest.keyPress(field, Qt.Key.Key_Control, NONE)
    assert page.rows["record"].field.text() == "Ctrl+…"
    QTest.keyRelease(field, Qt.Key.Key_Control, CTRL)
    assert page.rows["record"].field.text() == ""
    assert page.rows["record"].field.placeholderText() == "Press keys…"


def test_keys_are_let_go_while_a_field_waits(page: HotkeysPage, hear: Hear) -> None:
    waits = hear(page.recording_changed)
    field = wake(page)
    assert waits == [True]
    QTest.keyPress(field, Qt.Key.Key_F9, META)
    assert waits == [True, False]


def test_a_field_that_loses_the_focus_waits_no_more(page: HotkeysPage, hear: Hear) -> None:
    waits = hear(page.recording_changed)
    wake(page)
    page.rows["new_chat"].field.setFocus()
    assert waits == [True, False]
    assert page.rows["record"].field.text() == "Super+Shift+R"


def test_escape_keeps_the_chord(page: HotkeysPage, hear: Hear) -> None:
    changed, waits = hear(page.changed), hear(page.recording_changed)
    QTest.keyClick(wake(page), Qt.Key.Key_Escape)
    assert (changed, waits) == ([], [True, False])


@pytest.mark.parametrize("key", [Qt.Key.Key_Backspace, Qt.Key.Key_Delete])
@pytest.mark.parametrize("awake", [True, False])
def test_backspace_takes_the_chord_away(
    page: HotkeysPage, hear: Hear, key: Qt.Key, awake: bool
) -> None:
    changed = hear(page.changed)
    field = wake(page) if awake else page.rows["record"].field
    QTest.keyClick(field, key)
    assert changed[-1].hotkeys.record == ""
    assert page.rows["record"].field.placeholderText() == "None"


def test_a_field_is_woken_by_a_key(page: HotkeysPage, hear: Hear) -> None:
    waits = hear(page.recording_changed)
    field = page.rows["record"].field
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert waits == [True]


def test_tab_goes_on_to_the_next_field(page: HotkeysPage, hear: Hear) -> None:
    changed, waits = hear(page.changed), hear(page.recording_changed)
    field = wake(page)
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert not field.hasFocus()
    assert (changed, waits) == ([], [True, False])


def test_a_chord_with_tab_is_recorded(page: HotkeysPage, hear: Hear) -> None:
    changed = hear(page.changed)
    QTest.keyClick(wake(page), Qt.Key.Key_Tab, CTRL | ALT)
    assert changed[-1].hotkeys.record == "Ctrl+Alt+Tab"


def test_a_shortcut_of_the_window_is_not_done_but_recorded(page: HotkeysPage, hear: Hear) -> None:
    done = hear(QShortcut(QKeySequence("Ctrl+K"), page).activated)
    changed = hear(page.changed)
    QTest.keyClick(wake(page), Qt.Key.Key_K, CTRL)
    assert done == []
    assert changed[-1].hotkeys.record == "Ctrl+K"


def test_a_key_that_is_typed_with_is_refused_below_its_row(page: HotkeysPage, hear: Hear) -> None:
    changed = hear(page.changed)
    QTest.keyClick(wake(page), Qt.Key.Key_A, SHIFT)
    assert page.rows["record"].said.text() == (
        "Shift+A is needed for typing. Add Ctrl, Alt or Super."
    )
    assert page.rows["record"].said.isVisible()
    assert changed == []


def test_two_actions_with_one_chord_name_each_other_at_once(page: HotkeysPage) -> None:
    QTest.keyClick(wake(page, "new_chat"), Qt.Key.Key_A, META | SHIFT)
    assert "Ask about a region" in page.rows["new_chat"].said.text()
    assert "New chat" in page.rows["ask_region"].said.text()
    assert not page.rows["record"].said.isVisible()


def test_what_the_system_refuses_stands_below_its_row(page: HotkeysPage) -> None:
    page.show_refused((Refusal("record", "Meta+Shift+R", "It is taken by Openbox."),))
    assert page.rows["record"].said.text() == "It is taken by Openbox."
    assert page.rows["record"].said.isVisible()


def test_a_refusal_goes_with_its_chord(page: HotkeysPage) -> None:
    page.show_refused((Refusal("record", "Meta+Shift+R", "It is taken by Openbox."),))
    QTest.keyClick(wake(page), Qt.Key.Key_F9, META)
    assert not page.rows["record"].said.isVisible()


def test_clearing_and_resetting(page: HotkeysPage, hear: Hear) -> None:
    changed = hear(page.changed)
    assert not page.reset.isEnabled()
    page.rows["record"].clear.click()
    assert changed[-1].hotkeys.record == ""
    assert not page.rows["record"].clear.isEnabled()
    page.reset.click()
    assert changed[-1].hotkeys == Hotkeys()
    assert not page.reset.isEnabled()


def test_the_way_that_takes_the_keys_is_said(page: HotkeysPage) -> None:
    assert "X11" in page.lead.text()
    page.show_way("GlobalShortcuts portal")
    page.show_held({"record": "Press F9"})
    assert "Your desktop assigns these keys" in page.lead.text()
    assert page.rows["record"].held.text() == "The desktop's key: Press F9"


def test_where_no_key_can_be_taken_the_commands_to_bind_are_given(page: HotkeysPage) -> None:
    page.show_way(Obstacle("this desktop's portal gives programs no global hotkeys"))
    assert "gives programs no global hotkeys" in page.lead.text()
    assert not page.rows["ask_window"].field.isVisible()
    page.rows["ask_window"].copy.click()
    assert QGuiApplication.clipboard().text() == "sightline snip --window"


def test_settings_shown_are_not_told_as_changed(page: HotkeysPage, hear: Hear) -> None:
    changed = hear(page.changed)
    page.show_settings(Settings(hotkeys=replace(Hotkeys(), record="Ctrl+F9")))
    assert changed == []
    assert page.rows["record"].field.text() == "Ctrl+F9"


def test_everything_has_a_name(page: HotkeysPage, unnamed: Callable[[QObject], list[str]]) -> None:
    assert unnamed(page) == []


CODES = {"1": 10, "0": 19, "-": 20, "=": 21, "Q": 24, "[": 34, "A": 38, "'": 48, "`": 49}
CODES |= {"\\": 51, "Z": 52, ",": 59, "/": 61}


@pytest.mark.parametrize(("key", "code"), CODES.items())
def test_with_shift_or_another_alphabet_a_key_is_known_by_its_place(key: str, code: int) -> None:
    written = Qt.Key.Key_Exclam if key == "1" else Qt.Key.Key_unknown
    event = QKeyEvent(QEvent.Type.KeyPress, written, META | SHIFT, code, 0, 0)
    assert strokes.key(event) == key


def test_the_number_pad_is_no_part_of_a_chord() -> None:
    pad = Qt.KeyboardModifier.KeypadModifier
    assert strokes.key(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_1, CTRL | pad)) is None


@given(
    st.sampled_from(sorted(strokes._NAMES.items())),
    st.sets(st.sampled_from([CTRL, ALT, META]), min_size=1),
)
def test_every_key_that_qt_tells_makes_a_chord(
    told: tuple[int, str], held: set[Qt.KeyboardModifier]
) -> None:
    both = NONE
    for modifier in held:
        both |= modifier
    event = QKeyEvent(QEvent.Type.KeyPress, told[0], both)
    text = "+".join((*strokes.modifiers(event), strokes.key(event) or ""))
    assert read(text).key == told[1]
