"""The pictures of one turn, large, with the boxes the answer names; knows no turn, no answer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.answer.boxes import LabelledBox
from app.ui.buttons import label
from app.ui.dress import Dress
from app.ui.theme import SMALL, SPACE, Theme
from app.ui.thumbnails import Thumbnails
from app.ui.tool import Tool
from app.vocabulary import Frame

STEP = 1.25  # one press of + or -
MARGIN = 24  # px around a picture that is fitted in
MOST = 8.0  # times its own size


class Canvas(QWidget):
    """A picture that is zoomed and moved. `zoom` is logical pixels a pixel; None fits it in."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._image = QImage()
        self._boxes: tuple[LabelledBox, ...] = ()
        self._zoom: float | None = None
        self._centre = QPointF(0.5, 0.5)  # the point of the picture in the middle, 0 to 1
        self._held: QPoint | None = None
        self.setMinimumSize(320, 200)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_image(self, image: QImage, boxes: tuple[LabelledBox, ...]) -> None:
        self._image, self._boxes = image, boxes
        self.fit()

    @property
    def zoom(self) -> float:
        """Shown pixels a pixel of the picture."""
        return self._scale() * self.devicePixelRatioF()

    def fit(self) -> None:
        self._zoom = None
        self._centre = QPointF(0.5, 0.5)
        self.update()

    def natural(self) -> None:
        """One pixel of the picture on one of the screen."""
        self._zoom = 1 / self.devicePixelRatioF()
        self.update()

    def magnify(self, factor: float) -> None:
        self._zoom = min(max(self._scale() * factor, self._fitting() / 2), MOST)
        self.update()

    def _fitting(self) -> float:
        if self._image.isNull():
            return 1.0
        wide, high = self.width() - 2 * MARGIN, self.height() - 2 * MARGIN
        fits = min(wide / self._image.width(), high / self._image.height())
        return min(fits, 1 / self.devicePixelRatioF())

    def _scale(self) -> float:
        return self._fitting() if self._zoom is None else self._zoom

    def _target(self) -> QRectF:
        scale = self._scale()
        wide, high = self._image.width() * scale, self._image.height() * scale
        left = self.width() / 2 - self._centre.x() * wide
        top = self.height() / 2 - self._centre.y() * high
        return QRectF(left, top, wide, high)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._scale() < 2)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        target = self._target()
        painter.drawImage(target, self._image)
        painter.setPen(QPen(QColor(self._theme.line), 1))
        painter.drawRect(target)
        for found in self._boxes:
            self._draw_box(painter, found, target)

    def _draw_box(self, painter: QPainter, found: LabelledBox, target: QRectF) -> None:
        box, wide, high = found.box, target.width(), target.height()
        rect = QRectF(box.x1 * wide, box.y1 * high, (box.x2 - box.x1) * wide, 0)
        rect.setHeight((box.y2 - box.y1) * high)
        rect.translate(target.topLeft())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.accent), 2))
        painter.drawRoundedRect(rect, 3, 3)
        if found.label:
            self._draw_label(painter, found.label, rect)

    def _draw_label(self, painter: QPainter, words: str, rect: QRectF) -> None:
        font = self.font()
        font.setPixelSize(SMALL)
        painter.setFont(font)
        wide = painter.fontMetrics().horizontalAdvance(words) + 12
        top = rect.top() - 20 if rect.top() >= 20 else rect.top()
        tag = QRectF(rect.left() - 1, top, wide, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent))
        painter.drawRoundedRect(tag, 4, 4)
        painter.setPen(QColor(self._theme.on_accent))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, words)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None or self._image.isNull():
            return
        at = event.position().toPoint()
        moved, self._held = at - self._held, at
        target = self._target()
        self._centre -= QPointF(moved.x() / target.width(), moved.y() / target.height())
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._held = None

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.natural() if self._zoom is None else self.fit()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self.update()


class Gallery(QDialog):
    """Arrow keys change the picture, + and - zoom, 0 fits it in, 1 is its own size, Esc closes."""

    def __init__(
        self, frames: Sequence[Frame], dress: Dress, parent: QWidget,
        *, boxes: tuple[LabelledBox, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self._frames = tuple(frames)
        self._boxes = boxes if len(frames) == 1 else ()  # which of several they are on is unknown
        self._at = 0
        self._canvas = Canvas(dress.theme)
        self._says = label(tone="small")
        self._loader = Thumbnails(self)
        self._loader.made.connect(self._take)
        self._back = Tool(dress, "chevron-left", self.tr("Previous picture"))
        self._on = Tool(dress, "chevron-right", self.tr("Next picture"))
        self._back.clicked.connect(lambda: self.show_frame(self._at - 1))
        self._on.clicked.connect(lambda: self.show_frame(self._at + 1))
        self._lay_out()
        self._canvas.setFocus()
        room = parent.window().size()
        self.resize(max(480, room.width() * 9 // 10), max(360, room.height() * 9 // 10))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(SPACE[3], SPACE[1], SPACE[3], SPACE[1])
        row.addWidget(self._back)
        row.addWidget(self._on)
        row.addSpacing(SPACE[1])
        row.addWidget(self._says, 1)
        several = len(self._frames) > 1
        self._back.setVisible(several)
        self._on.setVisible(several)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._canvas, 1)
        column.addLayout(row)

    def show_frame(self, at: int) -> None:
        self._at = min(max(at, 0), len(self._frames) - 1)
        self._back.setEnabled(self._at > 0)
        self._on.setEnabled(self._at < len(self._frames) - 1)
        frame = self._frames[self._at]
        self._loader.ask(self._at, frame, QSize(frame.width, frame.height))
        self.setWindowTitle(frame.source.name)
        self.setAccessibleName(frame.source.name)
        self._say()

    def _take(self, key: object, image: QImage) -> None:
        if key == self._at:
            self._canvas.show_image(image, self._boxes)
            self._say()

    def _say(self) -> None:
        frame = self._frames[self._at]
        parts = [frame.source.name]
        if frame.source.page is not None:
            parts.append(self.tr("page {page}").format(page=frame.source.page))
        if frame.source.time is not None:
            parts.append(f"{frame.source.time:.1f} s")
        parts.append(f"{frame.width} × {frame.height}")
        parts.append(f"{self._canvas.zoom:.0%}")
        if len(self._frames) > 1:
            parts.append(f"{self._at + 1} / {len(self._frames)}")
        self._says.setText("  ·  ".join(parts))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_PageUp:
                self.show_frame(self._at - 1)
            case Qt.Key.Key_Right | Qt.Key.Key_PageDown:
                self.show_frame(self._at + 1)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._canvas.magnify(STEP)
            case Qt.Key.Key_Minus:
                self._canvas.magnify(1 / STEP)
            case Qt.Key.Key_0:
                self._canvas.fit()
            case Qt.Key.Key_1:
                self._canvas.natural()
            case _:
                super().keyPressEvent(event)
        self._say()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._canvas.magnify(STEP if event.angleDelta().y() > 0 else 1 / STEP)
        self._say()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._say()

    def done(self, result: int) -> None:
        self._loader.close()
        super().done(result)
