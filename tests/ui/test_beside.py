"""Where the quick window stands: beside what was marked, and never off its screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize

from app.ui.popup.beside import GAP, Stand, beside, grown

ROOM = QRect(0, 0, 1280, 800)
SIZE = QSize(460, 250)
TALL = 640

rooms = st.builds(
    QRect,
    st.integers(-4000, 4000),
    st.integers(-3000, 3000),
    st.integers(320, 4000),
    st.integers(240, 2400),
)
marks = st.builds(
    QRect,
    st.integers(-4500, 8500),
    st.integers(-3500, 5500),
    st.integers(1, 4500),
    st.integers(1, 2600),
)
sizes = st.builds(QSize, st.integers(100, 1200), st.integers(80, 1200))


@given(marks, sizes, st.integers(80, 2000), rooms)
def test_it_never_stands_off_its_screen(marked: QRect, size: QSize, tall: int, room: QRect) -> None:
    stand = beside(marked, size, tall, room)
    assert room.contains(stand.place)
    assert stand.place.size() == size.boundedTo(room.size())


@given(marks, sizes, rooms, st.integers(80, 3000))
def test_it_grows_within_its_screen(marked: QRect, size: QSize, room: QRect, height: int) -> None:
    stand = beside(marked, size, height, room)
    after = grown(stand, height, room)
    assert room.contains(after.place)
    assert after.place.height() == min(height, room.height())


@given(marks, sizes, rooms, st.integers(80, 2000))
def test_it_covers_what_was_marked_only_where_no_side_has_room(
    marked: QRect, size: QSize, room: QRect, tall: int
) -> None:
    place = beside(marked, size, tall, room).place
    if room.contains(marked) and place.intersects(marked):
        wide, high = place.width() + GAP, place.height() + GAP
        assert marked.right() + wide > room.right()
        assert marked.left() - wide < room.left()
        assert marked.bottom() + high > room.bottom()
        assert marked.top() - high < room.top()


def test_the_right_side_comes_first_at_the_height_of_the_mark() -> None:
    place = beside(QRect(100, 200, 300, 100), SIZE, TALL, ROOM).place
    assert place.topLeft() == QPoint(100 + 300 + GAP, 200)


def test_then_the_left_side() -> None:
    place = beside(QRect(900, 200, 300, 100), SIZE, TALL, ROOM).place
    assert place.right() + 1 + GAP == 900


def test_then_below() -> None:
    stand = beside(QRect(200, 10, 900, 100), SIZE, TALL, ROOM)
    assert stand.place.top() == 110 + GAP and not stand.rises


def test_then_above_where_it_grows_upwards() -> None:
    marked = QRect(200, 690, 900, 100)
    stand = beside(marked, SIZE, TALL, ROOM)
    assert stand.place.bottom() + 1 + GAP == 690
    taller = grown(stand, 500, ROOM)
    assert taller.place.bottom() == stand.place.bottom()
    assert not taller.place.intersects(marked)


def test_a_whole_screen_has_it_inside_in_the_far_corner() -> None:
    place = beside(ROOM, SIZE, TALL, ROOM).place
    assert place.right() > 1200 and place.bottom() > 740


def test_one_that_would_grow_over_the_edge_moves_up() -> None:
    stand = beside(QRect(100, 500, 300, 200), SIZE, TALL, ROOM)
    assert stand.place.top() == 500
    assert grown(stand, TALL, ROOM).place.bottom() == ROOM.bottom()


def test_a_screen_left_of_the_origin_is_a_screen_like_any_other() -> None:
    room = QRect(-1920, -200, 1920, 1080)
    place = beside(QRect(-1800, 0, 200, 200), SIZE, TALL, room).place
    assert place.left() == -1600 + GAP


def test_what_is_larger_than_the_screen_is_cut_to_it() -> None:
    small = QRect(0, 0, 300, 200)
    assert beside(QRect(10, 10, 50, 50), SIZE, TALL, small) == Stand(small)
