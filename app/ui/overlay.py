"""The overlay: the frozen screens, a veil, and a region marked on one of them; knows neither how
a screen is captured nor what becomes of the region."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QCursor

from app.ui.look import Look
from app.ui.pane import Pane, Still
from app.vocabulary import Region


class Overlay(QObject):
    """A pane for every screen. `chosen` carries which still and the Region of it; it or
    `cancelled` comes once, and the panes are gone by then."""

    chosen = Signal(int, object)  # index, Region
    cancelled = Signal()

    def __init__(self, look: Look, stills: Sequence[Still], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ended = False
        self.panes = [Pane(look, still) for still in stills]
        for at, pane in enumerate(self.panes):
            pane.confirmed.connect(lambda region, at=at: self._end(at, region))
            pane.cancelled.connect(self._cancel)
            pane.marked.connect(lambda pane=pane: self._only(pane))

    def open(self) -> None:
        for pane in self.panes:
            pane.showFullScreen()
            pane.place_hint()
        front = self._front()
        front.activateWindow()
        front.setFocus()

    def _front(self) -> Pane:
        """The pane under the pointer takes the keys."""
        pointer = QCursor.pos()
        under = (pane for pane in self.panes if pane.geometry().contains(pointer))
        return next(under, self.panes[0])

    def _only(self, marked: Pane) -> None:
        """One region on one screen: what another screen had marked goes."""
        for pane in self.panes:
            if pane is not marked and pane.marking.region is not None:
                pane.mark(pane.marking.clear())

    def _end(self, at: int, region: Region) -> None:
        if self._shut():
            self.chosen.emit(at, region)

    def _cancel(self) -> None:
        if self._shut():
            self.cancelled.emit()

    def close(self) -> None:
        """Takes the panes away and says nothing more."""
        self._shut()

    def _shut(self) -> bool:
        if self._ended:
            return False
        self._ended = True
        for pane in self.panes:
            pane.hide()
            pane.deleteLater()
        return True
