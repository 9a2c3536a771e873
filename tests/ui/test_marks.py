"""Marks: where they are, how they are moved and undone, and that a picture holds what was drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtWidgets import QApplication

from app.ui.screen.hand import SIZES, WIDTHS, Hand
from app.ui.screen.ink import Mosaic, burn, paint
from app.ui.screen.marks import (
    Arrow,
    Box,
    Label,
    Mark,
    Number,
    Pen,
    Pixelate,
    Redact,
    Sheet,
    Style,
    bounds,
    hit,
    moved,
    touched,
)
from app.vocabulary import Region

RED = Style("#E5484D", 4, 22)
WHOLE = Region(0, 0, 400, 300)


def stroke(*points: tuple[float, float], style: Style = RED) -> Pen:
    made = Pen.begin(*points[0], style)
    for point in points[1:]:
        made = made.on(*point)
    return made


MARKS: tuple[Mark, ...] = (
    Box(50, 40, 200, 120, RED),
    Arrow(300, 200, 120, 90, RED),
    stroke((60, 60), (120, 80), (160, 160), (80, 200)),
    Label(80, 100, "one\ntwo 三", RED),
    Number(200, 150, 12, RED),
    Redact(Region(100, 60, 40, 30)),
    Pixelate(Region(96, 48, 72, 48), 24),
)


def paper() -> QImage:
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    return image


def inked(image: QImage) -> QRect:
    """The rectangle around all that is not white."""
    spots = [
        (x, y)
        for y in range(image.height())
        for x in range(image.width())
        if image.pixel(x, y) != 0xFFFFFFFF
    ]
    xs, ys = [x for x, _ in spots], [y for _, y in spots]
    return QRect(min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)


@pytest.mark.parametrize("mark", MARKS[:-1], ids=lambda mark: type(mark).__name__)
def test_nothing_is_drawn_outside_of_what_is_drawn_anew(look: object, mark: Mark) -> None:
    made = burn(paper(), WHOLE, (mark,))
    assert bounds(mark).toAlignedRect().contains(inked(made))
    region = touched(mark)
    for y in range(made.height()):
        for x in range(made.width()):
            if made.pixel(x, y) != 0xFFFFFFFF:
                assert region.contains(QRect(x, y, 1, 1)), (x, y)


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: type(mark).__name__)
def test_a_mark_is_drawn_where_it_was_moved_to(look: object, mark: Mark) -> None:
    there = moved(mark, 24, 48)
    assert bounds(there) == bounds(mark).translated(24, 48)
    assert moved(there, -24, -48) == mark


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: type(mark).__name__)
def test_a_mark_drawn_in_parts_is_the_same_picture(look: object, mark: Mark) -> None:
    image = paper()
    mosaic = Mosaic(image)
    whole = burn(image, WHOLE, (mark,))
    parts = image.copy()
    for left in range(0, 400, 50):
        painter = QPainter(parts)
        clip = QRect(left, 0, 50, 300)
        painter.setClipRect(clip)
        paint(painter, (mark,), mosaic, QRegion(clip))
        painter.end()
    worst = max(
        abs(whole.pixelColor(x, y).value() - parts.pixelColor(x, y).value())
        for x in range(0, 400, 2)
        for y in range(0, 300, 2)
    )
    assert worst <= 40  # an edge may be smoothed otherwise where two parts meet


def test_a_long_stroke_drawn_while_it_grows_is_the_stroke(look: object) -> None:
    hand = Hand(400, 300, 1.0)
    hand.take("pen")
    image = paper()
    mosaic = Mosaic(image)
    shown = image.copy()
    hand.press(20, 150)
    for at in range(1, 120):
        around = hand.move(20 + at * 3, 150 + 60 * ((at % 20) - 10) / 10)
        painter = QPainter(shown)
        painter.setClipRegion(around)
        painter.drawImage(0, 0, image)
        paint(painter, hand.shown(), mosaic, around)
        painter.end()
    hand.release()
    made = burn(image, WHOLE, hand.sheet.marks)
    missing = sum(
        made.pixel(x, y) != 0xFFFFFFFF and shown.pixel(x, y) == 0xFFFFFFFF
        for x in range(400)
        for y in range(300)
    )
    assert missing == 0


def test_a_box_is_hit_on_its_edge_and_not_inside(qt: QApplication) -> None:
    box = Box(50, 40, 200, 120, RED)
    assert hit(box, 51, 80, 5)
    assert not hit(box, 120, 80, 5)
    assert hit(Redact(Region(50, 40, 100, 80)), 100, 80, 0)
    assert hit(stroke((10, 10), (100, 100)), 55, 57, 2)
    assert not hit(stroke((10, 10), (100, 100)), 55, 77, 2)


@given(st.lists(st.sampled_from(["add", "remove", "undo", "redo"]), max_size=30))
def test_every_step_can_be_undone_and_done_again(deeds: list[str]) -> None:
    sheet, seen = Sheet(), [Sheet().marks]
    for deed in deeds:
        before = sheet
        if deed == "add":
            sheet = sheet.add(Number(len(sheet.marks), 0, sheet.next_number(), RED))
        elif deed == "remove" and sheet.marks:
            sheet = sheet.swap(sheet.marks[0], None)
        elif deed == "undo":
            sheet = sheet.undo()
            assert not before.before or sheet.redo().marks == before.marks
            continue
        elif deed == "redo":
            sheet = sheet.redo()
            assert not before.after or sheet.undo().marks == before.marks
            continue
        else:
            continue
        assert sheet.undo().marks == before.marks
        seen.append(sheet.marks)
    while sheet.before:
        sheet = sheet.undo()
    assert sheet.marks == ()


# --- what a hand does -----------------------------------------------------------------------


@pytest.fixture
def hand(qt: QApplication) -> Hand:
    made = Hand(400, 300, 1.0)
    made.enter(Region(50, 50, 200, 150))
    return made


def draw(hand: Hand, tool: str, *points: tuple[float, float], straight: bool = False) -> Mark:
    hand.tool = "move"
    hand.take(tool)
    hand.press(*points[0])
    for point in points[1:]:
        hand.move(*point, straight=straight)
    hand.release()
    return hand.sheet.marks[-1]


def test_a_mark_stays_inside_the_selection(hand: Hand) -> None:
    assert draw(hand, "box", (60, 60), (390, 290)) == Box(60, 60, 250, 200, hand.style)


def test_a_click_with_the_box_or_the_black_is_no_mark(hand: Hand) -> None:
    for tool in ("box", "arrow", "redact"):
        hand.tool = "move"
        hand.take(tool)
        hand.press(60, 60)
        hand.move(61, 61)
        hand.release()
    assert hand.sheet.marks == ()


def test_numbers_count_on_and_fill_up_after_an_undo(hand: Hand) -> None:
    values = []
    for at in range(3):
        mark = draw(hand, "number", (60 + 30 * at, 60))
        values.append(mark.value if isinstance(mark, Number) else 0)
    hand.undo()
    mark = draw(hand, "number", (160, 60))
    assert values == [1, 2, 3]
    assert isinstance(mark, Number)
    assert mark.value == 3


def test_shift_makes_a_square_and_a_whole_angle(hand: Hand) -> None:
    box = draw(hand, "box", (60, 60), (100, 80), straight=True)
    arrow = draw(hand, "arrow", (60, 60), (120, 66), straight=True)
    assert isinstance(box, Box)
    assert (box.x2, box.y2) == (100, 100)
    assert isinstance(arrow, Arrow)
    assert arrow.y2 == pytest.approx(60)


def test_black_is_whole_pixels_all_that_were_touched(hand: Hand) -> None:
    assert draw(hand, "redact", (60.4, 60.6), (80.1, 90.9)) == Redact(Region(60, 60, 21, 31))


def test_a_mark_is_taken_up_moved_and_taken_away(hand: Hand) -> None:
    box = draw(hand, "box", (60, 60), (120, 100))
    hand.take("move")
    hand.press(60, 80)
    hand.move(70, 95)
    hand.release()
    assert hand.sheet.marks == (moved(box, 10, 15),)
    hand.nudge(-1, 0)
    assert hand.sheet.marks == (moved(box, 9, 15),)
    hand.remove()
    assert hand.sheet.marks == ()
    for _ in range(3):
        hand.undo()
    assert hand.sheet.marks == (box,)


@given(st.integers(-500, 500), st.integers(-500, 500))
def test_blocks_that_are_moved_stay_whole_and_in_the_picture(dx: int, dy: int) -> None:
    hand = Hand(400, 300, 1.0)
    draw(hand, "pixelate", (100, 100), (180, 150))
    hand.take("move")
    hand.press(120, 120)
    hand.move(120 + dx, 120 + dy)
    hand.release()
    (mark,) = hand.sheet.marks
    assert isinstance(mark, Pixelate)
    at, block = mark.region, mark.block
    assert at.x % block == 0
    assert at.y % block == 0
    assert at.x >= 0
    assert at.y >= 0
    assert (at.x + at.width) % block == 0 or at.x + at.width == 400
    assert (at.y + at.height) % block == 0 or at.y + at.height == 300


def test_a_colour_chosen_later_is_the_chosen_marks(hand: Hand) -> None:
    draw(hand, "box", (60, 60), (120, 100))
    hand.take("move")
    hand.press(60, 80)
    hand.release()
    hand.colour, hand.weight = "#FFD60A", 2
    hand.restyle()
    (box,) = hand.sheet.marks
    assert isinstance(box, Box)
    assert box.style == Style("#FFD60A", WIDTHS[2], SIZES[2])


def test_an_empty_text_is_no_mark_and_a_text_emptied_is_taken_away(hand: Hand) -> None:
    hand.write(60, 60, "  ")
    assert hand.sheet.marks == ()
    hand.write(60, 60, "here")
    (label,) = hand.sheet.marks
    assert isinstance(label, Label)
    hand.write(60, 60, "", label)
    assert hand.sheet.marks == ()


def test_on_a_fine_screen_lines_are_as_thick_for_the_eye(qt: QApplication) -> None:
    assert Hand(800, 600, 2.0).style.width == 2 * Hand(400, 300, 1.0).style.width
