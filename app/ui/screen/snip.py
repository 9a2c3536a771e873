"""Capturing by hand: our windows step aside, the screens freeze, a part is chosen, and everything
is as it was before; knows neither what asked for it nor what becomes of the picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from app.capture import focus, listing
from app.capture.record.facts import Area
from app.capture.windows import window_at
from app.settings import Mark, Settings
from app.ui.look import Look
from app.ui.screen.aside import Aside
from app.ui.screen.camera import Camera, Roll
from app.ui.screen.overlay import Choice, Manner, Overlay
from app.ui.screen.studio import Aids, Studio
from app.vocabulary import Frame, Region

Kind = Literal["region", "window", "screen"]
Deed = Literal["ask", "attach"]
KEPT = 20  # regions marked before


@dataclass(frozen=True, slots=True)
class Taken:
    """What was captured; `place` in logical pixels of the desktop, for what opens beside it."""

    frame: Frame
    place: QRect
    deed: Deed


class Snip(QObject):
    """One at a time; a second wish while one is open is nothing. `learned` carries the settings
    after a capture from which there is something to keep."""

    learned = Signal(object)  # Settings

    def __init__(
        self, look: Look, camera: Camera, settings: Callable[[], Settings], aids: Aids | None
    ) -> None:
        super().__init__()
        self._look = look
        self._camera = camera
        self._settings = settings
        self._aids = aids
        self.overlay: Overlay | None = None
        self._busy = False

    async def take(
        self,
        kind: Kind = "region",
        *,
        deed: Deed = "ask",
        region: Region | None = None,
        menu: bool = False,
    ) -> Taken | None:
        """A region that the user marks, or at once: the window under the pointer, the screen that
        the pointer is on, or `region` of the desktop in physical pixels. None if nothing was
        chosen, or it was copied, saved or pinned instead. `menu`: one that was just clicked is
        still on its way out.

        Raises:
            CaptureFault: no screen, or no window, can be captured here.
        """
        if self._busy:
            return None
        if kind == "window" and region is None and (hindered := listing.obstacle()):
            raise hindered.fault()
        async with self._frozen(menu=menu) as roll:
            if kind == "region" and region is None:
                choice = await self._choose(roll, self._manner(deed))
                self._learn(roll, choice)
            else:
                choice = _at_once(roll, kind, region)
            if choice is None:
                return None
            frame = await roll.cut(choice.at, choice.region, choice.picture)
            return Taken(frame, roll.place(choice.at, choice.region), deed)

    async def area(self, *, menu: bool = False) -> Area | None:
        """What to record, chosen on the frozen screens like a region to ask about. Raises
        CaptureFault."""
        if self._busy:
            return None
        async with self._frozen(menu=menu) as roll:
            choice = await self._choose(roll, self._manner(None, self.tr("Record")))
            self._learn(roll, choice)
            return None if choice is None else _area(roll, choice)

    @asynccontextmanager
    async def _frozen(self, *, menu: bool) -> AsyncIterator[Roll]:
        """The screens without our windows, which come back behind it, and the keys with them."""
        self._busy = True
        aside, keys = Aside(), focus.held()
        try:
            await aside.step(menu=menu)
            yield await self._camera.shoot(self._settings().never_captured)
        finally:
            focus.give_back(keys)
            aside.back()
            self._busy = False

    async def _choose(self, roll: Roll, manner: Manner) -> Choice | None:
        chosen: asyncio.Future[Choice | None] = asyncio.get_running_loop().create_future()
        overlay = self.overlay = Overlay(roll.stills, manner)
        overlay.chosen.connect(lambda choice: _settle(chosen, choice))
        overlay.cancelled.connect(lambda: _settle(chosen, None))
        QGuiApplication.instance().screenRemoved.connect(overlay.leave)  # type: ignore[union-attr]
        overlay.open()
        try:
            return await chosen
        finally:
            self.overlay = None
            overlay.close()

    def _manner(self, deed: Deed | None, take: str = "") -> Manner:
        settings, aids = self._settings(), self._aids
        take = take or self.tr("Attach")
        past = tuple(Region(m.x, m.y, m.width, m.height) for m in settings.regions)
        if deed is None or aids is None:
            return Manner(take, settings.hinted, past)

        def studio(pane: QWidget, still: QImage) -> Studio:
            return Studio(pane, self._look, still, aids, deed=deed)

        return Manner(take, settings.hinted, past, studio)

    def _learn(self, roll: Roll, choice: Choice | None) -> None:
        """Keeps what was marked, and that the keys were shown."""
        settings = self._settings()
        known = replace(settings, hinted=True)
        if choice is not None:
            known = replace(known, regions=_kept(_of_desktop(roll, choice), settings.regions))
        if known != settings:
            self.learned.emit(known)


def _at_once(roll: Roll, kind: Kind, region: Region | None) -> Choice:
    if region is not None:
        return Choice(*roll.locate(region))
    number, x, y = roll.pointer()
    window = window_at(roll.windows, x, y) if kind == "window" else None
    if window is not None:
        return Choice(*roll.locate(window.place), window=window.id)
    shot = roll.shots[number]
    return Choice(number, Region(0, 0, shot.width, shot.height))


def _of_desktop(roll: Roll, choice: Choice) -> Region:
    corner, region = roll.shots[choice.at].region, choice.region
    return Region(corner.x + region.x, corner.y + region.y, region.width, region.height)


def _area(roll: Roll, choice: Choice) -> Area:
    shot = roll.shots[choice.at]
    if choice.window is not None:
        return Area("window", _of_desktop(roll, choice), choice.window)
    whole = choice.region == Region(0, 0, shot.width, shot.height)
    return Area("screen" if whole else "region", _of_desktop(roll, choice))


def _kept(newest: Region, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    mark = Mark(newest.x, newest.y, newest.width, newest.height)
    return (mark, *(old for old in marks if old != mark))[:KEPT]


def _settle(future: asyncio.Future[Choice | None], choice: Choice | None) -> None:
    if not future.done():
        future.set_result(choice)
