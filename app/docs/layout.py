"""Puts pieces of text that stand on a page into reading order; knows boxes and nothing else.

Pieces on one baseline become one line, so that a label keeps its value and a table row its
cells; columns of prose are read one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from app.vocabulary import Box, TextLine, Word

_COLUMN_ROWS = 4  # fewer rows of prose side by side happen by chance
_BLOCK_ROWS = 3
_BLOCK_PITCH = 1.6  # line heights from one line of an address to the next, at most
_BLOCK_GAP = 3.0  # line heights between two addresses side by side, at least
_PROSE = 11.0  # width of a line of prose in line heights, at least
_NUMBER = re.compile(r"[\d.,:%$€£¥()+\-/\s]+\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text in one direction and where it stands, in any unit with the origin top left."""

    text: str
    x1: float
    y1: float
    x2: float
    y2: float
    confidence: float = 1.0
    words: tuple[Word, ...] = ()  # in the same unit

    @property
    def height(self) -> float:
        return self.y2 - self.y1


Row: TypeAlias = list[Piece]


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows `start` to `stop` stand in two columns parted at `gutter`."""

    start: int
    stop: int
    gutter: float


def in_reading_order(pieces: Iterable[Piece]) -> list[Row]:
    """Rows from the first to be read to the last, each from left to right."""
    rows = _rows([piece for piece in pieces if piece.text.strip()])
    ordered: list[Row] = []
    at = 0
    while (band := _next_band(rows, at)) is not None:
        ordered += rows[at : band.start]
        inside = [piece for row in rows[band.start : band.stop] for piece in row]
        ordered += in_reading_order(p for p in inside if (p.x1 + p.x2) / 2 < band.gutter)
        ordered += in_reading_order(p for p in inside if (p.x1 + p.x2) / 2 >= band.gutter)
        at = band.stop
    return ordered + rows[at:]


def text_of(rows: Sequence[Row]) -> str:
    """The rows as text: an empty line where the page leaves room, two spaces between cells."""
    if not rows:
        return ""
    usual = median(_height(row) for row in rows)
    lines = [_line(rows[0])]
    for above, row in pairwise(rows):
        gap = min(p.y1 for p in row) - max(p.y2 for p in above)
        if gap > 1.1 * usual or gap < -2 * usual:  # room, or the top of the next column
            lines.append("")
        lines.append(_line(row))
    return "\n".join(lines)


def text_lines(rows: Sequence[Row], width: float, height: float) -> tuple[TextLine, ...]:
    """Each piece with its box in fractions of the page, in reading order."""
    return tuple(
        TextLine(
            piece.text.strip(),
            _box(piece, width, height),
            piece.confidence,
            tuple(_word(word, width) for word in piece.words),
        )
        for row in rows
        for piece in row
    )


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    """Pieces whose heights overlap by half and that don't stand on each other share a row."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda p: (p.y1 + p.y2, p.x1)):
        for row in reversed(rows[-4:]):
            if _beside(row, piece):
                row.append(piece)
                break
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda p: p.x1)
    return rows


def _beside(row: Row, piece: Piece) -> bool:
    first = row[0]
    shared = min(first.y2, piece.y2) - max(first.y1, piece.y1)
    if shared < 0.5 * min(first.height, piece.height):
        return False
    slack = 0.3 * piece.height
    return all(p.x2 <= piece.x1 + slack or piece.x2 <= p.x1 + slack for p in row)


def _next_band(rows: Sequence[Row], at: int) -> _Band | None:
    for start in range(at, len(rows)):
        tight = _tight(rows, start)
        for left, right in pairwise(rows[start]):
            if right.x1 - left.x2 > 0.6 * min(left.height, right.height):
                strip = left.x2, right.x1
                parted = _part(rows[start:tight], strip)
                if parted.blocks:
                    return _Band(start, start + parted.rows, parted.gutter)
                parted = _part(rows[start:], strip)
                if parted.prose:
                    return _Band(start, start + parted.rows, parted.gutter)
    return None


