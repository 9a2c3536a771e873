"""Owns the repair of answers that hold bare, escaped or half-fenced HTML: the markup ends up in
one fenced block, everything else passes as it is; it does not know how anything is shown.

A model is asked for a page and writes it without a fence, or as one string with escaped line ends
in it, or forgets one of the two fences. The text is read once, from left to right; each decision
waits for the characters that settle it, so any chunking gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.answer.element import Element
from app.answer.fences import Fence, glued_closer, glued_opener
from app.answer.lines import HALF_CLOSER
from app.answer.markup import Start, decode, recognise

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_PAGE_IN_LINE = re.compile(r"(?<=[\s:：。！!.])<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HALF_PAGE = re.compile(r"<(?:!(?:d\w*\s*\w*)?|h\w*)?$", re.IGNORECASE)
_PROGRAM = re.compile(
    r"[{(\[=,;`]\s*$|=>\s*$|\"\"\"\s*$|'''\s*$|^\s*(?:import|export|return|const)\b"
)
_HERALD = re.compile(r"(?:html|svg|`html|'''html)[ \t\r]*", re.IGNORECASE)
_HALF_HERALD = re.compile(r"(?:(?:`|'{1,3})?(?:h|ht|htm|html)?|s|sv|svg)[ \t\r]*", re.IGNORECASE)
_BARE_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,}|''')[ \t\r]*$")


class Fencer:
    """Answer text in, markdown out; `close` gives what was kept back and ends an open block."""

    def __init__(self) -> None:
        self._buffer = ""
        self._out: list[str] = []
        self._step: Callable[[bool], bool] = self._prose
        self._line = ""  # what was read of the present line of prose; "" at its start
        self._before = ""  # the line above it
        self._in_list = False
        self._lead = ""  # white space before our own fence
        self._start = Start("", "none", "", "")
        self._element = Element(self._start)
        self._fence = Fence("", "")
        self._mid_line = False  # inside it
        self._owed = False  # we ended a block; the writer's own closing fence may still come
        self._last = "\n"  # the last character given out

    def feed(self, text: str) -> str:
        self._buffer += text
        return self._run(final=False)

    def close(self) -> str:
        out = self._run(final=True)
        if self._step in (self._markup, self._after):
            self._end_block()
            out += self._run(final=True)
        return out

    def _run(self, final: bool) -> str:
        while self._step(final):
            pass
        out, self._out = "".join(self._out), []
        return out

    def _take(self, count: int) -> str:
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _give(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._last = text[-1]

    def _next_line(self, final: bool) -> str | None:
        """The next whole line with its end, without taking it; None: it is not here yet."""
        end = self._buffer.find("\n") + 1
        return self._buffer[:end] if end else self._buffer if final else None

    # --- prose ------------------------------------------------------------------------------

    def _prose(self, final: bool) -> bool:
        if not self._buffer:
            return False
        return self._rest_of_line(final) if self._line else self._line_start(final)

    def _line_start(self, final: bool) -> bool:
        body = self._buffer.lstrip(" \t")
        lead = self._buffer[: len(self._buffer) - len(body)]
        if not body:
            return self._pass(len(lead)) if final else False
        herald = self._herald(final)
        if herald is not False:
            return bool(herald)
        if body[0] in "`~":
            return self._maybe_fence(body, final)
        if body[0] in "<&\"'" and not _PROGRAM.search(self._before):
            start = recognise(body, final)
            if start == "wait":
                return False
            if start and self._fits(start, lead):
                self._take(len(lead))
                return self._open(start, lead)
        return self._pass(len(lead) + 1)

    def _herald(self, final: bool) -> bool | None:
        """Take a line that only announces a page, as "html" without its backticks: True if it
        did, False if the line is another, None if more text must tell."""
        line, newline, rest = self._buffer.partition("\n")
        if not newline and not final and _HALF_HERALD.fullmatch(line):
            return None
        if not newline or not _HERALD.fullmatch(line):
            return False
        start = recognise(rest, final)
        if start == "wait" or (not rest and not final):
            return None
        if not start:
            return False
        self._take(len(line) + 1)
        self._owed = True
        return True

    def _fits(self, start: Start, lead: str) -> bool:
        """An indented fragment outside a list is code of some other kind."""
        return len(lead.expandtabs(4)) <= 3 or self._in_list or start.root == "html"

    def _pass(self, count: int) -> bool:
        """Let `count` characters of the present line through."""
        text = self._take(count)
        self._give(text)
        self._line += text
        if text.endswith("\n"):
            self._before, self._line = self._line, ""
            if self._before.strip():
                in_list = self._in_list and self._before[0] in " \t"
                self._in_list = in_list or bool(_ITEM.match(self._before))
        return True

    def _rest_of_line(self, final: bool) -> bool:
        rest = self._buffer[: self._buffer.find("\n") + 1 or len(self._buffer)]
        before = self._line[-1:]
        for found in _PAGE_IN_LINE.finditer(before + rest):
            at = found.start() - len(before)
            said = self._line + rest[:at]
            if said.count("`") % 2 or _PROGRAM.search(said):
                continue
            start = recognise(self._buffer[at:], final)
            if start == "wait":
                return self._pass(at) if at else False
            if start:
                self._pass(at) if at else None
                return self._open(start, "")
        half = None if final or rest.endswith("\n") else _HALF_PAGE.search(rest)
        keep = len(half.group()) if half else 0
        return self._pass(len(rest) - keep) if len(rest) > keep else False

    # --- fences that the writer opened --------------------------------------------------------

    def _maybe_fence(self, body: str, final: bool) -> bool:
        if len(body) >= 3 and body[:3] not in ("```", "~~~"):
            return self._pass(len(self._buffer) - len(body) + 1)
        line = self._next_line(final)
        if line is None:
            return False
        if self._owed and _BARE_FENCE.match(line):
            follows = self._line_after(len(line), final)
            if follows is None:
                return False
            if not follows.strip():
                self._owed = False
                self._take(len(line))
                return True
        if glued := glued_opener(line):
            self._buffer = glued + self._buffer[len(line) :]
            line = glued[: glued.index("\n") + 1]
        fence = Fence.read(line)
        if fence is None:
            return self._pass(len(line))
        self._fence, self._owed = fence, False
        self._give(self._take(len(line)))
        self._step = self._fenced
        return True

    def _line_after(self, count: int, final: bool) -> str | None:
        end = self._buffer.find("\n", count) + 1
        return self._buffer[count:end] if end else self._buffer[count:] if final else None

    def _fenced(self, final: bool) -> bool:
        """One line inside a fence; only markup is looked at."""
        line = self._next_line(final)
        if not line:
            return self._part_of_line()
        if self._mid_line:
            self._mid_line = False
            self._give(self._take(len(line)))
            return True
        verdict = self._fence.take(line)
        if verdict == "over":  # prose after </html>: the closing fence was forgotten
            self._give(f"{self._fence.ticks}\n{self._fence.blanks}")
            self._owed, self._step = True, self._prose
            return True
        self._take(len(line))
        if verdict == "blank":
            return True
        if glued := glued_closer(line, self._fence):
            self._give(glued)
        else:
            self._give(self._fence.blanks + self._fence.decoded(line))
        if verdict == "end" or glued:
            self._before = ""
            self._step = self._prose
        return True

    def _part_of_line(self) -> bool:
        """Code other than markup need not wait for the end of its line."""
        if self._buffer and not self._fence.markup and not HALF_CLOSER.fullmatch(self._buffer):
            self._mid_line = True
            self._give(self._take(len(self._buffer)))
        return False

    # --- bare markup --------------------------------------------------------------------------

    def _open(self, start: Start, lead: str) -> bool:
        self._take(len(start.quote))
        self._start, self._element = start, Element(start)
        self._lead = lead if self._in_list else lead[:3]
        self._give(
            ("" if self._last == "\n" else "\n") + f"{self._lead}```{start.language}\n{lead}"
        )
        self._line = ""
        self._step = self._markup
        return True

    def _markup(self, final: bool) -> bool:
        count, over = self._element.take(self._buffer, final)
        self._give(decode(self._take(count), self._start.escape))
        if over:
            self._step = self._after
        return over

    def _after(self, final: bool) -> bool:
        """The root is closed: more markup, the writer's closing fence, or prose."""
        if self._swallow(final):
            return True
        body = self._buffer.lstrip()
        blank = self._buffer[: len(self._buffer) - len(body)]
        if not body:
            return False
        if body[0] == "<":
            return self._more_markup(blank, body, final)
        line_end = body.find("\n") + 1
        if body[0] in "`~'" and not line_end and not final:
            return False
        if _BARE_FENCE.match(body[: line_end or len(body)].rstrip("\n")) and "\n\n" not in blank:
            self._take(len(blank) + (line_end or len(body)))
            self._end_block()
            self._give("\n" if line_end else "")
            return True
        self._end_block()
        if "\n" not in blank:
            self._take(len(blank))
            self._give("\n")
        return True

    def _swallow(self, final: bool) -> bool:
        """The quotation mark and the escaped line ends behind an escaped page."""
        if self._start.escape != "string" and not self._start.quote:
            return False
        found = re.match(r"(?:\\[nrt]|[ \t])+|[\"']", self._buffer)
        if not found or (found.end() == len(self._buffer) and self._buffer.isspace()):
            return False
        self._take(found.end())
        return True

    def _more_markup(self, blank: str, body: str, final: bool) -> bool:
        if len(body) < 20 and "\n" not in body and not final:
            return False
        tag = re.match(r"<(!--|/?[a-z][\w-]*)", body, re.IGNORECASE)
        whole = self._start.root in ("html", "svg") and "\n" in blank
        start = recognise(body, final) if blank.count("\n") > 1 else self._start
        if tag and not whole and start == "wait":
            return False
        if not tag or whole or not start:
            self._end_block()
            return True
        self._give(self._take(len(blank)))
        root = tag[1].lower().lstrip("/!-") or "!--"
        self._start = Start(root, self._start.escape, self._start.quote, self._start.language)
        self._element = Element(self._start)
        self._step = self._markup
        return True

    def _end_block(self) -> None:
        self._give(("" if self._last == "\n" else "\n") + f"{self._lead}```")
        self._before, self._line = "", ""
        self._step = self._prose


def fence(text: str, final: bool = True) -> str:
    """The whole of `text` with its markup in fences; a prefix where `final` is false."""
    fencer = Fencer()
    out = fencer.feed(text)
    return out + fencer.close() if final else out
