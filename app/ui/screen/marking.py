"""A region of a picture being marked, in whole pixels of that picture; pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.vocabulary import Region

Grip = tuple[int, int]  # which edges are held: -1 left or top, 1 right or bottom, 0 neither
_NEAR = 3  # times the reach: a region narrower than that is held at its outside only


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

    def grip(self, x: float, y: float, reach: float) -> Grip | None:
        """The edge or corner within `reach` of a point; None beside all of them. A small region
        leaves its inside free, or it could not be moved any more."""
        at = self.region
        if at is None:
            return None
        inner_x = reach if at.width > _NEAR * reach else 0
        inner_y = reach if at.height > _NEAR * reach else 0
        across = _end(x, at.x, at.x + at.width, reach, inner_x)
        down = _end(y, at.y, at.y + at.height, reach, inner_y)
        return (
            None if across is None or down is None or (across, down) == (0, 0) else (across, down)
        )

    def pull(self, grip: Grip, x: float, y: float) -> Marking:
        """Takes the held edges to a point, past the opposite ones too."""
        at = self.region or self._middle()
        left, top, right, bottom = at.x, at.y, at.x + at.width, at.y + at.height
        across, down = grip
        return self.drag(
            x if across < 0 else left,
            y if down < 0 else top,
            x if across > 0 else right,
            y if down > 0 else bottom,
        )

    def put(self, region: Region) -> Marking:
        """Marks the part of `region` that lies in the picture; nothing where none does."""
        left, top = max(0, region.x), max(0, region.y)
        right = min(self.width, region.x + region.width)
        bottom = min(self.height, region.y + region.height)
        if right <= left or bottom <= top:
            return self.clear()
        return replace(self, region=Region(left, top, right - left, bottom - top))

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


def _end(at: float, low: float, high: float, outer: float, inner: float) -> int | None:
    """-1 near the low end, 1 near the high one, 0 between them, None beside both."""
    if at < low - outer or at > high + outer:
        return None
    if at <= low + inner:
        return -1
    return 1 if at >= high - inner else 0
