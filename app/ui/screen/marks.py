"""What is drawn on a frozen picture: boxes, arrows, strokes, texts, numbers, and what hides a part
of it, with their geometry and their undoing; pure values in the picture's own pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot
from typing import TypeAlias, assert_never

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QRegion

from app.vocabulary import Region

HEAD = 4.0  # an arrow's head in widths of its line
LEAST_HEAD = 14.0  # px
PIECES = 24  # of a long arrow, at most, each drawn anew by itself
HALO = 0.11  # of a text's size, around it


@dataclass(frozen=True, slots=True)
class Style:
    """`colour` as #rrggbb; `width` of a line and `size` of a text in the picture's pixels."""

    colour: str
    width: float
    size: float


@dataclass(frozen=True, slots=True)
class Box:
    x1: float
    y1: float
    x2: float
    y2: float
    style: Style


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the first point to the second, where its head is."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: Style


@dataclass(frozen=True, slots=True)
class Pen:
    """A stroke through points; `x1` to `y2` is the rectangle around them, which a stroke of
    thousands has to know without looking at each."""

    points: tuple[tuple[float, float], ...]
    x1: float
    y1: float
    x2: float
    y2: float
    style: Style

    @classmethod
    def begin(cls, x: float, y: float, style: Style) -> Pen:
        return cls(((x, y),), x, y, x, y, style)

    def on(self, x: float, y: float) -> Pen:
        """The stroke gone on to a point."""
        return Pen(
            (*self.points, (x, y)),
            min(self.x1, x),
            min(self.y1, y),
            max(self.x2, x),
            max(self.y2, y),
            self.style,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """`x`, `y` is the top left corner of the first line."""

    x: float
    y: float
    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Number:
    """A disc around `x`, `y` with a number in it."""

    x: float
    y: float
    value: int
    style: Style


@dataclass(frozen=True, slots=True)
class Redact:
    """Black, every pixel."""

    region: Region


@dataclass(frozen=True, slots=True)
class Pixelate:
    """Blocks, each the average of what it hides. `region` is whole blocks, but for the picture's
    own edges, so that none is an average of a few hidden pixels only."""

    region: Region
    block: int


Mark: TypeAlias = Box | Arrow | Pen | Label | Number | Redact | Pixelate
Hide = Redact | Pixelate


# --- where they are -------------------------------------------------------------------------


def label_font(size: float) -> QFont:
    font = QGuiApplication.font()
    font.setPixelSize(max(1, round(size)))
    font.setWeight(QFont.Weight.DemiBold)
    return font


def line_height(size: float) -> float:
    return QFontMetricsF(label_font(size)).lineSpacing()


def head(arrow: Arrow) -> float:
    """How long its head is: never longer than the arrow."""
    long = hypot(arrow.x2 - arrow.x1, arrow.y2 - arrow.y1)
    return min(max(LEAST_HEAD, HEAD * arrow.style.width), long)


def radius(number: Number) -> float:
    return number.style.size * (0.8 if number.value < 10 else 0.95)


def bounds(mark: Mark) -> QRectF:
    """All that the mark touches."""
    match mark:
        case Box():
            return _around(mark.x1, mark.y1, mark.x2, mark.y2, mark.style.width / 2 + 1)
        case Arrow():
            wide = head(mark) * 0.6 + mark.style.width
            return _around(mark.x1, mark.y1, mark.x2, mark.y2, wide + 1)
        case Pen():
            return _around(mark.x1, mark.y1, mark.x2, mark.y2, mark.style.width / 2 + 2)
        case Label():
            return _text_bounds(mark)
        case Number():
            return _around(mark.x, mark.y, mark.x, mark.y, radius(mark) + 3)
        case Redact() | Pixelate():
            at = mark.region
            return QRectF(at.x, at.y, at.width, at.height)
        case _:
            assert_never(mark)


def touched(mark: Mark) -> QRegion:
    """Where it has ink, in a few rectangles: a large box is not drawn anew for its four edges."""
    match mark:
        case Box():
            whole, edge = bounds(mark).toAlignedRect(), int(mark.style.width) + 4
            return QRegion(whole).subtracted(QRegion(whole.adjusted(edge, edge, -edge, -edge)))
        case Arrow():
            return _along(mark)
        case _:
            return QRegion(bounds(mark).toAlignedRect())


def between(old: Mark, new: Mark) -> QRegion:
    """What looks different when the one stands in the other's place."""
    if isinstance(old, Redact | Pixelate) and isinstance(new, Redact | Pixelate):
        return QRegion(rect(old.region)).xored(QRegion(rect(new.region)))
    if isinstance(old, Pen) and isinstance(new, Pen):  # the same stroke, gone on
        tail = new.points[max(0, len(old.points) - 2) :]
        changed = path_bounds(tail, new.style.width).toAlignedRect()
        return QRegion() if new is old else QRegion(changed)
    return touched(old).united(touched(new))


def _along(arrow: Arrow) -> QRegion:
    """Squares along its line."""
    by = head(arrow) * 0.6 + arrow.style.width + 1
    dx, dy = arrow.x2 - arrow.x1, arrow.y2 - arrow.y1
    count = min(PIECES, 1 + int(max(abs(dx), abs(dy)) // (4 * by)))
    region = QRegion()
    for at in range(count):
        x1, y1 = arrow.x1 + dx * at / count, arrow.y1 + dy * at / count
        piece = _around(x1, y1, x1 + dx / count, y1 + dy / count, by)
        region = region.united(piece.toAlignedRect())
    return region


def path_bounds(points: tuple[tuple[float, float], ...], width: float) -> QRectF:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return _around(min(xs), min(ys), max(xs), max(ys), width / 2 + 2)


def moved(mark: Mark, dx: float, dy: float) -> Mark:
    match mark:
        case Box() | Arrow() | Pen():
            x1, y1, x2, y2 = mark.x1 + dx, mark.y1 + dy, mark.x2 + dx, mark.y2 + dy
            there = replace(mark, x1=x1, y1=y1, x2=x2, y2=y2)
            if not isinstance(there, Pen):
                return there
            return replace(there, points=tuple((x + dx, y + dy) for x, y in there.points))
        case Label() | Number():
            return replace(mark, x=mark.x + dx, y=mark.y + dy)
        case Redact() | Pixelate():
            at = mark.region
            return replace(mark, region=replace(at, x=at.x + round(dx), y=at.y + round(dy)))
        case _:
            assert_never(mark)


def hit(mark: Mark, x: float, y: float, slack: float) -> bool:
    """Whether a click at that point, give or take `slack`, means this mark."""
    match mark:
        case Box():
            outer = _around(mark.x1, mark.y1, mark.x2, mark.y2, mark.style.width / 2 + slack)
            inner = _around(mark.x1, mark.y1, mark.x2, mark.y2, -mark.style.width / 2 - slack)
            return outer.contains(x, y) and not inner.contains(x, y)
        case Arrow():
            line = ((mark.x1, mark.y1), (mark.x2, mark.y2))
            return _apart(line, x, y) <= mark.style.width / 2 + slack
        case Pen():
            return _apart(mark.points, x, y) <= mark.style.width / 2 + slack
        case _:
            return bounds(mark).adjusted(-slack, -slack, slack, slack).contains(x, y)


def hidden(x1: float, y1: float, x2: float, y2: float) -> Region:
    """The whole pixels that a drag between two corners touches."""
    left, right = sorted((x1, x2))
    top, bottom = sorted((y1, y2))
    x, y = int(left // 1), int(top // 1)
    return Region(x, y, max(1, -int(-right // 1) - x), max(1, -int(-bottom // 1) - y))


def blocks(region: Region, block: int, width: int, height: int) -> Region:
    """`region` widened to whole blocks of a picture of that size."""
    x, y = max(0, region.x) // block * block, max(0, region.y) // block * block
    right = min(width, -(-(region.x + region.width) // block) * block)
    bottom = min(height, -(-(region.y + region.height) // block) * block)
    return Region(x, y, max(1, right - x), max(1, bottom - y))


def rect(region: Region) -> QRect:
    return QRect(region.x, region.y, region.width, region.height)


def _around(x1: float, y1: float, x2: float, y2: float, by: float) -> QRectF:
    span = QRectF(QPointF(min(x1, x2), min(y1, y2)), QPointF(max(x1, x2), max(y1, y2)))
    return span.adjusted(-by, -by, by, by)


def _text_bounds(label: Label) -> QRectF:
    measure = QFontMetricsF(label_font(label.style.size))
    lines = label.text.split("\n")
    wide = max(measure.horizontalAdvance(line) for line in lines)
    halo = HALO * label.style.size + 2
    high = measure.lineSpacing() * len(lines)
    return QRectF(label.x, label.y, wide, high).adjusted(-halo, -halo, halo, halo)


def _apart(points: tuple[tuple[float, float], ...], x: float, y: float) -> float:
    """How far a point is from the nearest of a path's lines."""
    if len(points) == 1:
        return hypot(points[0][0] - x, points[0][1] - y)
    return min(_from_line(one, other, x, y) for one, other in pairwise(points))


def _from_line(a: tuple[float, float], b: tuple[float, float], x: float, y: float) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    long = dx * dx + dy * dy
    along = 0.0 if long == 0 else ((x - a[0]) * dx + (y - a[1]) * dy) / long
    along = min(1.0, max(0.0, along))
    return hypot(a[0] + along * dx - x, a[1] + along * dy - y)


# --- what was done --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sheet:
    """The marks as they stand, and what they were before and after."""

    marks: tuple[Mark, ...] = ()
    before: tuple[tuple[Mark, ...], ...] = ()
    after: tuple[tuple[Mark, ...], ...] = ()

    def put(self, marks: tuple[Mark, ...]) -> Sheet:
        """One step that can be undone; what was undone is forgotten."""
        return self if marks == self.marks else Sheet(marks, (*self.before, self.marks))

    def add(self, *marks: Mark) -> Sheet:
        return self.put((*self.marks, *marks))

    def swap(self, old: Mark, new: Mark | None) -> Sheet:
        """`new` in the place of `old`; None takes it away."""
        at = next(n for n, mark in enumerate(self.marks) if mark is old)
        return self.put((*self.marks[:at], *((new,) if new else ()), *self.marks[at + 1 :]))

    def undo(self) -> Sheet:
        if not self.before:
            return self
        return Sheet(self.before[-1], self.before[:-1], (self.marks, *self.after))

    def redo(self) -> Sheet:
        if not self.after:
            return self
        return Sheet(self.after[0], (*self.before, self.marks), self.after[1:])

    def next_number(self) -> int:
        return max((m.value for m in self.marks if isinstance(m, Number)), default=0) + 1

    def at(self, x: float, y: float, slack: float) -> Mark | None:
        """The topmost mark under a point."""
        return next((mark for mark in reversed(self.marks) if hit(mark, x, y, slack)), None)
