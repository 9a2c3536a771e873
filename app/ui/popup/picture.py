"""One picture, whole, with the boxes an answer names; knows no answer."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.answer.boxes import LabelledBox
from app.ui.look import Look
from app.ui.theme import RADIUS
from app.ui.thumbnails import Thumbnails
from app.vocabulary import Frame


class Picture(QAbstractButton):
    """Never larger than `most`, nor than the picture's own pixels ask for."""

    def __init__(self, look: Look, most: QSize) -> None:
        super().__init__()
        self._look = look
        self._most = most
        self._frame: Frame | None = None
        self._image = QImage()
        self._boxes: tuple[LabelledBox, ...] = ()
        self._thumbnails = Thumbnails(self)
        self._thumbnails.made.connect(self._take)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("The picture"))
        self.setToolTip(self.tr("Show the picture large"))
        look.changed.connect(self._redraw)

    def show_frame(self, frame: Frame) -> None:
        """Shows its place at once, and what it shows as soon as it is unpacked."""
        self._frame, self._image = frame, QImage()
        self.fit(self._most)

    def show_boxes(self, boxes: tuple[LabelledBox, ...]) -> None:
        self._boxes = boxes
        self.update()

    def fit(self, most: QSize) -> None:
        """Takes what it may of the room."""
        self._most = most
        if self._frame is None:
            return
        natural = QSize(max(1, self._frame.width), max(1, self._frame.height))
        fitted = natural.scaled(most, Qt.AspectRatioMode.KeepAspectRatio)
        if fitted.width() > natural.width():
            fitted = natural
        size = fitted.expandedTo(QSize(24, 24)).boundedTo(most)
        if size != self.size() or self._image.isNull():
            self.setFixedSize(size)
            self._thumbnails.ask(self._frame, self._frame, fitted * self.devicePixelRatioF())

    def close_up(self) -> None:
        """Waits for what is still unpacked."""
        self._thumbnails.close()

    def _take(self, key: object, image: QImage) -> None:
        if key is self._frame and not image.isNull():
            self._image = image
            self.update()

    def _redraw(self, _theme: object) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(outline, RADIUS - 2, RADIUS - 2)
        painter.fillPath(shape, QColor(theme.panel))
        painter.save()
        painter.setClipPath(shape)
        self._draw_image(painter)
        painter.restore()
        marked = self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(theme.accent if marked else theme.line), 2 if marked else 1))
        painter.drawPath(shape)

    def _draw_image(self, painter: QPainter) -> None:
        if self._image.isNull():
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2,
                       size.width(), size.height())  # fmt: skip
        painter.drawImage(place, self._image)
        painter.setPen(QPen(QColor(self._look.theme.accent), 2))
        for found in self._boxes:
            box, wide, high = found.box, place.width(), place.height()
            rect = QRectF(0, 0, (box.x2 - box.x1) * wide, (box.y2 - box.y1) * high)
            rect.moveTopLeft(place.topLeft())
            rect.translate(box.x1 * wide, box.y1 * high)
            painter.drawRoundedRect(rect, 2, 2)
