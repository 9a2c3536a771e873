"""One frame of a recording, as large as there is room, with its time; knows no file."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.film import clock
from app.ui.look import Look
from app.ui.theme import RADIUS, SMALL

PLATE = QColor(20, 20, 22, 200)


class Projection(QWidget):
    """`whole` is the recording's size in pixels: a small one is not blown up beyond reading."""

    def __init__(self, look: Look, whole: QSize) -> None:
        super().__init__()
        self._look = look
        self._whole = whole
        self._image = QImage()
        self._says = ""
        self.seconds: float | None = None
        self.setMinimumHeight(160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("The frame looked at"))
        look.changed.connect(lambda _: self.update())

    def show_frame(self, seconds: float, image: QImage) -> None:
        self.seconds, self._image, self._says = seconds, image, ""
        self.setAccessibleDescription(clock.moment(seconds))
        self.update()

    def say(self, text: str) -> None:
        """Words where a frame would be."""
        self._image, self._says = QImage(), text
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(720, 360)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        ground = QPainterPath()
        ground.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        painter.fillPath(ground, QColor(theme.panel))
        if self._image.isNull():
            painter.setPen(QColor(theme.ink2))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._says)
            return
        room = self.rect().adjusted(8, 8, -8, -8)
        size = self._whole.scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        most = self._whole * (2 / self.devicePixelRatioF())
        if size.width() > most.width():
            size = most
        box = QRect(room.center() - QRect(0, 0, size.width(), size.height()).center(), size)
        painter.drawImage(box, self._image)
        self._draw_time(painter, box)

    def _draw_time(self, painter: QPainter, box: QRect) -> None:
        if self.seconds is None:
            return
        font = self.font()
        font.setPixelSize(SMALL)
        painter.setFont(font)
        text = clock.moment(self.seconds)
        plate = painter.fontMetrics().boundingRect(text).size() + QSize(14, 6)
        place = QRect(box.left() + 8, box.bottom() - plate.height() - 7, *plate.toTuple())
        path = QPainterPath()
        path.addRoundedRect(QRectF(place), 4, 4)
        painter.fillPath(path, PLATE)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
