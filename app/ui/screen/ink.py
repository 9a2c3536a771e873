"""Draws marks, on the screen while they are made and into the picture for good; knows no widget.

What hides is drawn from the picture alone, opaque and in whole pixels, so that in `burn`'s picture
nothing is left of what stood there.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2, cos, pi, sin
from typing import assert_never

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QRegion

from app.ui.screen.marks import (
    HALO,
    Arrow,
    Box,
    Label,
    Mark,
    Number,
    Pen,
    Pixelate,
    Redact,
    bounds,
    head,
    label_font,
    line_height,
    path_bounds,
    radius,
    rect,
)
from app.ui.theme import luminance
from app.vocabulary import Region

BLACK = QColor(0, 0, 0)
RUN = 24  # lines of a stroke that are drawn or left out together


class Mosaic:
    """The averages of a picture's blocks, in sixteen levels of each colour: what an average still
    tells is rounded away. Reckoned when first asked for and then kept."""

    def __init__(self, image: QImage) -> None:
        self._image = image
        self._small: dict[int, QImage] = {}

    def of(self, block: int) -> QImage:
        """One pixel a block."""
        if block not in self._small:
            self._small[block] = _averages(self._image, block)
        return self._small[block]


def _averages(image: QImage, block: int) -> QImage:
    across, down = -(-image.width() // block), -(-image.height() // block)
    whole = image
    if (across * block, down * block) != (image.width(), image.height()):
        # blocks at the edges repeat the last pixels, so that all have one size
        whole = QImage(across * block, down * block, QImage.Format.Format_RGB32)
        painter = QPainter(whole)
        painter.drawImage(whole.rect(), image.copy(image.rect()))
        painter.drawImage(0, 0, image)
        painter.end()
    smooth = Qt.TransformationMode.SmoothTransformation
    ratio = Qt.AspectRatioMode.IgnoreAspectRatio
    small = whole.scaled(QSize(across, down), ratio, smooth)
    plain = Qt.ImageConversionFlag.AvoidDither
    rounded = small.convertToFormat(QImage.Format.Format_RGB444, plain)
    return rounded.convertToFormat(QImage.Format.Format_RGB32)


def burn(
    image: QImage, region: Region, marks: Iterable[Mark], mosaic: Mosaic | None = None
) -> QImage:
    """The region of the picture with the marks in it for good; `mosaic` is that of the picture,
    where it is known already."""
    made = image.copy(rect(region)).convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(made)
    painter.translate(-region.x, -region.y)
    paint(painter, marks, mosaic or Mosaic(image), QRegion(rect(region)))
    painter.end()
    return made


def paint(painter: QPainter, marks: Iterable[Mark], mosaic: Mosaic, clip: QRegion) -> None:
    """Draws what of the marks touches `clip`; the painter counts in the picture's pixels."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    black: list[Redact] = []
    for mark in marks:
        if clip.intersects(bounds(mark).toAlignedRect()):
            _draw(painter, mark, mosaic, clip)
            if isinstance(mark, Redact):
                black.append(mark)
            elif isinstance(mark, Pixelate):  # it must not tell even the averages of what is black
                for under in black:
                    painter.fillRect(rect(under.region).intersected(rect(mark.region)), BLACK)


def _draw(painter: QPainter, mark: Mark, mosaic: Mosaic, clip: QRegion) -> None:
    match mark:
        case Box():
            painter.setPen(_pen(mark.style.colour, mark.style.width, Qt.PenJoinStyle.RoundJoin))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            corners = QPointF(mark.x1, mark.y1), QPointF(mark.x2, mark.y2)
            painter.drawRect(QRectF(*corners).normalized())
        case Arrow():
            _draw_arrow(painter, mark)
        case Pen():
            _draw_stroke(painter, mark, clip)
        case Label():
            _draw_text(painter, mark)
        case Number():
            _draw_number(painter, mark)
        case Redact():
            painter.fillRect(rect(mark.region), BLACK)
        case Pixelate():
            _draw_blocks(painter, mark, mosaic, clip)
        case _:
            assert_never(mark)


