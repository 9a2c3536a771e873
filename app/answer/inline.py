"""Owns the repair of one leaf of markdown (a paragraph, a heading, a cell) that is still being
written: what it left open is closed, what can't be shown yet is left out; it knows no blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.answer.emphasis import Run, push, read_run

UNFINISHED = "sightline:unfinished"

_TOKEN = re.compile(r"\\.|`+|\$\$?|<|!?\[|\]|\*+|_+|~+", re.DOTALL)
_TAG = re.compile(r"<(?:/?[A-Za-z][^<>]*|![^<>]*|\?[^<>]*)>")
# An opening or closing tag, or an autolink, that the text ends in the middle of. Words without
# "=" are attributes too, but more than two of them are a sentence: "i <n and so on".
_TAG_START = re.compile(
    r"</?[A-Za-z][\w.:-]*"
    r"(?:\s+[\w:@.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>=]+)|\s+[\w:@.-]+(?=\s*/?$|\s+[\w:@.-]+\s*=)"
    r")*"
    r"(?:\s+[\w:@.-]+\s*=?\s*(?:\"[^\"]*|'[^']*|[^\s\"'<>]*)?)?\s*/?$"
    r"|</?$|<(?:https?|mailto):[^\s<>]*$"
)
_DESTINATION = re.compile(
    r"\(\s*(?:<[^<>\n]*>|(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*)"
    r"(?:\s+(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?\s*\)",
    re.DOTALL,
)
# Brackets after the text of a link whose target the text ends in the middle of.
_HALF_DESTINATION = re.compile(
    r"\(\s*(?:<[^<>\n]*|(?:[^\s()\\]|\\.|\([^\s()]*\)?)*)(?:\s+[\"'(][^\n]*)?\s*$"
)
_INLINE_MATH = re.compile(r"\$(?=[^\s$])(?:[^$\\\n]|\\.)*?(?<=\S)\$(?!\d)")
_ONLY_MARKS = re.compile(r"[\s_~*`]*")
_LONGEST_LINK = 160  # characters after a lone "[" that may be the text of a link


@dataclass(slots=True)
class _Bracket:
    at: int  # of the "[" or the "!["
    image: bool
    floor: int  # of the delimiter stack inside


@dataclass(slots=True)
class Leaf:
    """What reading a leaf found open at its end."""

    text: str
    stack: list[Run] = field(default_factory=list)
    brackets: list[_Bracket] = field(default_factory=list)
    cut: int | None = None  # from here on nothing can be shown yet
    link: int | None = None  # where "(target" of a link begins that is not closed
    code: str = ""  # the backticks of an open code span
    code_at: int = 0
    math: int | None = None  # where an open "$$" stands

    def read(self) -> Leaf:
        at = 0
        while at >= 0 and (found := _TOKEN.search(self.text, at)):
            at = self._token(found)
        return self

    def _token(self, found: re.Match[str]) -> int:
        """Take one token; where to go on, or -1 at the end."""
        token, at, end = found.group(), found.start(), found.end()
        match token[0]:
            case "\\":
                return end
            case "`":
                return self._ticks(token, at, end)
            case "$":
                return self._dollars(token, at, end)
            case "<":
                return self._tag(at)
            case "[" | "!":
                self.brackets.append(_Bracket(at, token[0] == "!", len(self.stack)))
                return end
            case "]":
                return self._end_bracket(end)
        floor = self.brackets[-1].floor if self.brackets else 0
        push(self.stack, read_run(self.text, at, end), floor)
        return end

    def _ticks(self, token: str, at: int, end: int) -> int:
        closing = re.compile(rf"(?<!`){token}(?!`)").search(self.text, end)
        if closing:
            return closing.end()
        if not self.text[end:].strip("`").strip():
            return end
        self.code, self.code_at = token, at
        return -1

    def _dollars(self, token: str, at: int, end: int) -> int:
        if token == "$":
            inline = _INLINE_MATH.match(self.text, at)
            return inline.end() if inline else end
        closing = self.text.find("$$", end)
        if closing >= 0:
            return closing + 2
        if not self.text[end:].strip():
            return end
        self.math = at
        return -1

    def _tag(self, at: int) -> int:
        if whole := _TAG.match(self.text, at):
            return whole.end()
        if at + 1 < len(self.text) and _TAG_START.match(self.text, at):
            self.cut = at
            return -1
        return at + 1

    def _end_bracket(self, end: int) -> int:
        if not self.brackets:
            return end
        bracket = self.brackets[-1]
        after = self.text[end : end + 1]
        if whole := _DESTINATION.match(self.text, end):
            self._pop()
            return whole.end()
        if after != "(" or not _HALF_DESTINATION.match(self.text, end):
            self.brackets.pop()
            return end
        if bracket.image:
            self.cut = bracket.at
        else:
            self.link = end
            self._pop()
        return -1

    def _pop(self) -> None:
        """The bracket was a link: delimiters inside its text pair up in there only."""
        del self.stack[self.brackets.pop().floor :]


def close(text: str, task: bool = False) -> str:
    """`text`, a leaf still being written, made fit to be shown; white space at its end stays.

    `task` says that it is the text of a list item, where "[ " begins a box to tick.
    """
    body = text.rstrip()
    tail = text[len(body) :]
    for _ in range(3):  # leaving something out may bare another mark
        leaf = Leaf(body).read()
        shorter = _leave_out(leaf, task)
        if shorter == body:
            break
        body = shorter.rstrip()
        tail = ""
    closed = _close(leaf)
    return closed + tail


def _leave_out(leaf: Leaf, task: bool) -> str:
    text = leaf.text
    images = [bracket.at for bracket in leaf.brackets if bracket.image]
    cut = min([*images, *([] if leaf.cut is None else [leaf.cut])], default=None)
    if cut is not None and not leaf.code:
        return re.sub(r"(?<![\\*_~])[*_~]+$", "", text[:cut].rstrip())
    if task and re.fullmatch(r"\[[ xX]?", text):
        return ""
    if leaf.code or leaf.math is not None:
        return text
    if text.endswith("["):
        return text[:-1] if not text.endswith("\\[") else text
    if (
        leaf.stack
        and (found := re.search(r"\s([*_~`]+)$", text))
        and found.start() > leaf.stack[0].at
    ):
        return text[: found.start()]
    return text


def _close(leaf: Leaf) -> str:
    text = leaf.text
    if leaf.code:
        text = _close_code(leaf)
    elif leaf.math is not None:
        text = _close_math(leaf)
    elif _odd_backslashes(text) and (leaf.stack or leaf.brackets):
        text = text[:-1]
    runs = [run for run in leaf.stack if _counts(leaf, run)]
    if leaf.link is not None:
        return f"{text[: leaf.link]}({UNFINISHED}){_closers(text, runs)}"
    bracket = leaf.brackets[-1] if leaf.brackets else None
    if bracket and _may_be_link(leaf, bracket):
        inside = [run for run in runs if run.at > bracket.at]
        outside = [run for run in runs if run.at < bracket.at]
        return f"{text}{_closers(text, inside)}]({UNFINISHED}){_closers('', outside)}"
    return text + _closers(text, runs)


def _closers(text: str, runs: list[Run]) -> str:
    out = ""
    for run in reversed(runs):
        if run.mark == "~":
            half = not out and text.endswith("~") and not text.endswith("~~")
            out += "~" if half else "~~"
        else:
            out += run.mark * run.left
    return out


def _counts(leaf: Leaf, run: Run) -> bool:
    """Whether an open run means emphasis: something follows it, and it is no sum or glob."""
    end = run.at + run.length
    if not run.left or (run.mark == "~" and run.length != 2):
        return False
    if _ONLY_MARKS.fullmatch(leaf.text, end):
        return False
    if run.mark == "_" and run.left < run.length and "__" in leaf.text[end:]:
        return False  # "__b__content_": the pair is there, inside a word
    before, after = leaf.text[run.at - 1 : run.at], leaf.text[end : end + 1]
    if run.mark == "*" and before.isalnum() and after.isalnum():
        return run.length > 1 and not (before.isdigit() and after.isdigit())
    return True


def _may_be_link(leaf: Leaf, bracket: _Bracket) -> bool:
    words = leaf.text[bracket.at + 1 :]
    return not words.startswith("^") and "\n" not in words and len(words) <= _LONGEST_LINK


def _close_code(leaf: Leaf) -> str:
    """Add the closing backticks, of which some may stand there already."""
    have = len(leaf.text) - len(leaf.text.rstrip("`"))
    if have < len(leaf.code):
        return leaf.text + leaf.code[have:]
    return leaf.text.rstrip("`") + leaf.code


def _close_math(leaf: Leaf) -> str:
    text = leaf.text
    if text.endswith("$") and not text.endswith("\\$"):
        return text + "$"
    opened = text[leaf.math or 0 :]
    return f"{text}\n$$" if "\n" in opened else text + "$$"


def _odd_backslashes(text: str) -> bool:
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1
