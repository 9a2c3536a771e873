"""What the overlay says in pictures and figures: the pixels under the pointer enlarged, with their
colour, and how large a part is; knows no region and no mouse."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen

from app.ui.theme import DARK, SMALL

ACROSS, ZOOM = 17, 8  # picture pixels across, and times
SIDE = ACROSS * ZOOM
FOOT = 48  # px below, for the colour and the place
AWAY = 20  # px from the pointer
_GROUND, _INK, _SOFT = QColor("#1D1C1A"), QColor("#FFFFFF"), QColor("#B9B5AE")
_RADIUS = 8.0


def place(pointer: QPoint, room: QRect) -> QRect:
    """Where the lens stands: beside the pointer, on the side where there is room."""
    x, y = pointer.x() + AWAY, pointer.y() + AWAY
    if x + SIDE > room.right() - 4:
        x = pointer.x() - AWAY - SIDE
    if y + SIDE + FOOT > room.bottom() - 4:
        y = pointer.y() - AWAY - SIDE - FOOT
    return QRect(x, y, SIDE, SIDE + FOOT)


def colour(image: QImage, at: QPoint) -> str:
    """#RRGGBB; empty beside the picture."""
    return image.pixelColor(at).name().upper() if image.valid(at) else ""


def paint(painter: QPainter, box: QRect, image: QImage, at: QPoint) -> None:
    """The lens over the picture's pixel `at`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(255, 255, 255, 60), 1))
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    _draw_pixels(painter, QRect(box.topLeft(), QSize(SIDE, SIDE)), image, at)
    _draw_foot(painter, QRect(box.x(), box.y() + SIDE, SIDE, FOOT), colour(image, at), at)
    painter.restore()


def _draw_pixels(painter: QPainter, box: QRect, image: QImage, at: QPoint) -> None:
    inside = box.adjusted(4, 4, -4, 0)
    half = ACROSS // 2
    wanted = QRect(at.x() - half, at.y() - half, ACROSS, ACROSS)
    there = wanted.intersected(image.rect())
    painter.setClipRect(inside, Qt.ClipOperation.IntersectClip)
    painter.fillRect(inside, QColor("#000000"))
    corner = box.topLeft() + (there.topLeft() - wanted.topLeft()) * ZOOM
    painter.drawImage(QRect(corner, there.size() * ZOOM), image, there)
    middle = QRectF(box.x() + half * ZOOM, box.y() + half * ZOOM, ZOOM, ZOOM)
    painter.fillRect(QRectF(box.x(), middle.y(), SIDE, ZOOM), QColor(79, 209, 181, 56))
    painter.fillRect(QRectF(middle.x(), box.y(), ZOOM, SIDE), QColor(79, 209, 181, 56))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_GROUND, 3))
    painter.drawRect(middle)
    painter.setPen(QPen(QColor(DARK.accent), 1.5))
    painter.drawRect(middle)
    painter.setClipping(False)


def _draw_foot(painter: QPainter, box: QRect, name: str, at: QPoint) -> None:
    font = QFont(painter.font())
    font.setPixelSize(SMALL)
    painter.setFont(font)
    swatch = QRectF(box.x() + 10, box.y() + 8, 12, 12)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(255, 255, 255, 120), 1))
    painter.setBrush(QColor(name) if name else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(swatch, 3, 3)
    line = QRectF(box.x() + 28, box.y() + 4, box.width() - 34, 20)
    middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    painter.setPen(_INK)
    painter.drawText(line, middle, name)
    painter.setPen(_SOFT)
    painter.drawText(line.translated(0, 18), middle, f"{at.x()}, {at.y()}")


def plate(font: QFont, text: str, corner: QPointF) -> QRectF:
    """The room that a label with its top left corner there needs."""
    metrics = QFontMetrics(font)
    size = QSize(metrics.horizontalAdvance(text) + 16, metrics.height() + 8)
    return QRectF(corner, size.toSizeF())


def paint_label(painter: QPainter, box: QRectF, text: str) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(_INK)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
