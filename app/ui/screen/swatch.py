"""A colour, or the width of a line, as a small button to choose it by; knows no mark."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton

SIDE = 28  # px


class Swatch(QToolButton):
    """A colour, or a width, that is chosen by clicking on it."""

    def __init__(self, name: str, colour: str | None, width: float) -> None:
        super().__init__()
        self._colour, self._width = colour, width
        self.setCheckable(True)
        self.setFixedSize(SIDE, SIDE)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)
        self.setToolTip(name)

    def paint(self, colour: str) -> None:
        """Another colour: the theme's accent has changed."""
        self._colour = colour
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.rect().toRectF().center()
        ink = self.palette().text().color()
        painter.setBrush(QColor(self._colour) if self._colour else ink)
        painter.setPen(QPen(ink, 1) if self._colour else Qt.PenStyle.NoPen)
        painter.drawEllipse(middle, self._width, self._width)
