"""What the recorded area shows, kept between two looks: finds what changed, hides what must not be
seen, draws the pointer. Pure; it knows no screen and no file.

Pixels are BGRX in arrays `[rows, columns, 4]` of bytes; places count from the area's own corner.
The sizes are even, as H.264 wants them: an odd area repeats its last row or column.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.vocabulary import Region

Pixels = NDArray[np.uint8]
_BAND = 64  # rows that are compared at once: a difference is narrowed within its own
_ROWS = 4  # of a patch, at least
_LARGE = 1 << 20  # bytes from which memory is used again
_SPARES = 2
_MOST = 24  # patches of one look; more become one


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A part of the picture as it is now, at even places and of even size. `memory` goes back to
    the canvas when the pixels are done with."""

    x: int
    y: int
    pixels: Pixels
    memory: Pixels | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pointer:
    """The pointer's picture, BGRA with the colours multiplied by alpha, and its top left corner."""

    x: int
    y: int
    pixels: Pixels
    serial: int

    @property
    def place(self) -> Region:
        return Region(self.x, self.y, self.pixels.shape[1], self.pixels.shape[0])


class Canvas:
    """`width` and `height` are the area's; the picture's are `size`, rounded up to even."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self.size = (width + width % 2, height + height % 2)
        self._pixels = np.full((self.size[1], self.size[0], 4), 0, np.uint8)
        self._pointer: Pointer | None = None
        self._hidden: tuple[Region, ...] = ()
        self._stale: list[Region] = []  # to be handed out at the next take
        self.renew()
        self._spare: queue.SimpleQueue[Pixels] = queue.SimpleQueue()
        for _ in range(_SPARES):
            # written to now: fresh memory costs 50 ms for a 4K picture when it is first used
            self._spare.put(np.full(self._pixels.size, 0, np.uint8))

    def hide(self, hidden: Iterable[Region]) -> None:
        """From now on these parts are black."""
        self._hidden = tuple(hidden)

    def renew(self) -> None:
        """Has the next take hand out everything."""
        self._stale = [Region(0, 0, self._width, self._height)]

    def recycle(self, patch: Patch) -> None:
        """Takes the memory of a patch back, from whatever thread."""
        if patch.memory is not None:
            self._spare.put(patch.memory)

    def put(self, x: int, y: int, pixels: Pixels) -> bool:
        """Takes what the screen shows at a place; whether it differs from what was known."""
        seen = self._veiled(x, y, pixels)
        height = seen.shape[0]
        changed = False
        for top in range(0, height, _BAND):
            band = seen[top : top + _BAND]
            changed |= self._put_band(x, y + top, band)
        return changed

    def take(self, pointer: Pointer | None) -> tuple[Patch, ...]:
        """What differs from the last take, with the pointer on it; empty where nothing does."""
        if _differs(pointer, self._pointer):
            shown = (each.place for each in (pointer, self._pointer) if each is not None)
            self._stale += filter(None, map(self._clipped, shown))
        self._pointer = pointer
        parts, self._stale = self._stale, []
        return tuple(self._cut(part) for part in merged([self._even(part) for part in parts]))

    def _put_band(self, x: int, y: int, band: Pixels) -> bool:
        known = self._pixels[y : y + band.shape[0], x : x + band.shape[1]]
        differs = _words(known) != _words(band)
        rows = np.flatnonzero(differs.any(axis=1))
        if not rows.size:
            return False
        columns = np.flatnonzero(differs.any(axis=0))
        top, left = int(rows[0]), int(columns[0])
        bottom, right = int(rows[-1]) + 1, int(columns[-1]) + 1
        known[top:bottom, left:right] = band[top:bottom, left:right]
        self._stale.append(Region(x + left, y + top, right - left, bottom - top))
        return True

    def _veiled(self, x: int, y: int, pixels: Pixels) -> Pixels:
        seen = pixels
        for region in self._hidden:
            left, top = max(region.x - x, 0), max(region.y - y, 0)
            right, bottom = region.x + region.width - x, region.y + region.height - y
            if right > left and bottom > top and left < seen.shape[1] and top < seen.shape[0]:
                seen = seen.copy() if seen is pixels else seen
                seen[top:bottom, left:right] = 0
        return seen

    def _clipped(self, part: Region) -> Region | None:
        left, top = max(part.x, 0), max(part.y, 0)
        right = min(part.x + part.width, self._width)
        bottom = min(part.y + part.height, self._height)
        inside = right > left and bottom > top
        return Region(left, top, right - left, bottom - top) if inside else None

    def _even(self, part: Region) -> Region:
        """At even places, and four rows at least: fewer are converted less exactly."""
        left, top = part.x - part.x % 2, part.y - part.y % 2
        right, bottom = part.x + part.width, part.y + part.height
        bottom += bottom % 2
        top = max(0, min(top, bottom - _ROWS))
        bottom = min(max(bottom, top + _ROWS), self.size[1])
        return Region(left, top, right + right % 2 - left, bottom - top)

    def _cut(self, part: Region) -> Patch:
        right, bottom = part.x + part.width, part.y + part.height
        pixels, memory = self._room(part)
        np.copyto(pixels, self._pixels[part.y : bottom, part.x : right])
        if self._pointer is not None:
            blend(pixels, self._pointer, part.x, part.y)
        if right > self._width:
            pixels[:, -1] = pixels[:, -2]
        if bottom > self._height:
            pixels[-1] = pixels[-2]
        return Patch(part.x, part.y, pixels, memory)

    def _room(self, part: Region) -> tuple[Pixels, Pixels | None]:
        """Memory for a part's pixels: for large ones such as was used before, if any is free."""
        shape = (part.height, part.width, 4)
        if part.width * part.height * 4 < _LARGE:
            return np.empty(shape, np.uint8), None
        try:
            memory = self._spare.get_nowait()
        except queue.Empty:
            return np.empty(shape, np.uint8), None
        return memory[: part.width * part.height * 4].reshape(shape), memory


