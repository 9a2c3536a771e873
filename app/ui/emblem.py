"""The mark as it stands in a desktop's panel, and what it shows of a recording; knows no tray."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.ui.assets import MARK

RecordState = Literal["idle", "waiting", "recording", "paused"]

# a panel is light or dark whatever the program's theme is, and none tells: seen on both
TEAL = "#159A86"
RED = "#E5484D"
SIZES = (16, 20, 22, 24, 32, 44, 48, 64)  # px
_OWN = "#0F7B6C"  # the colour of the mark's file
_DOT = 0.27  # of the icon's side: the red disc's radius
_GAP = 0.08  # of it: what is left out around the disc


def emblem(state: RecordState = "idle") -> QIcon:
    """The icon for the tray: with a red disc while the screen is recorded, a ring while that is
    paused or about to begin."""
    svg = (MARK / "sightline.svg").read_text(encoding="utf-8").replace(_OWN, TEAL)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(_drawn(renderer, size, state))
    return icon


def _drawn(renderer: QSvgRenderer, size: int, state: RecordState) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size, size))
    if state != "idle":
        _mark(painter, size, solid=state == "recording")
    painter.end()
    return pixmap


def _mark(painter: QPainter, size: int, *, solid: bool) -> None:
    radius = _DOT * size
    middle = QPointF(size - radius, size - radius)
    hole = QPainterPath()
    hole.addEllipse(middle, radius + _GAP * size, radius + _GAP * size)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.fillPath(hole, Qt.GlobalColor.black)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    if solid:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(RED))
        painter.drawEllipse(middle, radius, radius)
    else:
        width = max(2.0, size / 9)
        painter.setPen(QPen(QColor(RED), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, radius - width / 2, radius - width / 2)
