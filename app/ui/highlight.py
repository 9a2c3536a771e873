"""Code in a named language to coloured spans, a little at a time; knows no Qt, no document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, String, Token
from pygments.token import Literal as Constant
from pygments.util import ClassNotFound

Part = Literal["keyword", "string", "comment", "number", "name"]

LONGEST = 200_000  # characters; what is longer stays in one ink

PARTS: tuple[tuple[object, Part], ...] = (
    (Keyword.Constant, "number"),
    (Keyword, "keyword"),
    (Comment, "comment"),
    (String, "string"),
    (Constant, "number"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Builtin, "name"),
    (Name.Decorator, "name"),
    (Name.Tag, "keyword"),
    (Name.Attribute, "name"),
    (Name.Exception, "name"),
    (Name.Label, "name"),
    (Token.Operator.Word, "keyword"),
    (Generic.Heading, "keyword"),
    (Generic.Subheading, "name"),
    (Generic.Inserted, "string"),
    (Generic.Deleted, "number"),
    (Generic.Prompt, "comment"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """`length` characters from `start` of a line, counted as Qt does: in UTF-16 units."""

    start: int
    length: int
    part: Part


Line: TypeAlias = tuple[Span, ...]


def highlight(code: str, language: str) -> tuple[Line, ...]:
    """The spans of every line of `code`; no spans at all for a language nobody knows."""
    lexing = Lexing(code, language)
    while lexing.work(1.0):
        pass
    return lexing.lines


class Lexing:
    """One piece of code being read, a few tokens at a time. The first piece in a language compiles
    its patterns at once: 1 to 40 ms, a single time. (On a thread that took longer in all: for
    every call into Qt the two threads waited for each other.)"""

    def __init__(self, code: str, language: str) -> None:
        lexer = _lexer(language) if len(code) <= LONGEST else None
        self._tokens: Iterator[tuple[object, str]] = lexer.get_tokens(code) if lexer else iter(())
        self._lines: list[list[Span]] = [[]] if lexer else []
        self._at = 0  # UTF-16 units into the last line

    @property
    def lines(self) -> tuple[Line, ...]:
        """The spans of the lines read so far."""
        return tuple(tuple(line) for line in self._lines)

    def work(self, seconds: float) -> bool:
        """Reads for about `seconds`; True where more is left."""
        until = time.perf_counter() + seconds
        for kind, text in self._tokens:
            self._take(_part(kind), text)
            if time.perf_counter() >= until:
                return True
        return False

    def _take(self, part: Part | None, text: str) -> None:
        for number, stretch in enumerate(text.split("\n")):
            if number:
                self._lines.append([])
                self._at = 0
            length = units(stretch)
            if part and stretch.strip():
                self._lines[-1].append(Span(self._at, length, part))
            self._at += length


def units(text: str) -> int:
    """The length of `text` in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _lexer(language: str) -> Lexer | None:
    if not language:
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _part(kind: object) -> Part | None:
    return next((part for family, part in PARTS if kind in family), None)  # type: ignore[operator]