def blend(pixels: Pixels, pointer: Pointer, x: int, y: int) -> None:
    """Draws the pointer on `pixels`, whose corner stands at `x`, `y`."""
    left, top = max(pointer.x - x, 0), max(pointer.y - y, 0)
    right = min(pointer.x - x + pointer.pixels.shape[1], pixels.shape[1])
    bottom = min(pointer.y - y + pointer.pixels.shape[0], pixels.shape[0])
    if right <= left or bottom <= top:
        return
    dx, dy = pointer.x - x, pointer.y - y
    over = pointer.pixels[top - dy : bottom - dy, left - dx : right - dx].astype(np.uint16)
    under = pixels[top:bottom, left:right, :3].astype(np.uint16)
    mixed = over[..., :3] + under * (255 - over[..., 3:]) // 255
    pixels[top:bottom, left:right, :3] = np.minimum(mixed, 255)


def merged(parts: list[Region]) -> list[Region]:
    """The same places in fewer rectangles: those that touch or nearly do become one, and where
    there are still many, all do."""
    kept: list[Region] = []
    for part in parts:
        whole = part
        while (near := next((other for other in kept if _worth(other, whole)), None)) is not None:
            kept.remove(near)
            whole = union(near, whole)
        kept.append(whole)
    if len(kept) <= _MOST:
        return kept
    whole = kept[0]
    for part in kept[1:]:
        whole = union(whole, part)
    return [whole]


def union(one: Region, other: Region) -> Region:
    left, top = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Region(left, top, right - left, bottom - top)


def _worth(one: Region, other: Region) -> bool:
    """One rectangle is cheaper than two where it holds little besides them."""
    whole = union(one, other)
    apart = one.width * one.height + other.width * other.height
    return whole.width * whole.height <= apart + 4096


def _differs(one: Pointer | None, other: Pointer | None) -> bool:
    if one is None or other is None:
        return one is not other
    return (one.x, one.y, one.serial) != (other.x, other.y, other.serial)


def _words(pixels: Pixels) -> NDArray[np.uint32]:
    """A pixel as one number; the arrays may be parts of larger ones."""
    if not pixels.flags.c_contiguous and pixels.strides[1:] != (4, 1):
        pixels = np.ascontiguousarray(pixels)
    return pixels.view(np.uint32)[..., 0]
