"""What a recording shows of itself: bar, border, countdown, notices and its page of settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.capture.record.facts import Progress
from app.settings import Recording as Limits
from app.settings import Settings
from app.ui.film import clock
from app.ui.film.bar import Bar
from app.ui.film.border import GAP, LINE, Border, Countdown
from app.ui.film.notice import Deed, Notice
from app.ui.look import Look
from app.ui.recording import Recording

Hear = Callable[..., list[Any]]
Show = Callable[[QWidget], QWidget]
LIMITS = Limits(longest=60, largest=10)
RUNNING = Progress(12.4, 3_400_000, 300, 0, "recording")


@pytest.fixture
def bar(look: Look, shown: Show) -> Bar:
    made = Bar(look)
    made.show_progress(RUNNING, LIMITS)
    shown(made)
    return made


# --- the bar --------------------------------------------------------------------------------


def test_the_bar_says_how_long_and_how_large(bar: Bar) -> None:
    assert (bar.time.text(), bar.note.text()) == ("0:12", "3.4 MB")


def test_every_button_of_the_bar_has_a_name(
    bar: Bar, unnamed: Callable[[QWidget], list[str]]
) -> None:
    assert unnamed(bar) == []


def test_pause_becomes_going_on(bar: Bar, hear: Hear) -> None:
    wishes = hear(bar.paused)
    bar.pause.click()
    bar.show_progress(replace(RUNNING, state="paused"), LIMITS)
    assert bar.note.text() == "Paused"
    bar.pause.click()
    assert wishes == [True, False]


@pytest.mark.parametrize(
    ("key", "fact"),
    [
        (Qt.Key.Key_Return, "finished"),
        (Qt.Key.Key_Escape, "cancelled"),
        (Qt.Key.Key_Space, "paused"),
    ],
)
def test_the_bar_is_worked_with_keys(bar: Bar, hear: Hear, key: Qt.Key, fact: str) -> None:
    said = hear(getattr(bar, fact))
    QTest.keyClick(bar, key)
    assert len(said) == 1


@pytest.mark.parametrize("state", ["waiting", "finishing"])
def test_nothing_can_be_finished_twice_or_before_it_began(bar: Bar, hear: Hear, state: Any) -> None:
    finished = hear(bar.finished)
    bar.show_progress(replace(RUNNING, state=state), LIMITS)
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert finished == []


def test_the_last_seconds_and_the_last_bytes_are_said(bar: Bar) -> None:
    bar.show_progress(replace(RUNNING, seconds=52.5), LIMITS)
    assert bar.note.text() == "0:08 left"
    bar.show_progress(replace(RUNNING, bytes=9_500_000), LIMITS)
    assert bar.note.text() == "Nearly full"


def test_the_bar_keeps_its_width_whatever_it_says(bar: Bar) -> None:
    before = bar.sizeHint().width()
    for state in ("waiting", "recording", "paused", "finishing"):
        bar.show_progress(replace(RUNNING, seconds=55.0, state=state), LIMITS)
        assert bar.sizeHint().width() == before


def test_the_sign_of_the_microphone_says_whether_it_is_heard(look: Look, shown: Show) -> None:
    bar = Bar(look, microphone=True)
    shown(bar)
    width = bar.sizeHint().width()
    said: list[tuple[str, bool]] = []
    for state, sound in (("waiting", False), ("recording", True), ("recording", False)):
        bar.show_progress(replace(RUNNING, state=state, sound=sound), LIMITS)
        said.append((bar.sound.toolTip(), bar.sound.pixmap().isNull()))
        assert bar.sizeHint().width() == width
    assert said == [("", True), ("Sound is recorded", False), ("No sound is recorded", False)]


def test_without_a_microphone_the_bar_has_no_sign_of_one(bar: Bar) -> None:
    assert not bar.sound.isVisible()


# --- around the area ------------------------------------------------------------------------


def test_the_border_leaves_the_area_open_and_lets_clicks_through(look: Look) -> None:
    border = Border(look)
    area = QRect(100, 80, 300, 200)
    border.surround(area)
    border.show()
    place = border.geometry()
    assert place == area.adjusted(-GAP - LINE, -GAP - LINE, GAP + LINE, GAP + LINE)
    assert not border.mask().translated(place.topLeft()).intersects(area)
    assert border.windowFlags() & Qt.WindowType.WindowTransparentForInput
    border.close()
    border.deleteLater()


def test_the_number_is_gone_before_the_first_frame(look: Look, qt: QApplication) -> None:
    countdown = Countdown(look)
    countdown.count(1.2, QRect(0, 0, 400, 300))
    assert (countdown.isVisible(), countdown.number) == (True, 2)
    QTest.qWait(400)
    assert countdown.number == 1
    QTest.qWait(600)
    assert not countdown.isVisible()
    countdown.end()
    countdown.deleteLater()


# --- a word in the corner -------------------------------------------------------------------


def test_a_notice_does_what_its_button_says_and_is_gone(look: Look, hear: Hear) -> None:
    done: list[str] = []
    notice = Notice(look, "Saved.", (Deed("Undo", lambda: done.append("undo"), first=True),))
    passed, ended = hear(notice.passed), hear(notice.ended)
    notice.open(seconds=60)
    assert notice.focusWidget() is notice.buttons[0]
    notice.buttons[0].click()
    assert (done, len(passed), len(ended)) == (["undo"], 0, 1)


def test_a_notice_passes_by_itself_once(look: Look, hear: Hear) -> None:
    notice = Notice(look, "Discarded.")
    passed = hear(notice.passed)
    notice.open(seconds=0.05)
    QTest.qWait(200)
    notice.take_away()
    assert len(passed) == 1


# --- its settings ---------------------------------------------------------------------------


@pytest.fixture
def page(look: Look, shown: Show) -> Recording:
    made = Recording()
    made.show_settings(Settings())
    shown(made)
    return made


def test_changes_are_told_after_a_pause_in_typing(page: Recording, hear: Hear) -> None:
    changed = hear(page.changed)
    page.rate.setValue(15)
    page.delay.setValue(3)
    page.longest.setValue(2)
    page.largest.setValue(80)
    page.pointer.setChecked(False)
    assert changed == []
    QTest.qWait(500)
    assert [settings.recording for settings in changed] == [
        Limits(15, pointer=False, delay=3, longest=120, largest=80)
    ]


@pytest.fixture
def parec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with PulseAudio, as far as can be seen without asking it."""
    (tmp_path / "parec").write_text("#!/bin/sh\n")
    (tmp_path / "parec").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/native")


