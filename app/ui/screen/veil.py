"""A frozen screen on its window, pixel for pixel: veiled, but for the part that is looked at; knows
which parts must be painted anew when that part changes, and no key and no mouse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QRegion, QTransform

from app.ui.theme import DARK

VEIL = QColor(0, 0, 0, 140)  # 0.55
GRIP, EDGE = 9, 2  # px: a handle, the line around
_SLACK = 2  # px by which a window may be off its screen's pixels, for scales such as 1.25
_ROOM = GRIP + EDGE  # px around a part that its line and handles need


class Veil:
    """Draws in the window's own pixels; parts are given in those of the picture, places of the
    window in logical ones. The veil is laid over what is drawn, never over a copy of the screen
    beforehand: that copy took a third of the time until the overlay stood there."""

    def __init__(self, image: QImage) -> None:
        self._image = self._bright = image
        self._ratio = 1.0  # window pixels a logical one
        self._zoom = 1.0  # window pixels one of the picture

    def fit(self, size: QSize, ratio: float) -> None:
        """For a window of `size` logical pixels. Where it hasn't as many pixels as the picture,
        the picture is scaled here, once."""
        self._ratio = ratio
        across, down = round(size.width() * ratio), round(size.height() * ratio)
        if abs(across - self._image.width()) <= _SLACK and (
            abs(down - self._image.height()) <= _SLACK
        ):
            self._zoom = 1.0
            return
        self._zoom = across / self._image.width()
        if self._bright.width() != across:
            smooth = Qt.TransformationMode.SmoothTransformation
            whole = Qt.AspectRatioMode.IgnoreAspectRatio
            self._bright = self._image.scaled(across, down, whole, smooth)

    @property
    def scale(self) -> float:
        """Picture pixels a logical one."""
        return self._ratio / self._zoom

    def logical(self, part: QRect) -> QRectF:
        """Where a part of the picture stands on the window."""
        corner, size = part.topLeft().toPointF(), part.size().toSizeF()
        return QRectF(corner / self.scale, QSizeF(size.width(), size.height()) / self.scale)

    # --- what is drawn ----------------------------------------------------------------------

    def paint(self, painter: QPainter, dirty: QRegion, lit: QRect | None) -> None:
        """The still where `dirty` says, bright in `lit`."""
        painter.save()
        painter.setWorldTransform(QTransform.fromScale(1 / self._ratio, 1 / self._ratio))
        bright = QRegion() if lit is None else QRegion(self._own(lit))
        for rect in _rects(dirty):
            part = self._outward(rect)
            painter.drawImage(part.topLeft(), self._bright, part)
            for dark in _rects(QRegion(part).subtracted(bright)):
                painter.fillRect(dark, VEIL)
        painter.restore()

    def outline(self, painter: QPainter, lit: QRect, *, grips: bool) -> None:
        """The line around a part, just outside it, and its handles."""
        box = self.logical(lit)
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = EDGE / 2
        painter.setPen(QPen(QColor(0, 0, 0, 110), 1))
        around = box.adjusted(-EDGE - 0.5, -EDGE - 0.5, EDGE + 0.5, EDGE + 0.5)
        painter.drawRect(around)
        painter.setPen(QPen(QColor(DARK.accent), EDGE))
        painter.drawRect(box.adjusted(-half, -half, half, half))
        if grips:
            self._draw_grips(painter, box)
        painter.restore()

    def _draw_grips(self, painter: QPainter, box: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(DARK.on_accent), 1.5))
        painter.setBrush(QColor(DARK.accent))
        middle, half = box.center(), GRIP / 2
        across = (box.left(), middle.x(), box.right()) if box.width() > 3 * GRIP else _ends(box, 0)
        down = (box.top(), middle.y(), box.bottom()) if box.height() > 3 * GRIP else _ends(box, 1)
        for x in across:
            for y in down:
                if (x, y) != (middle.x(), middle.y()):
                    painter.drawEllipse(QRectF(x - half, y - half, GRIP, GRIP))

    # --- what must be drawn -----------------------------------------------------------------

    def changed(self, before: QRect | None, now: QRect | None) -> QRegion:
        """What of the window looks different with another part lit."""
        if before == now:
            return QRegion()
        inside = self._region(before).xored(self._region(now))
        return inside.united(self.frame(before)).united(self.frame(now))

    def frame(self, lit: QRect | None) -> QRegion:
        """The line and the handles around a part."""
        if lit is None:
            return QRegion()
        box = self.logical(lit).toAlignedRect()
        out = box.adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)
        return QRegion(out).subtracted(QRegion(box.adjusted(_ROOM, _ROOM, -_ROOM, -_ROOM)))

    def _region(self, lit: QRect | None) -> QRegion:
        return QRegion() if lit is None else QRegion(self.logical(lit).toAlignedRect())

    def _own(self, part: QRect) -> QRect:
        """A part of the picture in the window's pixels."""
        if self._zoom == 1.0:
            return part
        corner = QPoint(round(part.x() * self._zoom), round(part.y() * self._zoom))
        right = round((part.x() + part.width()) * self._zoom)
        bottom = round((part.y() + part.height()) * self._zoom)
        return QRect(corner, QSize(right - corner.x(), bottom - corner.y()))

    def _outward(self, rect: QRect) -> QRect:
        """A part of the window in its pixels, whole ones."""
        box = QRectF(rect.topLeft().toPointF() * self._ratio, rect.size().toSizeF() * self._ratio)
        return box.toAlignedRect().intersected(self._bright.rect())


def _ends(box: QRectF, axis: int) -> tuple[float, float]:
    return (box.top(), box.bottom()) if axis else (box.left(), box.right())


def _rects(region: QRegion) -> Iterable[QRect]:
    return cast(Iterable[QRect], region)  # Qt's own iteration, which its stubs leave out
