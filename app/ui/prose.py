"""Reads markdown into rows; knows no Qt, no colours.

CommonMark with tables, strikethrough and maths (left as TeX). Raw HTML stays text, and a remote
picture becomes a link with its description: nothing here ever asks the network for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from app.ui.rows import UNFINISHED, Align, Grid, Piece, Row, RowKind, Run

SCHEMES = ("http://", "https://", "mailto:")
BRACKETS = {"\\(": "\\)", "\\[": "\\]"}
TASK = re.compile(r"\[([ xX])\](?:[ \u00a0]+|$)")


class Reader:
    """Reads markdown; one is enough for a page, and making one costs a millisecond."""

    def __init__(self) -> None:
        self._markdown = _reader()

    def read(self, text: str) -> tuple[Piece, ...]:
        """The rows of a markdown text: one block or many."""
        return tuple(_Walk(self._markdown.parse(text)).pieces())


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # "$5 and $6" is money: pandoc's rule for dollars
    reader.use(
        dollarmath_plugin,
        allow_space=False,
        allow_digits=False,
        allow_labels=False,
        double_inline=True,
    )
    reader.inline.ruler.before("escape", "bracket_math", _bracket_math)
    return reader


def _bracket_math(state: StateInline, silent: bool) -> bool:
    """`\\(…\\)` and `\\[…\\]`, before their backslashes are taken for escapes."""
    mark = state.src[state.pos : state.pos + 2]
    if mark not in BRACKETS:
        return False
    end = state.src.find(BRACKETS[mark], state.pos + 2)
    if end < 0:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = state.src[state.pos + 2 : end]
        token.markup = mark
    state.pos = end + 2
    return True


def _lines_of_code(lines: Sequence[str], language: str, within: str) -> Iterator[Row]:
    for at, line in enumerate(lines or [""]):
        runs = (Run(line),) if line else ()
        yield Row("code", runs, within, language=language, first=at == 0)


def _target(address: str) -> str:
    """Only addresses a browser or a mail program opens are links; the rest is text. A link
    whose address is still being written looks like one already."""
    return address if address.lower().startswith(SCHEMES) or address == UNFINISHED else ""


class _Walk:
    """One pass over the tokens of a text, with the containers that are open."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._within = ""
        self._marker = ""
        self._numbers: list[int | None] = []  # the next number of each open list

    def pieces(self) -> Iterator[Piece]:
        heading = 0
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            match token.type:
                case "heading_open":
                    heading = int(token.tag[1])
                case "heading_close":
                    heading = 0
                case "inline" if display := _display_math(token):
                    yield from self._code(display)
                case "inline":
                    yield from self._lines(token, heading)
                case "table_open":
                    end = _end_of_table(self._tokens, at)
                    yield _grid(self._tokens[at:end], self._within)
                    at = end
                case "hr":
                    yield Row("rule", within=self._within)
                case "fence" | "code_block" | "math_block" | "math_block_label":
                    yield from self._code(token)
                case _:
                    self._enter_or_leave(token)
            at += 1

    def _enter_or_leave(self, token: Token) -> None:
        match token.type:
            case "blockquote_open":
                self._within += "q"
            case "bullet_list_open" | "ordered_list_open":
                self._within += "l"
                ordered = token.type == "ordered_list_open"
                self._numbers.append(int(token.attrs.get("start", 1)) if ordered else None)
            case "list_item_open":
                self._marker = self._next_marker()
            case "bullet_list_close" | "ordered_list_close":
                self._numbers.pop()
                self._within = self._within[:-1]
            case "blockquote_close":
                self._within = self._within[:-1]

    def _next_marker(self) -> str:
        number = self._numbers[-1]
        if number is None:
            return "•"
        self._numbers[-1] = number + 1
        return f"{number}."

    def _lines(self, token: Token, heading: int) -> Iterator[Row]:
        runs = _runs(token.children or [])
        marker, self._marker = self._marker, ""
        if marker == "•" and runs and (task := TASK.match(runs[0].text)):
            marker = "[ ]" if task[1] == " " else "[x]"
            runs = (replace(runs[0], text=runs[0].text[task.end() :]), *runs[1:])
        kind: RowKind = "heading" if heading else "text"
        yield Row(kind, runs, self._within, level=heading, marker=marker)

    def _code(self, token: Token) -> Iterator[Row]:
        math = token.type.startswith("math")
        language = "tex" if math else (token.info.split(maxsplit=1) or [""])[0]
        lines = (token.content.strip("\n") if math else token.content.removesuffix("\n")).split(
            "\n"
        )
        marker, self._marker = self._marker, ""
        if marker:  # a list item that begins with code keeps its mark
            yield Row("text", (), self._within, marker=marker)
        yield from _lines_of_code(lines, language, self._within)


def _display_math(token: Token) -> Token | None:
    """The formula of a paragraph that is nothing but one `\\[…\\]`."""
    children = [child for child in token.children or [] if child.type != "text" or child.content]
    if len(children) == 1 and children[0].markup == "\\[":
        return replace(children[0], type="math_block")
    return None


def _end_of_table(tokens: Sequence[Token], start: int) -> int:
    return next(at for at in range(start, len(tokens)) if tokens[at].type == "table_close")


def _grid(tokens: Sequence[Token], within: str) -> Grid:
    lines: list[list[tuple[Run, ...]]] = []
    aligns: list[Align] = []
    for token in tokens:
        match token.type:
            case "tr_open":
                lines.append([])
            case "th_open":
                aligns.append(_align(str(token.attrGet("style") or "")))
            case "inline":
                lines[-1].append(_runs(token.children or []))
    return Grid(tuple(aligns), tuple(tuple(line) for line in lines), within)


def _align(style: str) -> Align:
    if "center" in style:
        return "center"
    return "right" if "right" in style else "left"


def _runs(tokens: Sequence[Token]) -> tuple[Run, ...]:
    style = Run("")
    found: list[Run] = []
    for token in tokens:
        style = _styled(style, token)
        run = replace(style, text=_words(token))
        match token.type:
            case "code_inline":
                run = replace(run, code=True)
            case "math_inline" | "math_inline_double":
                run = replace(run, math=True)
            case "image":
                run = replace(run, link=_target(str(token.attrGet("src") or "")))
        if run.text:
            found.append(run)
    return tuple(_joined(found))


def _styled(style: Run, token: Token) -> Run:
    on = token.nesting == 1
    match token.type:
        case "strong_open" | "strong_close":
            return replace(style, bold=on)
        case "em_open" | "em_close":
            return replace(style, italic=on)
        case "s_open" | "s_close":
            return replace(style, strike=on)
        case "link_open" | "link_close":
            return replace(style, link=_target(str(token.attrGet("href") or "")) if on else "")
    return style


def _words(token: Token) -> str:
    match token.type:
        case "softbreak" | "hardbreak":  # models break lines where they mean it
            return "\n"
        case "math_inline":
            return f"{token.markup}{token.content}{BRACKETS.get(token.markup, token.markup)}"
        case "math_inline_double":
            return f"$${token.content}$$"
        case "image":
            return token.content or str(token.attrGet("src") or "")
    return token.content


def _joined(runs: Sequence[Run]) -> Iterator[Run]:
    """Neighbours of one style as one run."""
    waiting: Run | None = None
    for run in runs:
        if waiting is not None and replace(waiting, text="") == replace(run, text=""):
            waiting = replace(waiting, text=waiting.text + run.text)
            continue
        if waiting is not None:
            yield waiting
        waiting = run
    if waiting is not None:
        yield waiting