@pytest.mark.skipif(sys.platform != "linux", reason="parec is Linux's")
def test_the_microphone_is_off_until_it_is_wished_for(parec: None, hear: Hear) -> None:
    page = Recording()
    page.show_settings(Settings())
    changed = hear(page.changed)
    assert (page.microphone.isEnabled(), page.microphone.isChecked()) == (True, False)
    page.microphone.click()
    page.flush()
    assert [settings.recording for settings in changed] == [Limits(microphone=True)]
    page.deleteLater()


@pytest.mark.skipif(sys.platform != "linux", reason="these programs are Linux's")
def test_where_there_is_no_microphone_none_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hear: Hear
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    page = Recording()
    changed = hear(page.changed)
    page.show_settings(Settings(recording=Limits(microphone=True)))
    page.rate.setValue(10)
    page.flush()
    assert changed[0].recording.microphone  # once there is one again, it is recorded
    assert not page.microphone.isChecked()
    said = [label.text() for label in page.findChildren(QLabel)]
    assert not page.microphone.isEnabled()
    assert any("no microphone" in text for text in said)
    page.deleteLater()


def test_showing_settings_tells_nothing(page: Recording, hear: Hear) -> None:
    changed = hear(page.changed)
    page.show_settings(Settings(recording=Limits(longest=95)))
    page.flush()
    assert changed == []


def test_a_limit_of_odd_seconds_outlives_another_change(page: Recording, hear: Hear) -> None:
    changed = hear(page.changed)
    page.show_settings(Settings(recording=Limits(longest=95)))
    page.rate.setValue(10)
    page.flush()
    assert changed[0].recording.longest == 95


def test_the_page_can_be_read_aloud(
    page: Recording, unnamed: Callable[[QWidget], list[str]]
) -> None:
    assert unnamed(page) == []


# --- words ----------------------------------------------------------------------------------


@given(st.floats(0, 1e6))
def test_a_moment_is_read_back_to_a_tenth(seconds: float) -> None:
    parts = [float(part) for part in clock.moment(seconds).split(":")]
    read = sum(part * 60**place for place, part in enumerate(reversed(parts)))
    assert abs(read - seconds) <= 0.0501


def test_sizes_are_short() -> None:
    assert (clock.size(0), clock.size(312_400), clock.size(4_200_000)) == (
        "0 kB",
        "312 kB",
        "4.2 MB",
    )
