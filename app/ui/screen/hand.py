"""What a hand does on the frozen picture: draws a mark, takes one up, moves it, takes it away;
counts in the picture's pixels and knows no widget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import atan2, cos, hypot, pi, sin
from typing import Literal, get_args

from PySide6.QtGui import QRegion

from app.ui.screen.marks import (
    Arrow,
    Box,
    Label,
    Mark,
    Number,
    Pen,
    Pixelate,
    Redact,
    Sheet,
    Style,
    between,
    blocks,
    bounds,
    hidden,
    hit,
    moved,
    touched,
)
from app.vocabulary import Region

Tool = Literal["move", "box", "arrow", "pen", "label", "number", "redact", "pixelate"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
STYLED: tuple[Tool, ...] = ("box", "arrow", "pen", "label", "number")  # those with a colour
WIDTHS = (2, 4, 8)  # logical px of a line
SIZES = (16, 22, 32)  # logical px of a text beside it
BLOCK = 24  # logical px: no letter of a text on a screen is left in two of them
SLACK, STEP, LEAST = 5, 2, 3  # logical px: around a click; between a stroke's points; of a mark


class Hand:
    """`sheet` is what was done, `draft` what is being done. Every deed answers with the region
    that has to be drawn again, empty for none."""

    def __init__(self, width: int, height: int, ratio: float) -> None:
        self._across, self._down = width, height
        self.ratio = ratio  # picture pixels per logical one
        self.tool: Tool = "move"
        self.colour = "#E5484D"
        self.weight = 1  # which of WIDTHS
        self.sheet = Sheet()
        self.draft: Mark | None = None
        self.chosen: Mark | None = None
        self._from = (0.0, 0.0)
        self._room = Region(0, 0, width, height)

    def enter(self, room: Region) -> None:
        """Marks are made inside `room` from now on."""
        self._room = room

    def take(self, tool: str) -> None:
        """A tool by its name; the one that is in the hand is put away."""
        known: Tool = next((name for name in TOOLS if name == tool), "move")
        self.tool = "move" if known == self.tool else known

    @property
    def style(self) -> Style:
        ratio = self.ratio
        return Style(self.colour, WIDTHS[self.weight] * ratio, SIZES[self.weight] * ratio)

    @property
    def busy(self) -> bool:
        return self.draft is not None

    def shown(self) -> tuple[Mark, ...]:
        """The marks as they are seen now: the one being moved where it is moved to."""
        if self.draft is None:
            return self.sheet.marks
        if self.chosen is None:
            return (*self.sheet.marks, self.draft)
        return tuple(self.draft if m is self.chosen else m for m in self.sheet.marks)

    def under(self, x: float, y: float) -> Mark | None:
        """The mark that a press at this point would take up."""
        return self.sheet.at(x, y, SLACK * self.ratio) if self.tool == "move" else None

    # --- drawing ----------------------------------------------------------------------------

    def press(self, x: float, y: float) -> QRegion:
        """Begins a mark with the tool, or takes one up. A label is written, not drawn."""
        before = self._around_chosen()
        self.chosen = self.under(x, y)
        x, y = (x, y) if self.chosen else self._inside(x, y)
        self._from = (x, y)
        self.draft = self.chosen or self._begun(x, y)
        return before.united(self._around(self.draft))

    def move(self, x: float, y: float, *, straight: bool = False) -> QRegion:
        """Goes on with it; `straight` keeps a box square and an arrow at a whole angle."""
        if self.draft is None:
            return QRegion()
        old = self.draft
        if self.chosen is not None:
            self.draft = self._moved(self.chosen, x - self._from[0], y - self._from[1])
        else:
            self.draft = self._grown(old, *self._inside(x, y), straight=straight)
        if self.chosen is not None:
            return self._around(old).united(self._around(self.draft))
        return between(old, self.draft)

    def release(self) -> QRegion:
        """Lets go: what was drawn or moved stands, one step that can be undone."""
        draft, self.draft = self.draft, None
        if draft is None:
            return QRegion()
        if self.chosen is not None:
            self.sheet = self.sheet.swap(self.chosen, draft)
            self.chosen = draft
        elif self._seen(draft):
            self.sheet = self.sheet.add(draft)
        else:
            return self._around(draft)
        return QRegion()

    def drop(self) -> QRegion:
        """Lets go of everything and leaves all as it was."""
        draft, self.draft = self.draft, None
        around = self._around(draft).united(self._around_chosen())
        self.chosen = None
        return around

    def _begun(self, x: float, y: float) -> Mark | None:
        style = self.style
        match self.tool:
            case "box":
                return Box(x, y, x, y, style)
            case "arrow":
                return Arrow(x, y, x, y, style)
            case "pen":
                return Pen.begin(x, y, style)
            case "number":
                return Number(x, y, self.sheet.next_number(), style)
            case "redact":
                return Redact(hidden(x, y, x, y))
            case "pixelate":
                return self._blocks(hidden(x, y, x, y))
            case "move" | "label":
                return None

    def _grown(self, draft: Mark, x: float, y: float, *, straight: bool) -> Mark:
        fx, fy = self._from
        match draft:
            case Box() | Arrow():
                if straight:
                    turn = _square if isinstance(draft, Box) else _angle
                    x, y = self._inside(*turn(fx, fy, x, y))
                return replace(draft, x2=x, y2=y)
            case Pen():
                near = hypot(x - draft.points[-1][0], y - draft.points[-1][1])
                return draft if near < STEP * self.ratio else draft.on(x, y)
            case Number() | Label():
                return replace(draft, x=x, y=y)
            case Redact():
                return Redact(hidden(fx, fy, x, y))
            case Pixelate():
                return self._blocks(hidden(fx, fy, x, y))

    def _seen(self, draft: Mark) -> bool:
        """Whether it was drawn at all: a box or an arrow of a click is none."""
        least = LEAST * self.ratio
        match draft:
            case Box() | Arrow():
                return hypot(draft.x2 - draft.x1, draft.y2 - draft.y1) >= least
            case Redact():
                return min(draft.region.width, draft.region.height) >= least
            case _:
                return True

    # --- what is there ----------------------------------------------------------------------

    def write(self, x: float, y: float, text: str, old: Label | None = None) -> QRegion:
        """A label, in the place of an old one where there is one; an empty one is none."""
        new = Label(x, y, text, old.style if old else self.style) if text.strip() else None
        around = self._around(new).united(self._around(old))
        if old is not None:
            self.sheet = self.sheet.swap(old, new)
        elif new is not None:
            self.sheet = self.sheet.add(new)
        return around

    def hide(self, regions: Iterable[Region]) -> QRegion:
        """Blackens all of them, as one step, under what was drawn."""
        marks = tuple(Redact(region) for region in regions)
        self.sheet = self.sheet.put((*marks, *self.sheet.marks))
        return self._all(marks)

    def hides(self, region: Region) -> bool:
        """Whether nothing of `region` is seen any more, by one mark that hides."""
        return any(
            isinstance(mark, Redact | Pixelate) and _covers(mark.region, region)
            for mark in self.sheet.marks
        )

    def label_at(self, x: float, y: float) -> Label | None:
        """The label that a click with the text tool goes on with."""
        marks = (m for m in reversed(self.sheet.marks) if isinstance(m, Label))
        return next((mark for mark in marks if hit(mark, x, y, 0)), None)

    def restyle(self) -> QRegion:
        """The chosen mark in the colour and width that are chosen now."""
        old = self.chosen
        if old is None or isinstance(old, Redact | Pixelate):
            return QRegion()
        before = self._around(old)
        self.chosen = replace(old, style=self.style)
        self.sheet = self.sheet.swap(old, self.chosen)
        return before.united(self._around(self.chosen))

    def remove(self) -> QRegion:
        old, self.chosen = self.chosen, None
        if old is None:
            return QRegion()
        self.sheet = self.sheet.swap(old, None)
        return self._around(old)

    def nudge(self, dx: int, dy: int) -> QRegion:
        """Moves the chosen mark; blocks move by whole blocks."""
        old = self.chosen
        if old is None:
            return QRegion()
        step = old.block if isinstance(old, Pixelate) else 1
        before = self._around(old)
        self.chosen = self._moved(old, dx * step, dy * step)
        self.sheet = self.sheet.swap(old, self.chosen)
        return before.united(self._around(self.chosen))

    def undo(self) -> QRegion:
        return self._turn(self.sheet.undo())

    def redo(self) -> QRegion:
        return self._turn(self.sheet.redo())

    def _turn(self, sheet: Sheet) -> QRegion:
        before, self.sheet = self.sheet.marks, sheet
        self.chosen = self.draft = None
        changed = [m for m in (*before, *sheet.marks) if not (m in before and m in sheet.marks)]
        return self._all(changed)

    # --- arithmetic -------------------------------------------------------------------------

    def _moved(self, mark: Mark, dx: float, dy: float) -> Mark:
        """What hides stays in the picture, and blocks stay whole."""
        if not isinstance(mark, Redact | Pixelate):
            return moved(mark, dx, dy)
        at = mark.region
        x = min(max(0, at.x + round(dx)), self._across - at.width)
        y = min(max(0, at.y + round(dy)), self._down - at.height)
        if isinstance(mark, Redact):
            return Redact(replace(at, x=x, y=y))
        block = mark.block
        x, y = (x + block // 2) // block * block, (y + block // 2) // block * block
        wide, high = (-(-at.width // block) * block, -(-at.height // block) * block)
        return self._blocks(Region(x, y, wide, high))

    def _blocks(self, region: Region) -> Pixelate:
        block = max(16, round(BLOCK * self.ratio))
        return Pixelate(blocks(region, block, self._across, self._down), block)

    def _inside(self, x: float, y: float) -> tuple[float, float]:
        room = self._room
        return (
            min(max(float(room.x), x), float(room.x + room.width)),
            min(max(float(room.y), y), float(room.y + room.height)),
        )

    def _around(self, mark: Mark | None) -> QRegion:
        return QRegion() if mark is None else QRegion(bounds(mark).toAlignedRect())

    def _around_chosen(self) -> QRegion:
        return self._around(self.chosen)

    def _all(self, marks: Sequence[Mark]) -> QRegion:
        around = QRegion()
        for mark in marks:
            around = around.united(touched(mark))
        return around


def _covers(outer: Region, inner: Region) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and outer.x + outer.width >= inner.x + inner.width
        and outer.y + outer.height >= inner.y + inner.height
    )


def _square(fx: float, fy: float, x: float, y: float) -> tuple[float, float]:
    side = max(abs(x - fx), abs(y - fy))
    return fx + (side if x >= fx else -side), fy + (side if y >= fy else -side)


def _angle(fx: float, fy: float, x: float, y: float) -> tuple[float, float]:
    turn = round(atan2(y - fy, x - fx) / (pi / 4)) * pi / 4
    long = hypot(x - fx, y - fy)
    return fx + long * cos(turn), fy + long * sin(turn)
