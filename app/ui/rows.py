"""What stands on a page: rows, tables and the runs in them, as values; knows no markdown, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Align = Literal["left", "center", "right"]
RowKind = Literal["text", "heading", "code", "rule"]

UNFINISHED = "sightline:unfinished"  # where a link leads whose address is still being written


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one line in one style; `link` is where it leads."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    math: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page, wrapped as the width demands.

    `within` names the containers around it from the outside in: "q" a quote, "l" a list.
    `marker` stands before the first line of a list item: "•", "3.", "[ ]" or "[x]". The first
    row of a piece of code is `first` and carries the number of lines its fence opened with.
    """

    kind: RowKind
    runs: tuple[Run, ...] = ()
    within: str = ""
    level: int = 0
    marker: str = ""
    language: str = ""
    first: bool = False

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: `cells[0]` is its head; every line has as many cells as `aligns`."""

    aligns: tuple[Align, ...]
    cells: tuple[tuple[tuple[Run, ...], ...], ...]
    within: str = ""


Piece: TypeAlias = Row | Grid
