"""The window: where its parts stand, how it is sized, what is dropped on it; the wiring decides
what any of it does."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.keys import Keys
from app.ui.actions import Actions
from app.ui.banner import Banner
from app.ui.composer import Composer
from app.ui.drop import DropVeil
from app.ui.given import read, takes
from app.ui.header import Header
from app.ui.icons import window_icon
from app.ui.library import Library
from app.ui.look import Look
from app.ui.session import Session
from app.ui.status import Status
from app.ui.transcript import Transcript
from app.ui.welcome import Welcome
from app.ui.wiring import Wiring

NARROW = 860  # px, below which the list of conversations lies over the transcript
SMALLEST = (520, 420)  # px
FIRST = (1180, 780)  # px


class Window(QMainWindow):
    """`closed` is told once the window was closed by the user, which `may_close` can put off;
    `escaped` when Esc found nothing nearer to close; `dropped` carries what was let go above
    it."""

    closed = Signal()
    escaped = Signal()
    dropped = Signal(object)  # Given

    def __init__(self, session: Session, look: Look, keys: Keys) -> None:
        super().__init__()
        self.look = look
        self.setWindowTitle("Sightline")
        self.setWindowIcon(window_icon())
        self.setMinimumSize(*SMALLEST)
        self.setAcceptDrops(True)
        self.library = Library(look)
        self.header = Header(look)
        self.banner = Banner(look)
        self.welcome = Welcome(look)
        self.transcript = Transcript()
        self.composer = Composer(look)
        self.status = Status(look)
        self._lay_out()
        self._veil = DropVeil(look, self)
        self._last_width = NARROW
        self.may_close: Callable[[], bool] = lambda: True
        self._restore(session.settings.geometry)
        self.deeds = Actions(self, session, keys)
        self._wiring = Wiring(self, session, self.deeds)
        self.composer.prompt.setFocus()

    def _lay_out(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(self.transcript)
        notices = QWidget()
        inside = QVBoxLayout(notices)
        inside.setContentsMargins(20, 0, 20, 0)
        inside.addWidget(self.banner)
        main = QWidget()
        main.setProperty("ground", "paper")
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.header, notices):
            column.addWidget(widget)
        column.addWidget(self.stack, 1)
        column.addWidget(self.composer)
        column.addWidget(self.status)
        self._hairline = QFrame()
        self._hairline.setProperty("ground", "line")
        self._hairline.setFixedWidth(1)
        self._body = QWidget()
        row = QHBoxLayout(self._body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.library)
        row.addWidget(self._hairline)
        row.addWidget(main, 1)
        self.setCentralWidget(self._body)

    # --- what is shown ----------------------------------------------------------------------

    def show_start(self) -> None:
        """Nothing was asked yet."""
        self.stack.setCurrentWidget(self.welcome)

    def show_transcript(self) -> None:
        self.stack.setCurrentWidget(self.transcript)

    def toggle_library(self) -> None:
        shown = self.library.isHidden()
        if not shown and self.library.isAncestorOf(self.focusWidget()):
            self.composer.prompt.setFocus()
        self.library.setVisible(shown)
        self._hairline.setVisible(shown)
        if shown and self.width() < NARROW:
            self.library.search.setFocus()

    def _fit_library(self, now: int) -> None:
        """The list goes when there is no room left for it, and comes back with the room."""
        before, self._last_width = self._last_width, now
        if (before < NARROW) != (now < NARROW):
            self.library.setVisible(now >= NARROW)
            self._hairline.setVisible(now >= NARROW)

    # --- its place on the screen ------------------------------------------------------------

    def _restore(self, geometry: str) -> None:
        saved = QByteArray.fromBase64(geometry.encode("ascii", "ignore"))
        if not geometry or not self.restoreGeometry(saved):
            room = self.screen().availableSize()
            self.resize(min(FIRST[0], room.width()), min(FIRST[1], room.height() - 40))
        self._fit_library(self.width())

    def geometry_text(self) -> str:
        return bytes(self.saveGeometry().toBase64().data()).decode("ascii")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_library(event.size().width())

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.may_close():
            event.ignore()
            return
        event.accept()
        self.closed.emit()

    async def end(self) -> None:
        """Ends what runs on the window's behalf; before the session's own end."""
        self.composer.strip.thumbnails.close()
        await self.deeds.tasks.end()

    # --- keys and drops ---------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if takes(event.mimeData()):
            event.acceptProposedAction()
            self._veil.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._veil.hide()
        event.acceptProposedAction()
        self.dropped.emit(read(event.mimeData()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._veil.hide()