def _tight(rows: Sequence[Row], start: int) -> int:
    """Where the rows that follow each other without a gap end."""
    for index in range(start + 1, len(rows)):
        above, row = rows[index - 1], rows[index]
        if row[0].y1 - above[0].y1 > _BLOCK_PITCH * max(_height(row), _height(above)):
            return index
    return len(rows)


@dataclass(frozen=True, slots=True)
class _Parted:
    """The first `rows` rows, seen as two columns with an empty strip around `gutter`."""

    rows: int
    gutter: float
    strip: float
    left: list[Row]
    right: list[Row]
    both: int

    @property
    def prose(self) -> bool:
        return self.both >= _COLUMN_ROWS and _is_prose(self.left) and _is_prose(self.right)

    @property
    def blocks(self) -> bool:
        if self.both < _BLOCK_ROWS or self.strip < _BLOCK_GAP * _height(self.left[0]):
            return False
        return _is_block(self.left) and _is_block(self.right)


def _part(rows: Sequence[Row], strip: tuple[float, float]) -> _Parted:
    """Follows the empty strip down the page until something stands in it."""
    low, high = strip
    left: list[Row] = []
    right: list[Row] = []
    both = count = 0
    for row in rows:
        west = [p for p in row if (p.x1 + p.x2) / 2 < (low + high) / 2]
        east = [p for p in row if (p.x1 + p.x2) / 2 >= (low + high) / 2]
        inner = max((p.x2 for p in west), default=low), min((p.x1 for p in east), default=high)
        if min(inner[1], high) - max(inner[0], low) < 0.6 * _height(row):
            break
        low, high = max(inner[0], low), min(inner[1], high)
        both += bool(west and east)
        left += [west] if west else []
        right += [east] if east else []
        count += 1
    return _Parted(count, (low + high) / 2, high - low, left, right, both)


def _is_prose(rows: Sequence[Row]) -> bool:
    """Long lines, not numbers: what a table's columns are not."""
    if len(rows) < _COLUMN_ROWS:
        return False
    wide = [(row[-1].x2 - row[0].x1) / max(_height(row), 1e-6) for row in rows]
    numbers = sum(bool(_NUMBER.match(_line(row))) for row in rows)
    return median(wide) >= _PROSE and numbers * 4 < len(rows)


def _is_block(rows: Sequence[Row]) -> bool:
    """Short lines set tightly below each other, as in an address; a table's rows stand apart,
    and the labels of a form end in a colon."""
    usual = median(_height(row) for row in rows)
    pitches = [below[0].y1 - above[0].y1 for above, below in pairwise(rows)]
    edges = [row[0].x1 for row in rows]
    other = sum(bool(_NUMBER.match(_line(row))) or _line(row).endswith(":") for row in rows)
    return (
        all(len(row) == 1 for row in rows)
        and median(pitches) < _BLOCK_PITCH * usual
        and max(edges) - min(edges) < usual
        and other * 4 < len(rows)
    )


def _line(row: Row) -> str:
    parts = [row[0].text.strip()]
    for left, right in pairwise(row):
        near = right.x1 - left.x2 < 0.9 * max(left.height, right.height)
        parts += [" " if near or parts[-1].endswith(":") else "  ", right.text.strip()]
    return "".join(parts)


def _height(row: Row) -> float:
    return median(piece.height for piece in row)


def _box(piece: Piece, width: float, height: float) -> Box:
    return Box(
        _share(piece.x1, width),
        _share(piece.y1, height),
        _share(piece.x2, width),
        _share(piece.y2, height),
    )


def _word(word: Word, width: float) -> Word:
    return replace(word, x1=_share(word.x1, width), x2=_share(word.x2, width))


def _share(value: float, whole: float) -> float:
    return round(min(1.0, max(0.0, value / whole)), 5)