def _pen(colour: str, width: float, join: Qt.PenJoinStyle) -> QPen:
    return QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, join)


def _draw_arrow(painter: QPainter, arrow: Arrow) -> None:
    turn = atan2(arrow.y2 - arrow.y1, arrow.x2 - arrow.x1)
    long = head(arrow)
    tip = QPointF(arrow.x2, arrow.y2)
    barbs = [
        tip - QPointF(long * cos(turn + side), long * sin(turn + side)) * 1.15
        for side in (-pi / 7, pi / 7)
    ]
    neck = tip - QPointF(long * cos(turn), long * sin(turn)) * 0.8
    painter.setPen(_pen(arrow.style.colour, arrow.style.width, Qt.PenJoinStyle.RoundJoin))
    painter.drawLine(QPointF(arrow.x1, arrow.y1), neck)
    painter.setPen(_pen(arrow.style.colour, 1, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(QColor(arrow.style.colour))
    painter.drawPolygon(QPolygonF([tip, barbs[0], neck, barbs[1]]))


def _draw_stroke(painter: QPainter, stroke: Pen, clip: QRegion) -> None:
    """Through the middles between its points, so that it has no corners; the runs that the clip
    leaves out cost nothing, however long the stroke is."""
    painter.setPen(_pen(stroke.style.colour, stroke.style.width, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    points = stroke.points
    if len(points) == 1:
        painter.drawPoint(QPointF(*points[0]))
    for start in range(0, len(points) - 1, RUN):
        run = points[max(0, start - 1) : start + RUN + 1]
        if clip.intersects(path_bounds(run, stroke.style.width).toAlignedRect()):
            painter.drawPath(_smooth(run, first=start == 0, last=start + RUN >= len(points) - 1))


def _smooth(points: tuple[tuple[float, float], ...], *, first: bool, last: bool) -> QPainterPath:
    """The curve between the middles of its first and last lines; from and to the very ends of the
    stroke where the run is one."""
    ends = [QPointF(*point) for point in points]
    path = QPainterPath(ends[0] if first else (ends[0] + ends[1]) / 2)
    for at in range(1, len(ends) - 1):
        path.quadTo(ends[at], (ends[at] + ends[at + 1]) / 2)
    if last:
        path.lineTo(ends[-1])
    return path


def against(colour: str) -> QColor:
    """What is read best on that colour: black or white."""
    return QColor("#1D1C1A") if luminance(colour) > 0.3 else QColor("#FFFFFF")


def _draw_text(painter: QPainter, label: Label) -> None:
    font = label_font(label.style.size)
    path = QPainterPath()
    base = label.y + line_height(label.style.size) * 0.78
    for row, line in enumerate(label.text.split("\n")):
        path.addText(QPointF(label.x, base + row * line_height(label.style.size)), font, line)
    halo = against(label.style.colour)
    width = 2 * HALO * label.style.size
    painter.strokePath(path, _pen(halo.name(), width, Qt.PenJoinStyle.RoundJoin))
    painter.fillPath(path, QColor(label.style.colour))


def _draw_number(painter: QPainter, number: Number) -> None:
    ink = against(number.style.colour)
    around = radius(number)
    painter.setPen(QPen(ink, 2))
    painter.setBrush(QColor(number.style.colour))
    painter.drawEllipse(QPointF(number.x, number.y), around, around)
    painter.setFont(label_font(number.style.size))
    disc = QRectF(number.x - around, number.y - around, 2 * around, 2 * around)
    painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(number.value))


def _draw_blocks(painter: QPainter, mark: Pixelate, mosaic: Mosaic, clip: QRegion) -> None:
    """In whole pixels, so that no block is blended with what is under it."""
    block = mark.block
    seen = rect(mark.region).intersected(clip.boundingRect())
    first = QPoint(seen.left() // block, seen.top() // block)
    cells = QRect(first, QPoint(seen.right() // block, seen.bottom() // block))
    target = QRect(first * block, cells.size() * block)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.setClipRect(seen, Qt.ClipOperation.IntersectClip)
    painter.drawImage(target, mosaic.of(block), cells)
    painter.restore()
