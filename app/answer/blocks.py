"""Owns the cut of a streaming answer into top-level markdown blocks, so that a window has to draw
only the last one again; it does not know how a block is drawn.

A block is settled once its end is certain and never changes after that. The work is linear in
the length of the answer, however it is chunked.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.answer import lines
from app.answer.html import Fencer
from app.answer.lines import Kind
from app.answer.repair import begins_table, escape, polish, repair

_LONG_LIST = 40  # lines after which a list is settled piece by piece, between two items
# A long open block is mended at its end only. Its beginning is left alone as soon as nothing in it
# is open, tried every _STEP characters, and at the latest when _MUCH are not settled like that.
_STEP = 300
_MUCH = 900


@dataclass(frozen=True, slots=True)
class Cut:
    """What one feed changed: blocks that are done, in order, and the block that still grows.

    `open` is fit to be shown and replaces the former one. While a fence of code is open at the
    top level, `code` is its language ("" if none) and `grown` the characters by which the same
    fence grew since the last cut; `grown` is None where it has to be drawn anew.
    """

    settled: tuple[str, ...] = ()
    open: str = ""
    code: str | None = None
    grown: str | None = None


class Blocks:
    """Answer text in (HTML is fenced here), `Cut`s out; `close` settles all that is left."""

    def __init__(self) -> None:
        self._fencer = Fencer()
        self._settled: list[str] = []
        self._kind: Kind = "none"
        self._text = ""  # the whole lines of the open block
        self._lines = 0
        self._partial = ""  # the line that has no end yet
        self._content = 0  # the column of the text of the open list's items
        self._in_words = True  # the last line is no code: one without indent may go on with it
        self._blank = False  # the last line of a list or of indented code was blank
        self._ticks = ""  # that close the open fence, nested or not
        self._language: str | None = None
        self._shown: int | None = None  # characters of the open fence given out so far
        self._head, self._head_end = "", 0  # polished beginning of a long open block
        self._next_try = _STEP

    def feed(self, text: str) -> Cut:
        return self._add(self._fencer.feed(text))

    def close(self) -> Cut:
        self._add(self._fencer.close(), cut=False)
        if self._partial:
            self._line(self._partial)
        self._partial = ""
        self._settle()
        return self._cut()

    def _add(self, text: str, cut: bool = True) -> Cut:
        whole, newline, rest = text.rpartition("\n")
        if newline:
            for line in (self._partial + whole).split("\n"):
                self._line(line.removesuffix("\r"))
            self._partial = rest
        else:
            self._partial += rest
        return self._cut() if cut else Cut()

    # --- reading lines ------------------------------------------------------------------------

    def _line(self, line: str) -> None:
        match self._kind:
            case "fence":
                self._keep(line)
                if lines.closes(line, self._ticks):
                    self._settle()
            case "maths":
                self._keep(line)
                if not line.strip() or "$$" in line:
                    self._settle()
            case "raw":
                self._keep(line)
                if lines.ends_raw(line):
                    self._settle()
            case "list" | "indented" | "quote":
                self._line_of_container(line)
            case _:
                self._line_of_paragraph(line)

    def _line_of_paragraph(self, line: str) -> None:
        if not line.strip():
            self._settle()
        elif self._kind == "none":
            self._start(line)
        elif lines.underlines(line) and not self._table_head():
            self._keep(line)
            self._settle()
        elif self._kind == "paragraph" and (lines.interrupts(line) or self._ends_table(line)):
            self._settle()
            self._start(line)
        else:
            if self._lines > 1:
                self._part_from_table(line)
            self._keep(line)

    def _part_from_table(self, line: str) -> None:
        """The last line of the paragraph is the head of a table: what stands above is settled."""
        above, _, head = self._text.removesuffix("\n").rpartition("\n")
        if begins_table(head, line) and not self._table_head():
            self._text = above
            self._settle()
            self._kind = "paragraph"
            self._keep(head)

    def _ends_table(self, line: str) -> bool:
        """Some lines go on with a paragraph, but not with a table: "2. item", indented code."""
        return lines.starts(line) != "paragraph" and bool(self._table_head())

    def _line_of_container(self, line: str) -> None:
        if not line.strip():
            self._blank = True
            if self._kind == "quote":
                self._settle()
            else:
                self._keep(line)
            return
        if self._goes_on(line):
            if self._kind == "list" and self._lines >= _LONG_LIST and self._new_item(line):
                self._settle()
                self._kind, self._content = "list", lines.content_of_item(line)
            self._keep(line)
            if self._kind == "list" and lines.indent(line) < self._content:
                self._content = lines.content_of_item(line) or self._content
                self._ticks = ""  # a fence inside an item ends with it
            self._nest(line)
        else:
            self._settle()
            self._start(line)
        self._blank = False

    def _goes_on(self, line: str) -> bool:
        """Whether the open list, quotation or indented code holds this line too."""
        if self._kind == "indented":
            return line.startswith(("    ", "\t"))
        if self._kind == "quote":
            return lines.starts(line) in ("quote", "paragraph", "indented", "maths")
        if lines.indent(line) >= self._content:
            return True
        if lines.ends_list(line):
            return False
        return bool(lines.ITEM.match(line)) or (self._in_words and not self._blank)

    def _new_item(self, line: str) -> bool:
        return not self._ticks and line[0] not in " \t" and bool(lines.ITEM.match(line))

    def _nest(self, line: str) -> None:
        """Follow the fences inside a list or a quotation."""
        found = lines.NESTED_FENCE.match(line)
        self._in_words = not found and not self._ticks
        if not found or (found["ticks"][0] == "`" and "`" in found["info"]):
            return
        if not self._ticks:
            self._ticks = found["ticks"]
        elif found["ticks"].startswith(self._ticks) and not found["info"].strip():
            self._ticks = ""

    def _start(self, line: str) -> None:
        kind = lines.starts(line)
        self._keep(line)
        if kind == "line":
            self._settle()
            return
        self._kind = kind
        if kind == "fence" and (found := lines.fence(line)):
            self._ticks = found["ticks"]
            words = found["info"].split()
            self._language = (words[0] if words else "") if not found["lead"] else None
        elif kind in ("list", "quote"):
            self._content = lines.content_of_item(line)
            self._nest(line)

    def _keep(self, line: str) -> None:
        self._text += line + "\n"
        self._lines += 1

    def _settle(self) -> None:
        text = self._text.rstrip("\n") if self._kind == "fence" else self._text.rstrip()
        if text.strip():
            verbatim = self._kind in ("fence", "raw", "html", "indented", "maths")
            self._settled.append(text if verbatim else polish(text))
        self._kind, self._text, self._lines = "none", "", 0
        self._ticks, self._language, self._shown = "", None, None
        self._head, self._head_end, self._blank = "", 0, False
        self._next_try = _STEP

    # --- showing ------------------------------------------------------------------------------

    def _cut(self) -> Cut:
        settled, self._settled = tuple(self._settled), []
        if self._kind == "fence":
            return self._cut_fence(settled)
        return Cut(settled, self._mended())

    def _cut_fence(self, settled: tuple[str, ...]) -> Cut:
        partial = "" if lines.HALF_CLOSER.fullmatch(self._partial) else self._partial
        text = self._text + partial
        grown = None if self._shown is None else text[self._shown :]
        self._shown = len(text)
        return Cut(settled, text, self._language, None if self._language is None else grown)

    def _mended(self) -> str:
        text = (self._text + self._partial).removesuffix("\r")
        if self._kind in ("raw", "html", "indented", "maths") and self._text:
            return text
        if self._ticks:
            return self._head + text[self._head_end :]
        table = self._table_head()
        if len(text) >= self._next_try:
            self._advance(text, table)
        if not self._head:
            return repair(text, final=False)
        tail = repair(table + text[self._head_end :], final=False)
        return self._head + tail.removeprefix(table)

    def _advance(self, text: str, table: str) -> None:
        """Leave the beginning of a long block alone from now on."""
        self._next_try = len(text) + _STEP
        stop = len(text) - _STEP // 3
        at = text.rfind("\n", self._head_end, stop) + 1
        if not table and at <= self._head_end:
            at = text.rfind(" ", self._head_end, stop) + 1
        forced = len(text) - self._head_end > _MUCH
        if at <= self._head_end:
            at = stop if forced and not table else self._head_end
        piece = text[self._head_end : at]
        if piece and (forced or repair(table + piece, final=False) == table + escape(piece)):
            self._head += polish(piece)
            self._head_end = at

    def _table_head(self) -> str:
        """The first two rows of an open table: without them its later rows are a paragraph."""
        rows = self._text[:_MUCH].split("\n", 2)
        found = len(rows) > 2 and begins_table(rows[0], rows[1])
        return f"{rows[0]}\n{rows[1]}\n" if found else ""
