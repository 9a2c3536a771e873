from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPaintEvent, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.capture.windows import DesktopWindow
from app.ui.look import Look
from app.ui.screen import lens
from app.ui.screen.marking import Marking
from app.ui.screen.overlay import Choice, Manner, Overlay
from app.ui.screen.pane import Pane
from app.ui.screen.still import Still
from app.vocabulary import Region

Hear = Callable[..., list[Any]]
LEFT = Qt.MouseButton.LeftButton


def still(name: str, width: int, height: int, place: QRect, **more: Any) -> Still:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkCyan)
    return Still(name, image, place, **more)


def taken(choices: list[Choice]) -> list[tuple[int, Region]]:
    return [(choice.at, choice.region) for choice in choices]


WINDOW = DesktopWindow(7, "Terminal", "xterm", 1, Region(120, 80, 200, 100))
BELOW = DesktopWindow(8, "Editor", "vim", 1, Region(60, 60, 300, 220))


@pytest.fixture
def overlay(qt: QApplication, look: Look) -> Iterator[Overlay]:
    """Two screens with two windows on the first; the second screen has two pixels for each logical
    one and stands right of the first."""
    past = (Region(410, 20, 60, 40), Region(30, 30, 90, 60), Region(5000, 0, 10, 10))
    made = Overlay(
        [
            still("one", 400, 300, QRect(0, 0, 400, 300), windows=(WINDOW, BELOW)),
            still("two", 800, 600, QRect(0, 0, 400, 300), corner=(400, 0)),
        ],
        Manner("Attach", past=past),
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


@pytest.mark.parametrize("full", [True, False])
def test_a_drag_can_begin_on_the_hint(overlay: Overlay, full: bool) -> None:
    pane = overlay.panes[0]
    pane.show_hint(full=full)
    assert pane.hint is not None and pane.hint.isVisible()
    assert pane.childAt(pane.hint.geometry().center()) is None
    drag(pane, (50, 40), (150, 90))
    assert not pane.hint.isVisible()


def test_enter_gives_the_region_and_its_screen(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    drag(overlay.panes[1], (50, 40), (150, 90))
    QTest.keyClick(overlay.panes[1], Qt.Key.Key_Return)
    assert taken(chosen) == [(1, Region(100, 80, 200, 100))]


def test_a_double_click_gives_the_region(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    drag(overlay.panes[0], (50, 40), (150, 90))
    QTest.mouseDClick(overlay.panes[0], LEFT, pos=QPoint(100, 60))
    assert taken(chosen) == [(0, Region(50, 40, 100, 50))]


def test_a_click_beside_every_window_marks_the_whole_screen(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.mouseClick(overlay.panes[1], LEFT, pos=QPoint(20, 20))
    assert overlay.panes[1].marking.region == Region(0, 0, 800, 600)
    QTest.keyClick(overlay.panes[1], Qt.Key.Key_Return)
    assert taken(chosen) == [(1, Region(0, 0, 800, 600))]
    assert chosen[0].window is None


def test_a_click_marks_the_window_that_is_seen_there(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.mouseClick(overlay.panes[0], LEFT, pos=QPoint(150, 100))
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Return)
    assert taken(chosen) == [(0, WINDOW.place)]
    assert chosen[0].window == WINDOW.id


def test_a_double_click_takes_the_window(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.mouseClick(overlay.panes[0], LEFT, pos=QPoint(70, 250))
    QTest.mouseDClick(overlay.panes[0], LEFT, pos=QPoint(70, 250))
    assert taken(chosen) == [(0, BELOW.place)]


def test_the_window_under_the_pointer_is_lit(overlay: Overlay) -> None:
    pane = overlay.panes[0]
    QTest.mouseMove(pane, QPoint(150, 100))
    picture = pane.grab().toImage()
    ratio = picture.width() / pane.width()
    lit, veiled = (
        picture.pixelColor(round(x * ratio), round(y * ratio)) for x, y in ((125, 175), (65, 250))
    )
    assert lit.green() == 128
    assert veiled.green() == pytest.approx(128 * 0.45, abs=4)


def test_enter_takes_what_is_lit(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.mouseMove(overlay.panes[0], QPoint(150, 100))
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Return)
    assert taken(chosen) == [(0, WINDOW.place)]


def test_a_window_that_was_moved_about_is_a_region(overlay: Overlay, hear: Hear) -> None:
    chosen = hear(overlay.chosen)
    QTest.mouseClick(overlay.panes[0], LEFT, pos=QPoint(150, 100))
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Left)
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Return)
    assert chosen[0].window is None


@pytest.mark.parametrize(
    ("start", "end", "marked"),
    [
        ((250, 190), (260, 200), Region(50, 40, 210, 160)),
        ((50, 40), (40, 30), Region(40, 30, 210, 160)),
        ((150, 40), (170, 20), Region(50, 20, 200, 170)),
        ((250, 100), (300, 150), Region(50, 40, 250, 150)),
        ((50, 190), (300, 20), Region(250, 20, 50, 20)),
    ],
)
def test_edges_and_corners_can_be_pulled(
    overlay: Overlay, start: tuple[int, int], end: tuple[int, int], marked: Region
) -> None:
    pane = overlay.panes[0]
    drag(pane, (50, 40), (250, 190))
    drag(pane, start, end)
    assert pane.marking.region == marked


def test_space_moves_the_region_while_it_is_drawn(overlay: Overlay) -> None:
    pane = overlay.panes[0]
    QTest.mousePress(pane, LEFT, pos=QPoint(50, 40))
    QTest.mouseMove(pane, QPoint(150, 90))
    QTest.keyPress(pane, Qt.Key.Key_Space)
    QTest.mouseMove(pane, QPoint(170, 110))
    QTest.keyRelease(pane, Qt.Key.Key_Space)
    QTest.mouseMove(pane, QPoint(180, 110))
    QTest.mouseRelease(pane, LEFT, pos=QPoint(180, 110))
    assert pane.marking.region == Region(70, 60, 110, 50)


def test_comma_and_point_walk_through_past_regions(overlay: Overlay) -> None:
    one, two = overlay.panes
    QTest.keyClick(one, Qt.Key.Key_Comma)
    assert two.marking.region == Region(10, 20, 60, 40)
    QTest.keyClick(two, Qt.Key.Key_Comma)
    assert (one.marking.region, two.marking.region) == (Region(30, 30, 90, 60), None)
    QTest.keyClick(one, Qt.Key.Key_Comma)  # the oldest lies on no screen that is here
    assert one.marking.region == Region(30, 30, 90, 60)
    QTest.keyClick(one, Qt.Key.Key_Period)
    assert two.marking.region == Region(10, 20, 60, 40)


def test_control_makes_ten_pixels_of_one(overlay: Overlay) -> None:
    drag(overlay.panes[0], (50, 40), (150, 90))
    QTest.keyClick(overlay.panes[0], Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert overlay.panes[0].marking.region == Region(60, 40, 100, 50)


def test_nothing_but_what_changes_is_painted_in_a_drag(overlay: Overlay) -> None:
    pane = overlay.panes[0]
    painted: list[int] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                region = event.region()
                painted.append(sum(r.width() * r.height() for r in list(region)))  # type: ignore[call-overload]
            return False

    QTest.mousePress(pane, LEFT, pos=QPoint(10, 10))
    QTest.mouseMove(pane, QPoint(200, 150))
    QApplication.processEvents()
    watch = Watch(pane)
    pane.installEventFilter(watch)
    QTest.mouseMove(pane, QPoint(202, 152))
    QApplication.processEvents()
    QTest.mouseRelease(pane, LEFT, pos=QPoint(202, 152))
    assert painted and painted[0] < 0.7 * 400 * 300


def test_what_was_painted_in_parts_looks_as_painted_at_once(overlay: Overlay) -> None:
    pane = overlay.panes[0]
    dirty: list[QRegion] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                dirty.append(QRegion(event.region()))
            return False

    watch = Watch(pane)
    kept, whole = (QImage(400, 300, QImage.Format.Format_RGB32) for _ in range(2))
    pane.render(kept)
    QTest.mousePress(pane, LEFT, pos=QPoint(30, 30))
    for x, y in ((120, 90), (300, 200), (90, 250), (20, 15), (250, 120)):
        dirty.clear()
        pane.installEventFilter(watch)
        QTest.mouseMove(pane, QPoint(x, y))
        QApplication.processEvents()
        pane.removeEventFilter(watch)
        for region in dirty:
            pane.render(kept, region.boundingRect().topLeft(), region)
        pane.render(whole)
        assert kept == whole, (x, y)
    QTest.mouseRelease(pane, LEFT, pos=QPoint(250, 120))


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
    assert taken(chosen) == [(0, Region(101, 75, 200, 150))]


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
    pane = Pane(Still("one", image, QRect(0, 0, 300, 200)), None, "Attach")
    pane.resize(300, 200)
    pane.settle(pane.marking.drag(100, 50, 250, 180))
    shown = pane.grab().toImage()
    if shown.width() == 300:
        assert shown.pixelColor(150, 100).lightness() == 255
        assert shown.pixelColor(151, 100).lightness() == 0
    pane.deleteLater()


def test_the_lens_names_the_colour_under_the_pointer(qt: QApplication) -> None:
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(QColor("#0f7b6c"))
    assert lens.colour(image, QPoint(1, 1)) == "#0F7B6C"
    assert lens.colour(image, QPoint(4, 4)) == ""


@given(st.integers(0, 799), st.integers(0, 599))
def test_the_lens_stands_on_the_screen_and_never_under_the_pointer(x: int, y: int) -> None:
    room = QRect(0, 0, 800, 600)
    box = lens.place(QPoint(x, y), room)
    assert room.contains(box)
    assert not box.contains(QPoint(x, y))


numbers = st.integers(-500, 1500)


steps_of_a_hand = st.sampled_from(["drag", "move", "grow", "pull", "put"])


@given(st.lists(st.tuples(steps_of_a_hand, numbers, numbers)))
def test_a_region_never_leaves_its_picture(steps: list[tuple[str, int, int]]) -> None:
    marking = Marking(640, 480)
    for what, x, y in steps:
        match what:
            case "drag":
                marking = marking.drag(x, y, y, x)
            case "move":
                marking = marking.move(x, y)
            case "pull":
                grip = (1 if x > y else -1, (x > 300) - (y > 300))
                marking = marking.pull(grip, x, y)
            case "put":
                marking = marking.put(Region(x % 600 - 90, y % 400 - 90, 700, 500))
            case _:
                marking = marking.grow(x, y)
        at = marking.region
        assert at is not None
        assert at.x >= 0 and at.y >= 0 and at.width >= 1 and at.height >= 1
        assert at.x + at.width <= 640 and at.y + at.height <= 480
