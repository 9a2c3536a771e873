"""One text that streams, shown: selectable, copyable, as high as its text; knows no turn."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextBrowser

from app.ui.clipping import clip
from app.ui.colouring import Colouring
from app.ui.document import Code, Document
from app.ui.dress import Dress
from app.ui.flow import Flow
from app.ui.formats import HEAD, PAD
from app.ui.menu import Menu
from app.ui.ornament import Ornament, card
from app.ui.tool import Tool

MOVES = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
    Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space,
}  # fmt: skip


LEAST = 0.001  # s that the colours of code get even when much text comes


class Page(QTextBrowser):
    """Text comes with `feed`, is written by `work` and ends with `end`.

    Copies go out as `copied`; nothing is opened here: a link that is clicked is only told.
    """

    copied = Signal(str)
    followed = Signal(QUrl)  # a link

    def __init__(self, dress: Dress, name: str, *, quiet: bool = False, scrolls: bool = False):
        super().__init__()
        self._dress = dress
        self._quiet = quiet
        self._scrolls = scrolls
        self._parts: list[str] = []
        self._ended = False
        self._next: Flow | None = None  # the same text in another theme, until it is written
        self._buttons: list[Tool] = []
        self._standing = 0  # buttons that are where they belong
        self._set_up(name)
        self._flow = Flow(self._document())
        self._adopt(self._flow)

    def _set_up(self, name: str) -> None:
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.anchorClicked.connect(self.followed)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if not self._scrolls:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    # --- the text ---------------------------------------------------------------------------

    @property
    def markdown(self) -> str:
        """The markdown as it came."""
        return "".join(self._parts)

    @property
    def empty(self) -> bool:
        return not self._parts

    def feed(self, text: str) -> None:
        if text:
            self._parts.append(text)
            (self._next or self._flow).feed(text)

    def retract(self, length: int) -> None:
        """Takes the last `length` characters back and writes the rest anew."""
        kept = self.markdown
        kept = kept[: max(0, len(kept) - length)]
        self._parts = [kept] if kept else []
        self._next = self._rewritten()

    def end(self) -> None:
        self._ended = True
        (self._next or self._flow).end()

    def wear(self, dress: Dress) -> None:
        """Shows the text in another theme, as soon as it is written in it."""
        self._dress = dress
        self._next = self._rewritten()
        for button in self._buttons:
            button.wear(dress)

    def work(self, seconds: float) -> bool:
        """Writes and colours for about `seconds`; True where more is left."""
        until = time.perf_counter() + seconds
        flow = self._next or self._flow
        more = flow.work(seconds)
        if flow is self._next and not more:
            self._next = None
            self._adopt(flow)
        left = max(until - time.perf_counter(), LEAST)
        more = self._colouring.work(left) or more
        self._place_buttons()
        return more

    def height_of(self, width: int) -> int:
        """The height of the text at this width; lays it out at that width."""
        if self.width() != width:
            self.resize(width, self.height())
        foot = PAD if self._flow.document.ends_with_code else 0
        return math.ceil(self.document().size().height()) + foot

    # --- its document -----------------------------------------------------------------------

    def _document(self) -> Document:
        made = QTextDocument(self)
        made.setDefaultFont(QFont(self.font()))
        made.setTextWidth(self.viewport().width())
        return Document(made, self._dress.formats(quiet=self._quiet))

    def _rewritten(self) -> Flow:
        flow = Flow(self._document())
        flow.feed(self.markdown)
        if self._ended:
            flow.end()
        return flow

    def _adopt(self, flow: Flow) -> None:
        before, self._flow = self._flow, flow
        self._colouring = Colouring(flow.document)
        self._ornament = Ornament(flow.document)
        self.setDocument(flow.document.text)
        self._standing = 0
        if before is not flow:
            before.document.text.deleteLater()

    # --- what Qt asks -----------------------------------------------------------------------

    def loadResource(self, _kind: int, _name: QUrl | str) -> object:
        return None  # no picture, no sheet, nothing, from anywhere

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        down = self.verticalScrollBar().value()
        painter.translate(0, -down)
        seen = QRectF(event.rect()).translated(0, down)
        self._ornament.draw(painter, seen, self.viewport().width())
        painter.end()
        super().paintEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._scrolls:
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selection()
        elif not self._scrolls and event.key() in MOVES and not event.modifiers():
            event.ignore()  # the transcript scrolls, not its text
        else:
            super().keyPressEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        made = QMimeData()
        made.setText(clip(self.textCursor()))
        return made

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self._menu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    # --- copying ----------------------------------------------------------------------------

    def copy_selection(self) -> None:
        if self.textCursor().hasSelection():
            self.copied.emit(clip(self.textCursor()))

    def _menu(self, at: QPoint) -> QMenu:
        menu = Menu(self)
        selected = self.textCursor().hasSelection()
        menu.addAction(self.tr("Copy"), self.copy_selection).setEnabled(selected)
        link = self.anchorAt(at)
        if link:
            menu.addAction(self.tr("Copy link"), lambda: self.copied.emit(link))
        code = self._code_at(at)
        if code is not None:
            menu.addAction(self.tr("Copy code"), lambda: self._copy_code(code))
        menu.addAction(self.tr("Copy all as Markdown"), lambda: self.copied.emit(self.markdown))
        menu.addSeparator()
        menu.addAction(self.tr("Select all"), self.selectAll)
        return menu

    def _code_at(self, at: QPoint) -> Code | None:
        point = QPoint(at.x(), at.y() + self.verticalScrollBar().value())
        document, width = self._flow.document, self.viewport().width()
        return next(
            (code for code in document.codes if card(document, code, width).contains(point)), None
        )

    def _copy_code(self, code: Code) -> None:
        self.copied.emit(self._flow.document.code_text(code))

    def _place_buttons(self, *, all_of_them: bool = False) -> None:
        """One button in the head of each piece of code. What is settled stays where it is."""
        document, width = self._flow.document, self.viewport().width()
        while len(self._buttons) > len(document.codes):
            self._buttons.pop().deleteLater()
        self._standing = 0 if all_of_them else min(self._standing, len(self._buttons))
        while len(self._buttons) < len(document.codes):
            self._buttons.append(self._button(len(self._buttons)))
        down = self.verticalScrollBar().value()
        for number in range(self._standing, len(self._buttons)):
            button, code = self._buttons[number], document.codes[number]
            rect = card(document, code, width)
            top = round(rect.top()) + (HEAD - button.height()) // 2 - down
            button.move(round(rect.right()) - button.width() - 3, top)
            self._standing += code.settled

    def _button(self, number: int) -> Tool:
        button = Tool(self._dress, "copy", self.tr("Copy code"), self.viewport())
        button.clicked.connect(lambda: self._press(number))
        button.show()
        return button

    def _press(self, number: int) -> None:
        self._copy_code(self._flow.document.codes[number])
        self._buttons[number].thank()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._place_buttons(all_of_them=True)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._place_buttons(all_of_them=True)
