"""What was asked in one turn: the words and small pictures of the frames; knows no answer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QLabel, QToolButton, QWidget

from app.answer.boxes import LabelledBox
from app.ui.dress import Dress
from app.ui.theme import RADIUS
from app.ui.thumbnails import Thumbnails
from app.vocabulary import Frame

HIGH = 68  # px of a small picture
WIDE = (44, 136)  # px, the least and the most
MANY = 8  # small pictures shown; the rest behind a number
GAP = 8  # px
PAD = (14, 10)  # px between the bubble and its words
LONG = 1_200  # characters of a question shown before it is asked to show all


class Thumbnail(QAbstractButton):
    """One frame, small, with the boxes the answer names; or, with `more`, how many others."""

    def __init__(self, frame: Frame, name: str, more: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.frame = frame
        self._image = QImage()
        self._more = more
        self._boxes: tuple[LabelledBox, ...] = ()
        self._dress: Dress | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.setToolTip(name)
        natural = round(HIGH * frame.width / max(1, frame.height))
        self.setFixedSize(min(max(natural, WIDE[0]), WIDE[1]), HIGH)
        self._whole = WIDE[0] <= natural <= WIDE[1]

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def show_boxes(self, boxes: tuple[LabelledBox, ...]) -> None:
        self._boxes = boxes if self._whole else ()
        self.update()

    def wear(self, dress: Dress) -> None:
        self._dress = dress
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._dress is None:
            return
        theme = self._dress.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(box, RADIUS - 2, RADIUS - 2)
        painter.fillPath(shape, QColor(theme.panel))
        painter.save()
        painter.setClipPath(shape)
        painter.drawImage(self.rect(), self._image)
        self._draw_boxes(painter, QColor(theme.accent))
        painter.restore()
        if self._more:
            self._draw_more(painter, shape)
        marked = self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(theme.accent if marked else theme.line), 2 if marked else 1))
        painter.drawPath(shape)

    def _draw_boxes(self, painter: QPainter, colour: QColor) -> None:
        painter.setPen(QPen(colour, 1.5))
        for found in self._boxes:
            box, w, h = found.box, self.width(), self.height()
            painter.drawRect(
                QRectF(box.x1 * w, box.y1 * h, (box.x2 - box.x1) * w, (box.y2 - box.y1) * h)
            )

    def _draw_more(self, painter: QPainter, shape: QPainterPath) -> None:
        veil = QColor(0, 0, 0, 150)
        painter.fillPath(shape, veil)
        painter.setPen(QColor("white"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, f"+{self._more}")


class Question(QWidget):
    """`opened` carries the number of the frame whose small picture was clicked."""

    opened = Signal(int)
    grew = Signal()

    def __init__(self, text: str, frames: Sequence[Frame], dress: Dress, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = text
        self._dress = dress
        self._bubble = QRect()
        self._label = QLabel(self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._label.setAccessibleName(self.tr("Question"))
        self._all = QToolButton(self)
        self._all.setText(self.tr("Show all"))
        self._all.setProperty("role", "chip")
        self._all.clicked.connect(self._show_all)
        self._shorten()
        self._pictures = self._make_pictures(frames)
        self.wear(dress)

    def _make_pictures(self, frames: Sequence[Frame]) -> list[Thumbnail]:
        made: list[Thumbnail] = []
        for number, frame in enumerate(frames[:MANY]):
            rest = len(frames) - number if number == MANY - 1 and len(frames) > MANY else 0
            picture = Thumbnail(frame, self._name(frame), rest, self)
            picture.clicked.connect(lambda _=False, at=number: self.opened.emit(at))
            made.append(picture)
        return made

    def _name(self, frame: Frame) -> str:
        source = frame.source
        if source.page is not None:
            return self.tr("{name}, page {page}").format(name=source.name, page=source.page)
        if source.time is not None:
            return self.tr("{name}, at {time:.1f} s").format(name=source.name, time=source.time)
        return source.name

    def draw_pictures(self, thumbnails: Thumbnails, key: object) -> None:
        """Has the small pictures made; they come back through `take_picture`."""
        ratio = self.devicePixelRatioF()
        for number, picture in enumerate(self._pictures):
            size = QSize(round(picture.width() * ratio), round(picture.height() * ratio))
            thumbnails.ask((key, number), picture.frame, size)

    def take_picture(self, number: int, image: QImage) -> None:
        self._pictures[number].show_image(image)

    def show_boxes(self, boxes: tuple[LabelledBox, ...]) -> None:
        """Boxes belong to the one picture there is; with several nobody can say to which."""
        if len(self._pictures) == 1:
            self._pictures[0].show_boxes(boxes)

    def wear(self, dress: Dress) -> None:
        self._dress = dress
        for picture in self._pictures:
            picture.wear(dress)
        self.update()

    def arrange(self, width: int) -> int:
        """Its height at this width; everything stands at the right."""
        top = self._arrange_pictures(width)
        if not self._text:
            self._label.hide()
            self._bubble = QRect()
            return top
        top += GAP if top else 0
        most = round(width * 0.85) - 2 * PAD[0]
        hint = self._label.fontMetrics().boundingRect(
            QRect(0, 0, most, 1_000_000), Qt.TextFlag.TextWordWrap, self._label.text()
        )
        inner = QSize(min(most, hint.width() + 2), self._label.heightForWidth(hint.width() + 2))
        more = self._all.sizeHint().height() if not self._all.isHidden() else 0
        self._bubble = QRect(0, top, inner.width() + 2 * PAD[0], inner.height() + 2 * PAD[1] + more)
        self._bubble.moveRight(width - 1)
        self._label.setGeometry(QRect(self._bubble.topLeft() + QPoint(*PAD), inner))
        self._all.move(self._bubble.left() + 6, self._bubble.bottom() - more - 4)
        self.update()
        return top + self._bubble.height()

    def _arrange_pictures(self, width: int) -> int:
        lines: list[list[Thumbnail]] = [[]]
        used = 0
        for picture in self._pictures:
            if lines[-1] and used + picture.width() > width:
                lines.append([])
                used = 0
            lines[-1].append(picture)
            used += picture.width() + GAP
        top = 0
        for line in lines if self._pictures else ():
            left = width - sum(p.width() for p in line) - GAP * (len(line) - 1)
            for picture in line:
                picture.move(left, top)
                left += picture.width() + GAP
            top += HIGH + GAP
        return max(0, top - GAP)

    def _shorten(self) -> None:
        short = self._text if len(self._text) <= LONG else self._text[:LONG].rstrip() + "…"
        self._label.setText(short)
        self._all.setVisible(len(self._text) > LONG)

    def _show_all(self) -> None:
        self._label.setText(self._text)
        self._all.hide()
        self.grew.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._bubble.isEmpty():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._dress.theme.line), 1))
        painter.setBrush(QColor(self._dress.theme.panel))
        box = self._bubble.toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, 12, 12)
