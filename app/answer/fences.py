"""Follows a fenced block that the writer opened: where it ends, and whether it holds a page that
was over before; it does not know what stands around it."""

from __future__ import annotations

import re
from typing import Literal

from app.answer.markup import Escape, decode, recognise

_OPENER = re.compile(
    r"(?P<lead>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<ticks>`{3,}|~{3,})(?P<info>.*)",
    re.DOTALL,
)
_MARKUP = re.compile(r"[ \t]*(?:html?|xhtml|xml|svg|vue)\b", re.IGNORECASE)
_GLUED_OPENER = re.compile(
    r"([ \t]*(?:```+|~~~+)[ \t]*(?:html?|xhtml|xml|svg|vue))[ \t]*(<.*)", re.I | re.S
)
_PROSE = re.compile(r"[^\s<>`~{}()\[\]/*&@#.\"'|+=-]|\*\*|\#{1,6} ")


class Fence:
    """`take` is given one line after the other."""

    def __init__(self, ticks: str, info: str) -> None:
        self.ticks = ticks
        self.blanks = ""  # blank lines after the end of a page, kept back
        self.markup = bool(_MARKUP.match(info))
        self._page_over = False
        self._escape: Escape | None = None  # not known before the first line

    @classmethod
    def read(cls, line: str) -> Fence | None:
        found = _OPENER.match(line)
        if not found or (found["ticks"][0] == "`" and "`" in found["info"]):
            return None
        return cls(found["ticks"], found["info"])

    def take(self, line: str) -> Literal["inside", "end", "blank", "over"]:
        """What the line is; "over": it stands behind the block, whose end was forgotten."""
        bare = line.strip()
        if bare.startswith(self.ticks) and not bare.strip(self.ticks[0]):
            return "end"
        if not self.markup:
            return "inside"
        if self._page_over and not bare:
            self.blanks += line
            return "blank"
        if self._page_over and self.blanks and _PROSE.match(line):
            return "over"
        self._page_over = bare.lower().endswith("</html>")
        return "inside"

    def decoded(self, line: str) -> str:
        """The line with its escapes undone, where the whole page is one escaped string."""
        self.blanks = ""
        if not self.markup:
            return line
        if self._escape is None and line.strip():
            start = recognise(line.lstrip(), True)
            self._escape = start.escape if start is not None and start != "wait" else "none"
        return decode(line, "string") if self._escape == "string" else line


def glued_opener(line: str) -> str | None:
    """A fence whose first line of code stands on it: CommonMark would drop that line."""
    found = _GLUED_OPENER.match(line)
    return f"{found[1]}\n{found[2]}" if found and "`" not in found[2] else None


def glued_closer(line: str, fence: Fence) -> str | None:
    """A closing fence that stands behind the last tag: CommonMark would not see it."""
    body = line.rstrip()
    if (
        not fence.markup
        or not body.endswith(">" + fence.ticks)
        or body.count("`") != len(fence.ticks)
    ):
        return None
    return f"{fence.blanks}{body.removesuffix(fence.ticks)}\n{fence.ticks}{line[len(body) :]}"
