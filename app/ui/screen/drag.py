"""A drag with the mouse over a picture: what it marks, moves or pulls, in the picture's pixels;
knows no widget and no event."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from app.ui.screen.marking import Grip, Marking

TREMBLE = 4  # logical px a hand moves while it clicks
REACH = 9  # logical px around an edge in which it can be held


class Drag:
    """From `press` to `release`. `begun` once the hand has really moved."""

    def __init__(self) -> None:
        self.pointer: QPointF | None = None  # None: not on the picture
        self.begun = False
        self._from: QPointF | None = None
        self._held: Marking | None = None  # what was marked, if that is moved or pulled
        self._grip: Grip | None = None

    @property
    def pressed(self) -> bool:
        return self._from is not None

    @property
    def holds(self) -> bool:
        """Whether what was marked was taken hold of."""
        return self._held is not None

    def press(self, at: QPointF, marking: Marking, scale: float) -> None:
        self.pointer = self._from = at
        self.begun = False
        self._grip = marking.grip(at.x(), at.y(), REACH * scale)
        held = self._grip is not None or marking.holds(at.x(), at.y())
        self._held = marking if held else None

    def move(self, at: QPointF, scale: float, *, along: bool = False) -> None:
        """`along`: what is being marked goes along as a whole."""
        before, self.pointer = self.pointer, at
        if self._from is None:
            return
        if (at - self._from).manhattanLength() >= TREMBLE * scale:
            self.begun = True
        if along and self.begun and self._held is None and before is not None:
            self._from += at - before

    def drawn(self, marking: Marking) -> Marking:
        """What is marked now."""
        if self._from is None or self.pointer is None:
            return marking
        at = self.pointer
        if self._held is None:
            return marking.drag(self._from.x(), self._from.y(), at.x(), at.y())
        if self._grip is not None:
            return self._held.pull(self._grip, at.x(), at.y())
        by = at - self._from
        return self._held.move(round(by.x()), round(by.y()))

    def release(self) -> None:
        self._from = self._held = self._grip = None
        self.begun = False
