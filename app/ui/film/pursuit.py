"""What becomes of the desktop around a recording: where a recorded window goes, and what comes into
the area that no film may show. Knows no recorder and no widget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.capture.curtain import private
from app.capture.listing import obstacle, windows
from app.capture.record.facts import Area
from app.capture.windows import DesktopWindow
from app.vocabulary import CaptureFault, Region

QUICK, SLOW = 0.2, 1.0  # s between two looks, each of which costs a millisecond a window


@dataclass(frozen=True, slots=True)
class Sight:
    """`region` is the area as it stands now, `private` what on the desktop has to be black."""

    region: Region
    private: tuple[Region, ...] = ()


class Pursuit:
    """One recording's. `never` names the programs that are never captured; `is_mark` knows our
    windows that stand around the area or in its middle before it begins."""

    def __init__(
        self, area: Area, never: Sequence[str], is_mark: Callable[[DesktopWindow], bool]
    ) -> None:
        self._area = area
        self._never = never
        self._is_mark = is_mark
        self._first: Region | None = None  # the window's place when it began
        self._told: Sight | None = None
        self._woken = asyncio.Event()
        # our own windows tell of themselves; others have to be watched
        self._pace = QUICK if never or area.window is not None else SLOW

    async def look(self) -> Sight:
        """As it is now."""
        if obstacle() is not None:
            return Sight(self._area.region)
        try:
            shown = await asyncio.to_thread(windows)
        except CaptureFault:
            return Sight(self._area.region)
        seen = [window for window in shown if not self._is_mark(window)]
        return Sight(self._region(shown), private(seen, self._never))

    async def sights(self) -> AsyncGenerator[Sight, None]:
        """Each time that something has changed; never where nobody can tell."""
        while obstacle() is None:
            now = await self.look()
            if now != self._told:
                self._told = now
                yield now
            await self._rest()

    def renew(self) -> None:
        """The next look comes soon and is told, whatever it shows."""
        self._told = None
        self._woken.set()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._pace)
        if self._woken.is_set():
            await asyncio.sleep(QUICK)  # until the window is there
            self._woken.clear()

    def _region(self, shown: Sequence[DesktopWindow]) -> Region:
        region, held = self._area.region, self._area.window
        now = next((window.place for window in shown if window.id == held), None)
        if held is None or now is None:
            return region
        self._first = first = self._first or now
        return replace(region, x=region.x + now.x - first.x, y=region.y + now.y - first.y)
