"""Windows with round corners where nothing lays see-through ones over others: there see-through
corners would be black, so they are cut off; knows no window."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBitmap, QPainter, QPainterPath, QRegion
from PySide6.QtWidgets import QWidget


def card(widget: QWidget, radius: float, inset: int = 0) -> QPainterPath:
    """Its shape, or that of what lies inside an edge of `inset` pixels."""
    path = QPainterPath()
    box = QRectF(widget.rect()).adjusted(inset, inset, -inset, -inset)
    path.addRoundedRect(box, radius - inset, radius - inset)
    return path


def cut(widget: QWidget, radius: float) -> None:
    """Takes its corners off; to be called whenever its size has changed."""
    shape = QBitmap(widget.size())
    shape.clear()
    painter = QPainter(shape)
    painter.fillPath(card(widget, radius), Qt.GlobalColor.color1)
    painter.end()
    widget.setMask(QRegion(shape))
