"""The strip with two handles, by mouse and by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui.film.filmstrip import GRIP, LEAST, Filmstrip, Grip
from app.ui.look import Look

Hear = Callable[..., list[Any]]
WIDTH = 1000 + 2 * GRIP  # a pixel is 10 ms


@pytest.fixture
def strip(look: Look, shown: Callable[[QWidget], QWidget]) -> Filmstrip:
    made = Filmstrip(look)
    made.resize(WIDTH, made.height())
    made.show_length(10.0)
    return cast(Filmstrip, shown(made))


def drag(grip: Grip, by: int) -> None:
    held = QPoint(GRIP // 2, 30)
    QTest.mousePress(grip, Qt.MouseButton.LeftButton, pos=held)
    where = grip.mapToGlobal(held + QPoint(by, 0))
    QTest.mouseMove(grip, grip.mapFromGlobal(where))
    QTest.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=grip.mapFromGlobal(where))


def test_all_is_kept_at_first(strip: Filmstrip) -> None:
    assert (strip.start, strip.end) == (0.0, 10.0)


def test_a_handle_is_dragged_to_a_moment(strip: Filmstrip, hear: Hear) -> None:
    looked, moved = hear(strip.looked), hear(strip.moved)
    drag(strip.first, 250)
    drag(strip.last, -100)
    assert strip.start == pytest.approx(2.5)
    assert strip.end == pytest.approx(9.0)
    assert looked[-1] == pytest.approx(9.0)
    assert moved


@pytest.mark.parametrize(
    ("key", "modifier", "start"),
    [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 5.1),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 4.9),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 6.0),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 6.0),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0.0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 10 - LEAST / 1000),
    ],
)
def test_a_handle_is_moved_with_keys(
    strip: Filmstrip, key: Qt.Key, modifier: Qt.KeyboardModifier, start: float
) -> None:
    strip.first.setValue(5000)
    QTest.keyClick(strip.first, key, modifier)
    assert strip.start == pytest.approx(start)


def test_a_click_on_the_strip_looks_there_and_keeps_everything(
    strip: Filmstrip, hear: Hear
) -> None:
    looked = hear(strip.looked)
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(GRIP + 430, 30))
    assert looked == [pytest.approx(4.3)]
    assert (strip.start, strip.end) == (0.0, 10.0)


def test_both_handles_are_reached_by_tab_and_say_where_they_are(strip: Filmstrip) -> None:
    strip.first.setFocus()
    QTest.keyClick(strip.first, Qt.Key.Key_Tab)
    assert strip.last.hasFocus()
    assert [grip.accessibleName() for grip in (strip.first, strip.last)] == ["Start", "End"]
    assert strip.last.accessibleDescription() == "0:10.0"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-2000, 12_000)), max_size=12))
def test_the_handles_never_pass_each_other(strip: Filmstrip, moves: list[tuple[bool, int]]) -> None:
    strip.show_length(10.0)
    for first, value in moves:
        (strip.first if first else strip.last).setValue(value)
        assert 0 <= strip.start < strip.end <= 10
        assert round((strip.end - strip.start) * 1000) >= LEAST


def test_a_recording_shorter_than_the_least_is_kept_whole(strip: Filmstrip) -> None:
    strip.show_length(0.1)
    strip.first.setValue(50)
    strip.last.setValue(20)
    assert (strip.start, strip.end) == (0.0, 0.1)
