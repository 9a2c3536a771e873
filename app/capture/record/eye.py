"""What a recorder needs of a screen, and which way of looking there is; knows no file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

from app.capture.obstacle import NO_DISPLAY, no_display, wayland
from app.capture.record.canvas import Pixels, Pointer
from app.capture.record.facts import Order, Why
from app.vocabulary import Region


class Over(Exception):
    """There is nothing more to be seen: why, and a sentence for a person."""

    def __init__(self, why: Why, note: str) -> None:
        super().__init__(note)
        self.why: Why = why
        self.note = note


class Eye(Protocol):
    """Looks at one area, whose size stays."""

    width: int
    height: int

    def look(self, *, whole: bool) -> Iterator[tuple[int, int, Pixels]]:
        """What may have changed since the last look, all of it if `whole`: places in the area and
        pixels that hold until the next is asked for. Raises Over."""

    def pointer(self) -> Pointer | None:
        """Where the pointer stands on the area."""

    def corner(self) -> tuple[int, int]:
        """Where the area's corner stands on the desktop."""

    def doubt(self) -> None:
        """A whole look found what no look before had told of."""

    def close(self) -> None: ...


def open_eye(order: Order) -> Eye:
    """The best way here. Raises CaptureFault."""
    if no_display():
        raise NO_DISPLAY.fault()
    if wayland():
        from app.capture.record.stream import Stream  # noqa: PLC0415 (Wayland's)

        return Stream(order)
    if sys.platform == "linux":
        from app.capture.record.x11 import Lacking, Screen  # noqa: PLC0415 (X11's)

        with suppress(Lacking):
            return Screen(order.area, pointer=order.pointer)
    from app.capture.record.system import System  # noqa: PLC0415 (for displays without DAMAGE)

    return System(order.area, pointer=order.pointer)


def inside(region: Region, width: int, height: int) -> Region | None:
    """The part of `region` within a desktop of that size whose corner is 0, 0."""
    left, top = max(region.x, 0), max(region.y, 0)
    right = min(region.x + region.width, width)
    bottom = min(region.y + region.height, height)
    if right <= left or bottom <= top:
        return None
    return Region(left, top, right - left, bottom - top)
