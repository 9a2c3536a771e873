"""Where a border and a bar stand around a part of the desktop; pure: knows screens as rectangles.

Qt leaves a screen's corner where the system has it and divides only its size by its scale, on X11
and on Windows; a Mac counts in logical pixels everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize

from app.vocabulary import Region

AWAY = 12  # px between the area and the bar
EDGE = 8  # px between the bar and the end of the screen


@dataclass(frozen=True, slots=True)
class Ground:
    """A screen: its place in Qt's pixels, that part of it which no panel covers, and how many of
    the desktop's pixels one of them is."""

    place: QRect
    free: QRect
    scale: float

    @property
    def native(self) -> Region:
        size = self.place.size()
        width, height = round(size.width() * self.scale), round(size.height() * self.scale)
        return Region(self.place.x(), self.place.y(), width, height)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a bar stands; `outside` says that it covers nothing of the area."""

    corner: QPoint
    outside: bool


def ground_of(region: Region, grounds: Sequence[Ground]) -> Ground:
    """The screen that shows most of it."""
    return max(grounds, key=lambda ground: _shared(ground.native, region))


def logical(region: Region, ground: Ground) -> QRect:
    """The smallest rectangle of Qt's pixels that covers a region of the desktop."""
    origin, scale = ground.place.topLeft(), ground.scale
    left = origin.x() + math.floor((region.x - origin.x()) / scale)
    top = origin.y() + math.floor((region.y - origin.y()) / scale)
    right = origin.x() + math.ceil((region.x + region.width - origin.x()) / scale)
    bottom = origin.y() + math.ceil((region.y + region.height - origin.y()) / scale)
    return QRect(left, top, right - left, bottom - top)


def physical(rect: QRect, ground: Ground) -> Region:
    """The desktop's pixels that a rectangle of Qt's covers."""
    origin, scale = ground.place.topLeft(), ground.scale
    left = origin.x() + math.floor((rect.x() - origin.x()) * scale)
    top = origin.y() + math.floor((rect.y() - origin.y()) * scale)
    right = origin.x() + math.ceil((rect.x() + rect.width() - origin.x()) * scale)
    bottom = origin.y() + math.ceil((rect.y() + rect.height() - origin.y()) * scale)
    return Region(left, top, right - left, bottom - top)


def spot(area: QRect, size: QSize, ground: Ground, others: Sequence[Ground] = ()) -> Spot:
    """Below the area, above it, beside it, on another screen; where nothing of that has room, at
    the bottom of the area itself."""
    outside = _outside(area, size, ground.free)
    if outside is not None:
        return Spot(outside, True)
    for other in others:
        if not other.place.intersects(area):
            return Spot(_low(other.free, size), True)
    return Spot(_low(area.intersected(ground.free), size), False)


def _outside(area: QRect, size: QSize, free: QRect) -> QPoint | None:
    across = area.center().x() - size.width() // 2
    down = area.center().y() - size.height() // 2
    corners = (
        QPoint(across, area.y() + area.height() + AWAY),
        QPoint(across, area.y() - AWAY - size.height()),
        QPoint(area.x() + area.width() + AWAY, down),
        QPoint(area.x() - AWAY - size.width(), down),
    )
    room = free.adjusted(EDGE, EDGE, -EDGE, -EDGE)
    for corner in corners:
        stands = QRect(_within(QRect(corner, size), room), size)
        if room.contains(stands) and not stands.intersects(area.adjusted(-EDGE, -EDGE, EDGE, EDGE)):
            return stands.topLeft()
    return None


def _low(room: QRect, size: QSize) -> QPoint:
    """In the middle of the lower end."""
    across = room.center().x() - size.width() // 2
    wanted = QRect(QPoint(across, room.y() + room.height() - size.height() - 2 * AWAY), size)
    return _within(wanted, room)


def _within(rect: QRect, room: QRect) -> QPoint:
    """Its corner after it was moved into the room, as far as it fits there."""
    x = max(room.x(), min(rect.x(), room.x() + room.width() - rect.width()))
    y = max(room.y(), min(rect.y(), room.y() + room.height() - rect.height()))
    return QPoint(x, y)


def _shared(one: Region, other: Region) -> int:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0, across) * max(0, down)
