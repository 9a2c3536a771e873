"""What no picture may show: our own windows, and programs that the user has named. Finds the parts
of them that are seen and blacks these out; what stands above them stays. Pure: it asks no system.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.capture.shot import Shot
from app.capture.windows import DesktopWindow, named
from app.vocabulary import Region

_BLACK = b"\0\0\0\xff"  # BGRX


def private(
    windows: Sequence[DesktopWindow], never: Sequence[str], *, ours: bool = True
) -> tuple[Region, ...]:
    """Where the desktop shows a window of ours or of a program in `never`: physical pixels, no
    two of the parts overlap. Every kind of window counts, menus too, but only what is opaque
    hides what is below it: better too much is black than too little."""
    found: list[Region] = []
    above: list[Region] = []
    for window in windows:  # topmost first
        if (ours and window.own) or named(window, never):
            found += uncovered(window.place, (*above, *found))
        elif window.kind == "window":
            above += window.opaque
    return tuple(found)


def uncovered(place: Region, covers: Iterable[Region]) -> tuple[Region, ...]:
    """The parts of `place` that none of `covers` lies on."""
    parts: list[Region] = [place]
    for cover in covers:
        parts = [left for part in parts for left in _without(part, cover)]
    return tuple(parts)


def blacked_out(shots: Sequence[Shot], parts: Sequence[Region]) -> tuple[Shot, ...]:
    """The shots with `parts` of the desktop black: the pixels are gone."""
    return tuple(_black(shot, parts) for shot in shots)


def _black(shot: Shot, parts: Sequence[Region]) -> Shot:
    inside = [part for part in (_meet(shot.region, part) for part in parts) if part is not None]
    if not inside:
        return shot
    pixels = shot.pixels if isinstance(shot.pixels, bytearray) else bytearray(shot.pixels)
    for part in inside:
        row = _BLACK * part.width
        left = (part.x - shot.region.x) * len(_BLACK)
        for y in range(part.y - shot.region.y, part.y - shot.region.y + part.height):
            start = y * shot.stride + left
            pixels[start : start + len(row)] = row
    return replace(shot, pixels=pixels)


def _without(part: Region, cover: Region) -> tuple[Region, ...]:
    """What of `part` is left around `cover`: above, below, left and right of it."""
    both = _meet(part, cover)
    if both is None:
        return (part,)
    right, bottom = part.x + part.width, part.y + part.height
    around = (
        Region(part.x, part.y, part.width, both.y - part.y),
        Region(part.x, both.y + both.height, part.width, bottom - both.y - both.height),
        Region(part.x, both.y, both.x - part.x, both.height),
        Region(both.x + both.width, both.y, right - both.x - both.width, both.height),
    )
    return tuple(left for left in around if left.width > 0 and left.height > 0)


def _meet(one: Region, other: Region) -> Region | None:
    left, top = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.width, other.x + other.width)
    bottom = min(one.y + one.height, other.y + other.height)
    if right <= left or bottom <= top:
        return None
    return Region(left, top, right - left, bottom - top)
