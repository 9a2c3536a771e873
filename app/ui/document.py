"""Writes rows into a QTextDocument, at its end only; knows no markdown and no widget.

What is settled is never touched again. The open rows at the end are compared with what they
become, and only the difference is written: a selection in them survives, and a growing line costs
as much as what grew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from PySide6.QtGui import (
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QTextOption,
    QTextTable,
)

from app.ui.formats import Formats
from app.ui.highlight import Line, units
from app.ui.rows import Grid, Piece, Row, Run

# A line may break, a block may not; and the marks that Qt keeps for frames and pictures are no
# text. One character for one, so that positions can be counted in either.
SAFE = str.maketrans("\n\r\u2029\ufdd0\ufdd1\ufffc\0", "\u2028 \u2028\ufffd\ufffd\ufffd\ufffd")
KEEP, END = QTextCursor.MoveMode.KeepAnchor, QTextCursor.MoveOperation.End


@dataclass(slots=True)
class Code:
    """One piece of code on the page: where its first line stands, and how many there are."""

    start: int
    language: str
    lines: int = 1
    settled: bool = False


@dataclass(frozen=True, slots=True)
class _Placed:
    """An open piece from `start`: where the document ended before it, whether that line was
    free, and how the line of a row is set."""

    piece: Piece
    end: int
    free: bool
    start: int
    table: QTextTable | None
    form: QTextBlockFormat


class Document:
    """The writer of one text document."""

    def __init__(self, text: QTextDocument, formats: Formats) -> None:
        self.text = text
        self.formats = formats
        self.codes: list[Code] = []
        self._open: list[_Placed] = []
        self._last: _Placed | None = None  # the last settled piece
        self._free = True  # the last line holds nothing yet
        text.setUndoRedoEnabled(False)
        text.setDocumentMargin(0)
        text.setDefaultTextOption(_option())

    @property
    def empty(self) -> bool:
        return self._last is None and not self._open

    @property
    def ends_with_code(self) -> bool:
        last = self._before(len(self._open))
        return last is not None and isinstance(last.piece, Row) and last.piece.kind == "code"

    def settle(self, pieces: Sequence[Piece]) -> None:
        """Writes pieces for good, in the place of what is open."""
        self.show(pieces)
        if self._open:
            self._last = self._open[-1]
            self._open.clear()
        for code in reversed(self.codes):
            if code.settled:
                break
            code.settled = True

    def show(self, pieces: Sequence[Piece]) -> None:
        """Makes `pieces` what is open at the end."""
        same = _same(self._open, pieces)
        if same == len(self._open) == len(pieces):
            return
        cursor = QTextCursor(self.text)
        cursor.beginEditBlock()
        mended = same < min(len(self._open), len(pieces)) and _alike(
            self._open[same].piece, pieces[same]
        )
        self._cut(cursor, same + mended)
        if mended:
            self._mend(cursor, same, pieces[same])
        for piece in pieces[same + mended :]:
            self._place(cursor, piece)
        cursor.endEditBlock()

    def extend(self, lines: Sequence[str]) -> None:
        """More of the code that is open: the rest of its last line, and new ones."""
        last = self._open[-1].piece
        if not isinstance(last, Row) or last.kind != "code":
            return
        cursor = QTextCursor(self.text)
        cursor.beginEditBlock()
        text = last.text + lines[0]
        self._mend(cursor, len(self._open) - 1, replace(last, runs=(Run(text),) if text else ()))
        for line in lines[1:]:
            self._place(cursor, replace(last, runs=(Run(line),) if line else (), first=False))
        cursor.endEditBlock()

    def code_text(self, code: Code) -> str:
        block = self.text.findBlock(code.start)
        lines: list[str] = []
        for _ in range(code.lines):
            lines.append(block.text())
            block = block.next()
        return "\n".join(lines)

    def colour(self, code: Code, lines: Sequence[Line], first: int) -> None:
        """Colours some lines of code, the first of them number `first`. Their text, and so a
        selection in it, is not touched."""
        start = self.text.findBlock(code.start).blockNumber() + first
        cursor = QTextCursor(self.text)
        cursor.beginEditBlock()
        for number, line in enumerate(lines[: max(0, code.lines - first)]):
            block = self.text.findBlockByNumber(start + number)
            block.layout().setFormats(
                [self._range(span.start, span.length, span.part) for span in line]
            )
        cursor.endEditBlock()

    def _range(self, start: int, length: int, part: str) -> QTextLayout.FormatRange:
        made = QTextLayout.FormatRange()
        made.start, made.length = start, length
        made.format = self.formats.parts[part]  # type: ignore[index]
        return made

    # --- at the end of the document ---------------------------------------------------------

    def _before(self, index: int) -> _Placed | None:
        return self._open[index - 1] if index else self._last

    def _cut(self, cursor: QTextCursor, keep: int) -> None:
        if keep >= len(self._open):
            return
        first, before = self._open[keep], self._before(keep)
        cursor.setPosition(first.end)
        cursor.movePosition(END, KEEP)
        cursor.removeSelectedText()
        self._free = first.free
        if before is not None and not first.free:
            cursor.setBlockFormat(before.form)  # an empty line takes that of the removed one
        for placed in reversed(self._open[keep:]):
            self._forget_code(placed.piece)
        del self._open[keep:]

    def _place(self, cursor: QTextCursor, piece: Piece) -> None:
        before = self._before(len(self._open))
        after = before.piece if before is not None else None
        cursor.movePosition(END)
        end, free = cursor.position(), self._free
        if isinstance(piece, Row):
            form = self._place_row(cursor, piece, after)
            start = cursor.block().position()
            self._note_code(piece, start)
            self._open.append(_Placed(piece, end, free, start, None, form))
        else:
            table = self._place_table(cursor, piece, after)
            seam = self.formats.seam
            self._open.append(_Placed(piece, end, free, table.firstPosition(), table, seam))

    def _note_code(self, row: Row, start: int) -> None:
        if row.kind == "code" and row.first:
            self.codes.append(Code(start, row.language))
        elif row.kind == "code":
            self.codes[-1].lines += 1

    def _forget_code(self, piece: Piece) -> None:
        if isinstance(piece, Row) and piece.kind == "code":
            self.codes[-1].lines -= 1
            if piece.first:
                self.codes.pop()

    def _place_row(self, cursor: QTextCursor, row: Row, after: Piece | None) -> QTextBlockFormat:
        block = self.formats.block(row, after)
        char = self.formats.char(row.runs[0] if row.runs else Run(""), row)
        if self._free:
            cursor.setBlockFormat(block)
            cursor.setBlockCharFormat(char)
        else:
            cursor.insertBlock(block, char)
        self._free = False
        self._insert(cursor, row.runs, row)
        return block

    def _insert(self, cursor: QTextCursor, runs: Sequence[Run], row: Row | None = None) -> None:
        for run in runs:
            cursor.insertText(run.text.translate(SAFE), self.formats.char(run, row))

    def _place_table(self, cursor: QTextCursor, grid: Grid, after: Piece | None) -> QTextTable:
        if self._free:
            cursor.setBlockFormat(self.formats.seam)
            cursor.setBlockCharFormat(self.formats.seam_char)
        form = self.formats.table(grid, after)
        table = cursor.insertTable(len(grid.cells), len(grid.aligns), form)
        for line, cells in enumerate(grid.cells):
            for column, runs in enumerate(cells[: len(grid.aligns)]):
                self._fill(table, (line, column), runs, grid)
        cursor.movePosition(END)
        cursor.setBlockFormat(self.formats.seam)
        cursor.setBlockCharFormat(self.formats.seam_char)
        self._free = False  # right behind a table Qt drops the white above a line
        return table

    def _fill(
        self, table: QTextTable, place: tuple[int, int], runs: Sequence[Run], grid: Grid
    ) -> None:
        line, column = place
        cell = table.cellAt(line, column)
        cell.setFormat(self.formats.cell(head=line == 0))
        cursor = cell.firstCursorPosition()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, KEEP)
        cursor.removeSelectedText()
        cursor.setBlockFormat(self.formats.cell_block(grid.aligns[column]))
        shown = [replace(run, bold=True) for run in runs] if line == 0 else runs
        self._insert(cursor, shown)

    # --- what differs -----------------------------------------------------------------------

    def _mend(self, cursor: QTextCursor, index: int, piece: Piece) -> None:
        placed = self._open[index]
        if isinstance(piece, Row) and isinstance(placed.piece, Row):
            self._mend_row(cursor, placed, piece)
        elif isinstance(piece, Grid) and placed.table is not None:
            self._mend_table(placed, piece)
        self._open[index] = replace(placed, piece=piece)

    def _mend_row(self, cursor: QTextCursor, placed: _Placed, row: Row) -> None:
        old = placed.piece
        if not isinstance(old, Row):
            return
        same, rest = _rest(old.runs, row.runs)
        cursor.setPosition(placed.start + same)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, KEEP)
        if cursor.hasSelection():
            cursor.removeSelectedText()
        self._insert(cursor, rest, row)

    def _mend_table(self, placed: _Placed, grid: Grid) -> None:
        old, table = placed.piece, placed.table
        if not isinstance(old, Grid) or table is None:
            return
        if len(grid.cells) > len(old.cells):
            table.appendRows(len(grid.cells) - len(old.cells))
        for line, (was, now) in enumerate(zip_longest(old.cells, grid.cells, fillvalue=())):
            for column in range(len(grid.aligns)):
                if now[column : column + 1] != was[column : column + 1]:
                    self._fill(table, (line, column), now[column], grid)


def _option() -> QTextOption:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setTabStopDistance(32)
    return option


def _same(placed: Sequence[_Placed], pieces: Sequence[Piece]) -> int:
    """How many pieces at the start are what stands there already."""
    pairs = zip(placed, pieces, strict=False)
    return next(
        (at for at, (old, new) in enumerate(pairs) if old.piece is not new and old.piece != new),
        min(len(placed), len(pieces)),
    )


def _alike(old: Piece, new: Piece) -> bool:
    """Whether one becomes the other by writing on, without setting it anew."""
    if isinstance(old, Grid) and isinstance(new, Grid):
        frame = (old.aligns, old.within) == (new.aligns, new.within)
        return frame and len(old.cells) <= len(new.cells)
    if isinstance(old, Row) and isinstance(new, Row):
        return replace(old, runs=()) == replace(new, runs=())
    return False


def _rest(old: Sequence[Run], new: Sequence[Run]) -> tuple[int, list[Run]]:
    """How many UTF-16 units of a line stay, and the runs that come behind them."""
    same = 0
    for at, run in enumerate(new):
        before = old[at] if at < len(old) else None
        if before == run:
            same += units(run.text)
            continue
        if before is None or replace(before, text=run.text) != run:
            return same, list(new[at:])
        kept = _shared(before.text, run.text)
        tail = replace(run, text=run.text[kept:])
        same += units(run.text[:kept])
        return same, ([tail] if tail.text else []) + list(new[at + 1 :])
    return same, []


def _shared(old: str, new: str) -> int:
    """How many characters two texts begin with in common."""
    if new.startswith(old):
        return len(old)
    pairs = zip(old, new, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
