"""Where a bar stands beside a box on a screen; pure arithmetic in logical pixels."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPoint, QRect, QSize

Side = Literal["below", "above", "right", "left", "inside"]
GAP = 8  # px to the selection
TAG = 34  # px above the selection that belong to the label of its size


def stand(bar: QSize, box: QRect, room: QRect) -> tuple[QPoint, Side]:
    """Where a bar of that size stands beside `box`: below it, above, right or left of it, and
    inside only where there is no room around; never out of `room`."""
    free = room.adjusted(GAP, GAP, -GAP, -GAP)
    last = QPoint(free.right() + 1 - bar.width(), free.bottom() + 1 - bar.height())
    x = max(free.left(), min(box.right() + 1 - bar.width(), last.x()))
    y = max(free.top(), min(box.top(), last.y()))
    below, above = box.bottom() + 1 + GAP, box.top() - TAG - bar.height()
    right, left = box.right() + 1 + GAP, box.left() - GAP - bar.width()
    if below <= last.y():
        return QPoint(x, max(below, free.top())), "below"
    if above >= free.top():
        return QPoint(x, above), "above"
    if right <= last.x():
        return QPoint(right, y), "right"
    if left >= free.left():
        return QPoint(left, y), "left"
    inner = min(box.right() + 1 - GAP - bar.width(), last.x())
    lower = min(box.bottom() + 1 - GAP - bar.height(), last.y())
    return QPoint(max(room.left(), inner), max(room.top(), lower)), "inside"
