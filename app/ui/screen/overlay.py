"""The overlay: the frozen screens, and one region marked on one of them; knows neither how a
screen is captured nor what becomes of the region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QCursor, QImage

from app.ui.screen.pane import MakeStudio, Pane
from app.ui.screen.still import Still
from app.vocabulary import Region


@dataclass(frozen=True, slots=True)
class Manner:
    """How it opens: `past` are regions of the desktop marked before, the newest first; `hinted`
    whether its keys were shown once. Without a studio a button that says `take` ends it."""

    take: str = ""
    hinted: bool = True
    past: tuple[Region, ...] = ()
    studio: MakeStudio | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which still and what part of it; `picture` where marks may have been made on it, `window`
    where it is one that was clicked."""

    at: int
    region: Region
    picture: QImage | None = None
    window: int | None = None


class Overlay(QObject):
    """A pane for every screen. `chosen` carries the Choice; it or `cancelled` comes once, and the
    panes are gone by then."""

    chosen = Signal(object)  # Choice
    cancelled = Signal()

    def __init__(
        self, stills: Sequence[Still], manner: Manner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ended = False
        self._manner = manner
        self._stills = tuple(stills)
        self._past = -1  # which of the regions marked before is shown
        self.panes = [Pane(still, manner.studio, manner.take) for still in stills]
        for at, pane in enumerate(self.panes):
            pane.confirmed.connect(lambda region, at=at: self._end(at, region))
            pane.cancelled.connect(self.leave)
            pane.done.connect(self.leave)
            pane.marked.connect(lambda pane=pane: self._only(pane))
            pane.entered.connect(lambda pane=pane: self._follow(pane))
            pane.past_wanted.connect(self._recall)

    def open(self) -> None:
        front = self._front()
        front.show_hint(full=not self._manner.hinted)
        for pane in self.panes:
            pane.open()
            pane.find_pointer()
        self._focus(front)

    def _front(self) -> Pane:
        """The pane under the pointer takes the keys."""
        pointer = QCursor.pos()
        under = (pane for pane in self.panes if pane.geometry().contains(pointer))
        return next(under, self.panes[0])

    def _focus(self, pane: Pane) -> None:
        pane.activateWindow()
        pane.setFocus()

    def _follow(self, entered: Pane) -> None:
        """The keys go where the pointer is, unless something is marked: then they stay with it."""
        if not any(pane.marking.region for pane in self.panes) and not entered.hasFocus():
            self._focus(entered)

    def _only(self, marked: Pane) -> None:
        """One region on one screen: what another screen had marked goes."""
        for pane in self.panes:
            if pane is not marked and pane.marking.region is not None:
                pane.settle(pane.marking.clear())

    def _recall(self, step: int) -> None:
        """Marks an older region, or a newer one, of those that lie on a screen that is here."""
        known = [found for found in map(self._find, self._manner.past) if found is not None]
        if not known:
            return
        self._past = min(max(0, self._past + step), len(known) - 1)
        pane, region = known[self._past]
        pane.settle(pane.marking.put(region))
        self._focus(pane)

    def _find(self, past: Region) -> tuple[Pane, Region] | None:
        """Where a region of the desktop lies whole."""
        for pane, still in zip(self.panes, self._stills, strict=True):
            x, y = past.x - still.corner[0], past.y - still.corner[1]
            place = QRect(x, y, past.width, past.height)
            if still.image.rect().contains(place):
                return pane, Region(x, y, past.width, past.height)
        return None

    def _end(self, at: int, region: Region) -> None:
        if self._ended:
            return
        pane = self.panes[at]
        choice = Choice(at, region, pane.picture(), pane.window_id)
        self.close()
        self.chosen.emit(choice)

    def leave(self, *_: object) -> None:
        """Nothing is chosen: the user does not want to, or a screen has gone."""
        if not self._ended:
            self.close()
            self.cancelled.emit()

    def close(self) -> None:
        """Takes the panes away and says nothing more."""
        if self._ended:
            return
        self._ended = True
        for pane in self.panes:
            pane.hide()
            pane.deleteLater()
