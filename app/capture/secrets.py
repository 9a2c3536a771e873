"""Secrets in the text of a picture, and where they stand in it: payment cards, keys and tokens,
private keys, e-mail addresses, IBANs; pure, it knows lines of text and no picture.

What is looked for has a form of its own, with a checksum (Luhn: ISO/IEC 7812; mod 97: ISO 13616)
or a published beginning, so that ordinary numbers and hashes are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.capture.patterns import Kind, Span, private_key, spans
from app.vocabulary import Region, TextLine

_PAD = 0.2  # heights of a line around what is hidden: OCR's boxes cut through the outer strokes
_NEAR = 2.5  # heights of a line between two pieces of one row, at most
_LONGEST = 120  # rows of a private key
_WRAPPED: tuple[Kind, ...] = ("key", "token")


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret and the parts of the picture that hide it, in whole pixels."""

    kind: Kind
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line of OCR in pixels; `start` is where its text begins in its row's."""

    line: TextLine
    start: int
    x1: float
    y1: float
    x2: float
    y2: float
    across: float  # the picture's width

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    def cut(self, start: int, end: int) -> Region | None:
        """What hides the row's characters `start` to `end`, as far as they are this piece's: the
        words that hold them, up to their neighbours, or the whole line where no word is known."""
        first, last = start - self.start, end - self.start
        if last <= 0 or first >= len(self.line.text):
            return None
        pad = _PAD * self.height
        words = self.line.words
        held = [at for at, word in enumerate(words) if word.start < last and word.end > first]
        left, right = self.x1 - pad, self.x2 + pad
        if held and held[0] > 0:
            here, before = words[held[0]].x1 * self.across, words[held[0] - 1].x2 * self.across
            left = min(here - pad, max(before, here - 3 * pad))
        if held and held[-1] < len(words) - 1:
            here, after = words[held[-1]].x2 * self.across, words[held[-1] + 1].x1 * self.across
            right = max(here + pad, min(after, here + 3 * pad))
        return _whole(left, self.y1 - pad / 2, right, self.y2 + pad / 2)


@dataclass(frozen=True, slots=True)
class _Row:
    """Pieces that stand beside each other, as one text."""

    text: str
    pieces: tuple[_Piece, ...]

    def cut(self, start: int, end: int) -> tuple[Region, ...]:
        parts = (piece.cut(start, end) for piece in self.pieces)
        return tuple(part for part in parts if part is not None)

    @property
    def right(self) -> float:
        return self.pieces[-1].x2


def find(lines: Sequence[TextLine], width: int, height: int) -> tuple[Secret, ...]:
    """The secrets in a picture of that size, its lines in reading order."""
    rows = _rows(lines, width, height)
    found, kept = [], set[int]()
    for at in range(len(rows)):
        if at in kept:
            continue
        held = private_key([row.text for row in rows[at : at + _LONGEST]])
        if held:
            kept.update(range(at, at + held))
            parts = (rows[n].cut(0, len(rows[n].text)) for n in range(at, at + held))
            found.append(Secret("private key", tuple(p for part in parts for p in part)))
    for at, row in enumerate(rows):
        if at not in kept:
            found += [_secret(rows, at, span) for span in spans(row.text)]
    return tuple(found)


def _secret(rows: Sequence[_Row], at: int, span: Span) -> Secret:
    """A secret with what of it was wrapped onto the rows below."""
    regions = list(rows[at].cut(span.start, span.end))
    if span.kind in _WRAPPED and span.end >= len(rows[at].text):
        for row, length in _wrapped(rows, at):
            regions += row.cut(0, length)
    return Secret(span.kind, tuple(regions))


def _wrapped(rows: Sequence[_Row], at: int) -> Iterator[tuple[_Row, int]]:
    """The rows below that go on with what reached the right edge, and how much of each does."""
    edge = max(row.right for row in rows)
    for row, below in zip(rows[at:], rows[at + 1 :], strict=False):
        last, first = row.pieces[-1], below.pieces[0]
        full = edge - row.right < 3 * last.height
        follows = 0 <= first.y1 - last.y1 < 2.2 * last.height
        word = below.text.split(" ", 1)[0]
        mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
        if not (full and follows and len(word) >= 6 and mixed):
            return
        yield below, len(word)
        if len(word) < len(below.text):
            return


def _rows(lines: Sequence[TextLine], width: int, height: int) -> list[_Row]:
    rows: list[list[_Piece]] = []
    for line in lines:
        box = line.box
        edges = box.x1 * width, box.y1 * height, box.x2 * width, box.y2 * height
        piece = _Piece(line, 0, *edges, width)
        if rows and _beside(rows[-1][-1], piece):
            before = rows[-1][-1]
            start = before.start + len(before.line.text) + 1
            rows[-1].append(_Piece(line, start, *edges, width))
        else:
            rows.append([piece])
    return [_Row(" ".join(p.line.text for p in row), tuple(row)) for row in rows]


def _beside(left: _Piece, right: _Piece) -> bool:
    shared = min(left.y2, right.y2) - max(left.y1, right.y1)
    tall = min(left.height, right.height)
    return shared > tall / 2 and -tall < right.x1 - left.x2 < _NEAR * tall


def _whole(x1: float, y1: float, x2: float, y2: float) -> Region:
    left, top = int(max(0.0, x1)), int(max(0.0, y1))
    return Region(left, top, max(1, -int(-x2 // 1) - left), max(1, -int(-y2 // 1) - top))
