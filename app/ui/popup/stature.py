"""How large the quick window is and where it stands: low before the first question, as high as the
answer after it, as its user's hand left it from then on; knows no question and no answer."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QDataStream, QIODevice, QRect, QSize
from PySide6.QtGui import QCursor, QGuiApplication, QScreen

from app.ui.popup.beside import Stand, beside, grown
from app.ui.popup.casing import Casing
from app.ui.popup.plan import LEAST, Plan

FIRST = QSize(460, 640)  # px, the most that it grows to by itself
SMALLEST = QSize(360, 240)  # px
STEP = 48  # px by which it grows
ANY = 16_777_215  # px, Qt's own bound of a widget


class Stature:
    """`kept` is the size that was given by hand, as the settings keep it; empty for none."""

    def __init__(self, window: Casing, plan: Plan) -> None:
        self._window = window
        self._plan = plan
        self._stand = Stand(QRect())
        self._full = FIRST
        self._open = False
        self._asked = False
        self._sized = False  # by hand
        self._content = 0  # px, how high all turns are
        self.kept = ""
        plan.transcript.heightened.connect(self._heighten)
        window.sized_by_hand.connect(self._keep)
        window.moved_by_hand.connect(self._let_go)

    def stand(self, place: QRect, kept: str) -> None:
        """Puts the window beside `place`, with what it was kept at as the most it grows to."""
        window, screen = self._window, _screen(place)
        window.setScreen(screen)
        room = screen.availableGeometry()
        self._full = (size_of(kept) or FIRST).boundedTo(room.size()).expandedTo(SMALLEST)
        window.setMinimumWidth(SMALLEST.width())
        window.resize(self._full.width(), window.height())
        marked = room if place.isEmpty() else place
        size = QSize(self._full.width(), self._least())
        self._stand = beside(marked, size, self._full.height(), room)
        window.setFixedHeight(self._stand.place.height())
        window.setGeometry(self._stand.place)
        self._open = True

    def show_asked(self) -> None:
        """There are turns from now on, and they may need room."""
        self._asked = True
        self._window.setMaximumHeight(ANY)
        self._window.setMinimumHeight(SMALLEST.height())
        self._plan.column.activate()  # so that a turn is laid out at its width at once

    def fit(self) -> None:
        """As high as what it holds; with an answer it only grows, but not once sized by hand."""
        window = self._window
        if window.dragged or not self._open:
            return
        height = self._least()
        if self._asked:
            wanted = height + max(0, self._content - LEAST)
            wanted = min(-(-wanted // STEP) * STEP, self._full.height())
            height = max(height, window.height(), 0 if self._sized else wanted)
        else:
            window.setFixedHeight(height)
        if height != self._stand.place.height() or height != window.height():
            self._stand = grown(self._now(), height, window.screen().availableGeometry())
            window.setGeometry(self._stand.place)

    def _now(self) -> Stand:
        """Where it stands; one that rises keeps its lower edge where that was."""
        place = QRect(self._window.geometry())
        place.setHeight(self._stand.place.height())
        if self._stand.rises:
            place.moveBottom(self._stand.place.bottom())
        return Stand(place, self._stand.rises)

    def _least(self) -> int:
        """Its height at this width, with the turns at their least."""
        column = self._plan.column
        if column.hasHeightForWidth():
            return column.totalHeightForWidth(self._window.width())
        return column.totalSizeHint().height()

    def _heighten(self, content: int) -> None:
        self._content = content
        self.fit()

    def _let_go(self) -> None:
        """It is taken elsewhere by hand: from there on it grows downwards."""
        self._stand = Stand(self._window.geometry())

    def _keep(self) -> None:
        self._sized = self._sized or self._asked
        self._stand = Stand(self._window.geometry())
        high = self._window.height() if self._asked else self._full.height()
        self._full = QSize(self._window.width(), high)
        self.kept = size_text(self._full)


def size_text(size: QSize) -> str:
    """The size as the settings keep it."""
    written = QByteArray()
    QDataStream(written, QIODevice.OpenModeFlag.WriteOnly) << size
    return bytes(written.toBase64().data()).decode("ascii")


def size_of(text: str) -> QSize | None:
    """What `size_text` wrote; None for anything else."""
    size = QSize()
    stream = QDataStream(QByteArray.fromBase64(text.encode("ascii", "ignore")))
    stream >> size
    sound = stream.status() == QDataStream.Status.Ok and stream.atEnd()
    return size if sound and size.isValid() and max(size.width(), size.height()) < 32_768 else None


def _screen(place: QRect) -> QScreen:
    """The one that shows most of the place, else the one with the pointer."""

    def shown(screen: QScreen) -> int:
        part = screen.geometry().intersected(place)
        return part.width() * part.height()

    best = max(QGuiApplication.screens(), key=shown)
    if shown(best):
        return best
    return QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
