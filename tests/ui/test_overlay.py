from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.look import Look
from app.ui.marking import Marking
from app.ui.overlay import Overlay
from app.ui.pane import Pane, Still
from app.vocabulary import Region

Hear = Callable[..., list[Any]]
LEFT = Qt.MouseButton.LeftButton


def still(name: str, width: int, height: int, place: QRect) -> Still:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkCyan)
    return Still(name, image, place)


@pytest.fixture
def overlay(qt: QApplication, look: Look) -> Iterator[Overlay]:
    """Two screens, the second with two pixels for each logical one."""
    made = Overlay(
        look,
        [
            still("one", 400, 300, QRect(0, 0, 400, 300)),
            still("two", 800, 600, QRect(0, 0, 400, 300)),
        ],
    )
    for pane in made.panes:
        pane.resize(400, 300)
        pane.show()
        pane.resize(400, 300)
    qt.processEvents()
    yield made
    made.close()


def drag(pane: Pane, start: tuple[int, int], end: tuple[int, int]) -> None:
    QTest.mousePress(pane, LEFT, pos=QPoint(*start))
    QTest.mouseMove(pane, QPoint(*end))
    QTest.mouseRelease(pane, LEFT, pos=QPoint(*end))


def test_a_drag_marks_a_region(overlay: Overlay) -> None:
    drag(overlay.panes[0], (50, 40), (150, 90))
    assert overlay.panes[0].marking.region == Region(50, 40, 100, 50)


def test_a_region_counts_in_the_pixels_of_its_own_screen(overlay: Overlay) -> None:
    drag(overlay.panes[1], (50, 40), (150, 90))
    assert overlay.panes[1].marking.region == Region(100, 80, 200, 100)


def test_a_drag_can_begin_on_the_hint(overlay: Overlay) -> None:
    pane = overlay.panes[0]
    pane.place_hint()
    assert pane.childAt(pane._hint.geometry().center()) is None


def test_enter_gives_the_region_and_its_screen(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    drag(overlay.panes[1], (50, 40), (150, 90))
    QTest.keyClick(overlay.panes[1], Qt.Key.Key_Return)
    assert chosen == [(1, Region(100, 80, 200, 100))]


def test_a_double_click_gives_the_region(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    drag(overlay.panes[0], (50, 40), (150, 90))
    QTest.mouseDClick(overlay.panes[0], LEFT, pos=QPoint(100, 60))
    assert chosen == [(0, Region(50, 40, 100, 50))]


def test_a_click_without_a_drag_is_the_whole_screen(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.mouseClick(overlay.panes[1], LEFT, pos=QPoint(20, 20))
    assert chosen == [(1, Region(0, 0, 800, 600))]


def test_a_click_beside_a_region_takes_it_away(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    drag(overlay.panes[0], (50, 40), (150, 90))
    QTest.mouseClick(overlay.panes[0], LEFT, pos=QPoint(300, 250))
    assert overlay.panes[0].marking.region is None
    assert chosen == []


def test_a_drag_inside_a_region_moves_it(overlay: Overlay) -> None:
    drag(overlay.panes[0], (50, 40), (150, 90))
    drag(overlay.panes[0], (100, 60), (110, 80))
    assert overlay.panes[0].marking.region == Region(60, 60, 100, 50)


def test_escape_cancels(overlay: Overlay, hear: Hear) -> None:
    cancelled = hear(overlay.cancelled)
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Escape)
    assert len(cancelled) == 1


def test_a_right_click_cancels(overlay: Overlay, hear: Hear) -> None:
    cancelled = hear(overlay.cancelled)
    QTest.mouseClick(overlay.panes[0], Qt.MouseButton.RightButton, pos=QPoint(9, 9))
    assert len(cancelled) == 1


def test_it_ends_once(overlay: Overlay, hear: Hear) -> None:
    ends = hear(overlay.cancelled), hear(overlay.chosen)
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Escape)
    QTest.keyClick(overlay.panes[1], Qt.Key.Key_Return)
    assert [len(end) for end in ends] == [1, 0]


def test_a_region_on_one_screen_takes_away_that_of_another(overlay: Overlay) -> None:
    drag(overlay.panes[0], (50, 40), (150, 90))
    drag(overlay.panes[1], (10, 10), (60, 60))
    assert overlay.panes[0].marking.region is None


def test_arrows_move_by_one_pixel(overlay: Overlay) -> None:
    drag(overlay.panes[1], (50, 40), (150, 90))
    QTest.keyClick(overlay.panes[1], Qt.Key.Key_Right)
    QTest.keyClick(overlay.panes[1], Qt.Key.Key_Up)
    assert overlay.panes[1].marking.region == Region(101, 79, 200, 100)


def test_arrows_with_shift_resize_by_one_pixel(overlay: Overlay) -> None:
    shift = Qt.KeyboardModifier.ShiftModifier
    drag(overlay.panes[0], (50, 40), (150, 90))
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Right, shift)
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Up, shift)
    assert overlay.panes[0].marking.region == Region(50, 40, 101, 49)


def test_the_keyboard_alone_can_mark(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Right)
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Return)
    assert chosen == [(0, Region(101, 75, 200, 150))]


def test_the_marked_part_is_bright_and_the_rest_is_veiled(overlay: Overlay) -> None:
    pane = overlay.panes[0]
    drag(pane, (50, 40), (250, 190))
    picture = pane.grab().toImage()
    ratio = picture.width() / pane.width()
    inside = picture.pixelColor(round(100 * ratio), round(100 * ratio))
    outside = picture.pixelColor(round(350 * ratio), round(20 * ratio))
    assert inside.green() == 128
    assert outside.green() == pytest.approx(128 * 0.45, abs=4)


def test_the_screen_is_shown_pixel_for_pixel(qt: QApplication, look: Look) -> None:
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    image.setPixelColor(150, 100, Qt.GlobalColor.white)
    pane = Pane(look, Still("one", image, QRect(0, 0, 300, 200)))
    pane.resize(300, 200)
    pane.mark(pane.marking.drag(100, 50, 250, 180))
    shown = pane.grab().toImage()
    if shown.width() == 300:
        assert shown.pixelColor(150, 100).lightness() == 255
        assert shown.pixelColor(151, 100).lightness() == 0
    pane.deleteLater()


numbers = st.integers(-500, 1500)


@given(st.lists(st.tuples(st.sampled_from(["drag", "move", "grow"]), numbers, numbers)))
def test_a_region_never_leaves_its_picture(steps: list[tuple[str, int, int]]) -> None:
    marking = Marking(640, 480)
    for what, x, y in steps:
        match what:
            case "drag":
                marking = marking.drag(x, y, y, x)
            case "move":
                marking = marking.move(x, y)
            case _:
                marking = marking.grow(x, y)
        at = marking.region
        assert at is not None
        assert at.x >= 0 and at.y >= 0 and at.width >= 1 and at.height >= 1
        assert at.x + at.width <= 640 and at.y + at.height <= 480
