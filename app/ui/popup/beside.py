"""Where a small window stands beside what was marked: rectangles in, rectangles out; knows no
window and no screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize

GAP = 8  # px between what was marked and the window
INSET = 16  # px from the edges where it can only stand inside


@dataclass(frozen=True, slots=True)
class Stand:
    """A window's place; `rises`: it stands above what was marked and grows upwards."""

    place: QRect
    rises: bool = False


def beside(marked: QRect, size: QSize, tall: int, room: QRect) -> Stand:
    """Right of what was marked, else left, below, above it, else inside of it; never outside the
    room. A window of `size` that may grow to be `tall` stands where it can."""
    size = size.boundedTo(room.size())
    tall = min(max(tall, size.height()), room.height())
    for stand in _stands(marked, size, tall, room):
        if room.contains(stand.place):
            return stand
    seen = marked.intersected(room) if marked.intersects(room) else room
    far = seen.bottomRight() - QPoint(size.width() + INSET - 1, size.height() + INSET - 1)
    return Stand(held(QRect(far, size), room))


def grown(stand: Stand, height: int, room: QRect) -> Stand:
    """The same window at another height."""
    place = QRect(stand.place)
    place.setHeight(min(height, room.height()))
    if stand.rises:
        place.moveBottom(stand.place.bottom())
    return Stand(held(place, room), stand.rises)


def held(place: QRect, room: QRect) -> QRect:
    """The rectangle moved into the room, cut where it is larger."""
    size = place.size().boundedTo(room.size())
    x = min(max(place.x(), room.left()), room.right() + 1 - size.width())
    y = min(max(place.y(), room.top()), room.bottom() + 1 - size.height())
    return QRect(QPoint(x, y), size)


def _stands(marked: QRect, size: QSize, tall: int, room: QRect) -> Iterator[Stand]:
    level = held(QRect(marked.topLeft(), size), room)
    right, left = QRect(level), QRect(level)
    right.moveLeft(marked.right() + 1 + GAP)
    left.moveRight(marked.left() - 1 - GAP)
    yield Stand(right)
    yield Stand(left)
    below, above = QRect(level), QRect(level)
    below.moveTop(marked.bottom() + 1 + GAP)
    above.moveBottom(marked.top() - 1 - GAP)
    if below.top() + tall <= room.bottom() + 1:
        yield Stand(below)
    if above.bottom() + 1 - tall >= room.top():
        yield Stand(above, rises=True)
    yield Stand(below)
    yield Stand(above, rises=True)
