"""A region of a picture being marked, in whole pixels of that picture; pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.vocabulary import Region


@dataclass(frozen=True, slots=True)
class Marking:
    """The picture's size, and what is marked of it, always inside it; None while nothing is."""

    width: int
    height: int
    region: Region | None = None

    @property
    def whole(self) -> Region:
        return Region(0, 0, self.width, self.height)

    def drag(self, x1: float, y1: float, x2: float, y2: float) -> Marking:
        """Marks from one corner to the other, whichever way they lie."""
        left, right = sorted((self._across(x1), self._across(x2)))
        top, bottom = sorted((self._down(y1), self._down(y2)))
        region = Region(left, top, max(1, right - left), max(1, bottom - top))
        return replace(self, region=self._inside(region))

    def move(self, dx: int, dy: int) -> Marking:
        """Shifts the region, as far as the picture goes."""
        at = self.region or self._middle()
        return replace(self, region=self._inside(replace(at, x=at.x + dx, y=at.y + dy)))

    def grow(self, dx: int, dy: int) -> Marking:
        """Moves the bottom right corner; a region is never smaller than one pixel."""
        at = self.region or self._middle()
        width = min(max(1, at.width + dx), self.width - at.x)
        height = min(max(1, at.height + dy), self.height - at.y)
        return replace(self, region=Region(at.x, at.y, width, height))

    def clear(self) -> Marking:
        return replace(self, region=None)

    def holds(self, x: float, y: float) -> bool:
        at = self.region
        return at is not None and (at.x <= x < at.x + at.width and at.y <= y < at.y + at.height)

    def _middle(self) -> Region:
        """Where the keyboard begins: the middle half."""
        return Region(self.width // 4, self.height // 4, self.width // 2, self.height // 2)

    def _inside(self, at: Region) -> Region:
        width, height = min(at.width, self.width), min(at.height, self.height)
        x = min(max(0, at.x), self.width - width)
        y = min(max(0, at.y), self.height - height)
        return Region(x, y, width, height)

    def _across(self, x: float) -> int:
        return min(max(0, round(x)), self.width)

    def _down(self, y: float) -> int:
        return min(max(0, round(y)), self.height)
