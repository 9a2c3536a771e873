"""The windows that stand on the desktop, topmost first, and which of them is meant by a point;
knows no picture, no widget and not how a system is asked (listing.py)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.vocabulary import Region


@dataclass(frozen=True, slots=True)
class DesktopWindow:
    """A window that is shown: `place` with its frame, in physical pixels of the desktop, `opaque`
    the parts of it that nothing shines through. `names` are all that its program goes by, in
    lower case. A popup (a menu, a tip) is never meant by a click, the desktop's own neither."""

    id: int
    title: str
    program: str
    pid: int
    place: Region
    names: frozenset[str] = frozenset()
    kind: Literal["window", "popup", "desktop"] = "window"
    opaque: tuple[Region, ...] = ()

    @property
    def own(self) -> bool:
        return self.pid == os.getpid()


def window_at(windows: Iterable[DesktopWindow], x: float, y: float) -> DesktopWindow | None:
    """The window that is seen at a point; None where that is the bare desktop or one of ours,
    which no picture shows."""
    for window in windows:
        if window.kind != "popup" and holds(window.place, x, y):
            return None if window.own or window.kind == "desktop" else window
    return None


def holds(place: Region, x: float, y: float) -> bool:
    return place.x <= x < place.x + place.width and place.y <= y < place.y + place.height


def named(window: DesktopWindow, programs: Iterable[str]) -> bool:
    """Whether its program is one of `programs`, whatever their case and with or without .exe."""
    return any(plain_name(program) in window.names for program in programs)


def plain_name(program: str) -> str:
    """`C:\\…\\KeePassXC.exe` and `/usr/bin/keepassxc` as a person names them."""
    last = program.strip().casefold().replace("\\", "/").rpartition("/")[2]
    return last.removesuffix(".exe").removesuffix(".app")
