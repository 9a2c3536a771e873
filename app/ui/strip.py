"""The strip of attachments above the question: one card each, while it is read and after."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPainterPath, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.attachment import Attachment
from app.ui.buttons import IconButton, label, retone
from app.ui.line import Line
from app.ui.look import Look
from app.ui.thumbnails import Thumbnails
from app.vocabulary import Frame

THUMB = 40  # px
LEAST = 64  # px, so that cards in a row are of one height whatever font their words need
WIDTH, WIDE = 232, 340  # px, a card and one with something to say


class Card(QFrame):
    """One attachment. `unlocked` carries the password typed for it."""

    removed = Signal(int)
    unlocked = Signal(int, str)
    opened = Signal(object)  # tuple[Frame, ...]

    def __init__(self, look: Look, attachment: Attachment) -> None:
        super().__init__()
        self.shown = attachment
        self.setProperty("role", "card")
        self.setMinimumHeight(LEAST)
        self._thumb = QToolButton()
        self._thumb.setProperty("role", "thumb")
        self._thumb.setFixedSize(THUMB + 4, THUMB + 4)  # the ring of the focus
        self._thumb.setIconSize(QSize(THUMB, THUMB))
        self._thumb.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._thumb.setIcon(look.icons.icon("file-text", "ink2", 20))
        self._thumb.clicked.connect(self._open)
        self._name = Line(cut=Qt.TextElideMode.ElideMiddle)
        self._says = label(tone="small", wrap=True)
        self._bar = QProgressBar(textVisible=False)
        self._remove = IconButton(look, "x", "", size=28)
        self._remove.clicked.connect(lambda: self.removed.emit(self.shown.id))
        self._password = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self._password.setPlaceholderText(self.tr("Password"))
        self._password.returnPressed.connect(self._unlock)
        self._unlock_button = IconButton(look, "key-round", self.tr("Unlock"), size=28)
        self._unlock_button.clicked.connect(self._unlock)
        self._lay_out()
        self.show_attachment(attachment)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._name, 1)
        top.addWidget(self._remove)
        lock = QHBoxLayout()
        lock.addWidget(self._password, 1)
        lock.addWidget(self._unlock_button)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(top)
        words.addWidget(self._says)
        words.addWidget(self._bar)
        words.addLayout(lock)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 6, 8)
        row.setSpacing(10)
        row.addWidget(self._thumb, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)

    def show_attachment(self, attachment: Attachment) -> None:
        self.shown = attachment
        error = attachment.error
        locked = error is not None and error.kind in ("needs_password", "wrong_password")
        wide = error is not None or bool(attachment.warnings)
        self.setFixedWidth(WIDE if wide else WIDTH)
        self._name.say(attachment.name)
        self._thumb.setAccessibleName(self.tr("Look at {name}").format(name=attachment.name))
        self._thumb.setEnabled(bool(attachment.frames))
        self._remove.say(self.tr("Remove {name}").format(name=attachment.name))
        self._says.setText(self._sentence(attachment))
        retone(self._says, "tone", "danger" if error is not None else "small")
        retone(self, "failed", "true" if error is not None else "false")
        self._show_progress(attachment)
        self._show_lock(locked, attachment.name)
        self.setAccessibleName(f"{attachment.name}, {self._says.text()}")

    def _show_progress(self, attachment: Attachment) -> None:
        self._bar.setVisible(not attachment.done and attachment.error is None)
        self._bar.setAccessibleName(self.tr("Reading {name}").format(name=attachment.name))
        self._bar.setRange(0, attachment.expected or 0)  # 0 to 0 is Qt's "busy"
        self._bar.setValue(len(attachment.frames))

    def _show_lock(self, locked: bool, name: str) -> None:
        asks = locked and not self._password.isVisibleTo(self)
        self._password.setAccessibleName(self.tr("Password for {name}").format(name=name))
        self._password.setVisible(locked)
        self._unlock_button.setVisible(locked)
        if asks:
            self._password.clear()
            self._password.setFocus()

    def _sentence(self, attachment: Attachment) -> str:
        if attachment.error is not None:
            return attachment.error.message
        if not attachment.done:
            return self._how_far(attachment)
        return "\n".join((self._size(attachment), *attachment.warnings))

    def _how_far(self, attachment: Attachment) -> str:
        if attachment.expected is None:
            return self.tr("Opening…")
        return self.tr("{done} of {all}").format(
            done=len(attachment.frames), all=attachment.expected
        )

    def _size(self, attachment: Attachment) -> str:
        frames = attachment.frames
        if not frames:
            return self.tr("Nothing to see")
        if len(frames) == 1 and frames[0].source.page is None:
            return f"{frames[0].width} × {frames[0].height}"
        if frames[0].source.kind == "video":
            return self.tr("{count} pictures").format(count=len(frames))
        return (
            self.tr("1 page")
            if len(frames) == 1
            else self.tr("{count} pages").format(count=len(frames))
        )

    def _unlock(self) -> None:
        if self._password.text():
            self.unlocked.emit(self.shown.id, self._password.text())

    def show_thumbnail(self, image: QImage, ratio: float) -> None:
        if image.isNull():
            return
        image.setDevicePixelRatio(ratio)
        self._thumb.setIcon(QIcon(_rounded(image)))
        self._thumb.setCursor(Qt.CursorShape.PointingHandCursor)

    def _open(self) -> None:
        if self.shown.frames:
            self.opened.emit(self.shown.frames)


class Strip(QScrollArea):
    """All the cards, side by side; hidden when there are none."""

    removed = Signal(int)
    unlocked = Signal(int, str)
    opened = Signal(object)  # tuple[Frame, ...]

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._cards: dict[int, Card] = {}
        self._drawn: dict[int, Frame] = {}
        self.thumbnails = Thumbnails(self)
        self.thumbnails.made.connect(self._draw)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Attachments"))
        holder = QWidget()
        self._row = QHBoxLayout(holder)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addStretch(1)
        self.setWidget(holder)
        self.hide()

    def show_attachments(self, attachments: tuple[Attachment, ...]) -> None:
        for gone in self._cards.keys() - {attachment.id for attachment in attachments}:
            self._cards.pop(gone).deleteLater()
            self._drawn.pop(gone, None)
        for attachment in attachments:
            self._show(attachment)
        self.setVisible(bool(attachments))
        self._fit()

    def _show(self, attachment: Attachment) -> None:
        card = self._cards.get(attachment.id)
        if card is None:
            card = self._add(attachment)
        elif card.shown != attachment:
            card.show_attachment(attachment)
        first = attachment.frames[0] if attachment.frames else None
        if first is not None and self._drawn.get(attachment.id) is not first:
            self._drawn[attachment.id] = first
            side = round(THUMB * self.devicePixelRatioF())
            self.thumbnails.ask(attachment.id, first, QSize(side, side))

    def _add(self, attachment: Attachment) -> Card:
        card = Card(self._look, attachment)
        card.removed.connect(self.removed)
        card.unlocked.connect(self.unlocked)
        card.opened.connect(self.opened)
        self._cards[attachment.id] = card
        self._row.insertWidget(self._row.count() - 1, card, 0, Qt.AlignmentFlag.AlignTop)
        return card

    def _draw(self, attachment: int, image: QImage) -> None:
        if attachment in self._cards:
            self._cards[attachment].show_thumbnail(image, self.devicePixelRatioF())

    def _fit(self) -> None:
        """As high as the highest card, and the scroll bar where one is needed."""
        cards = self._cards.values()
        height = max((card.heightForWidth(card.width()) for card in cards), default=0)
        wide = sum(card.width() + 8 for card in cards) > self.viewport().width()
        self.setFixedHeight(height + (10 if wide else 0))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel that only turns up and down moves along the row."""
        delta = event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (delta.x() or delta.y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


def _rounded(image: QImage) -> QPixmap:
    pixmap = QPixmap(image.size())
    pixmap.setDevicePixelRatio(image.devicePixelRatio())
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, THUMB, THUMB), 6, 6)
    painter.setClipPath(path)
    painter.drawImage(QRectF(0, 0, THUMB, THUMB), image)
    painter.end()
    return pixmap
