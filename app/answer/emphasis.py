"""Owns the delimiter stack of CommonMark emphasis and GFM strikethrough (CommonMark 0.31, 6.2):
which runs of `*`, `_` and `~` are still open at the end of a text; it knows no other syntax."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_STOPS = frozenset(".,:;!?%)]}。，：；！？）】》」』”’")


@dataclass(slots=True)
class Run:
    """A run of one delimiter character: where it stands, how much of it is not matched yet."""

    mark: str
    at: int
    length: int
    left: int
    opens: bool
    closes: bool
    after_stop: bool  # right behind a punctuation mark that ends something


def _kind(letter: str) -> str:
    if not letter or letter.isspace():
        return "blank"
    if unicodedata.category(letter)[0] in "PS":
        return "punctuation"
    return "word"


def read_run(text: str, start: int, end: int) -> Run:
    """The run `text[start:end]` with its flanking (left opens, right closes)."""
    before, after = _kind(text[start - 1 : start]), _kind(text[end : end + 1])
    left = after != "blank" and (after != "punctuation" or before != "word")
    right = before != "blank" and (before != "punctuation" or after != "word")
    opens, closes = left, right
    if text[start] == "_":
        opens = left and (not right or before == "punctuation")
        closes = right and (not left or after == "punctuation")
    after_stop = text[start - 1 : start] in _STOPS if start else False
    return Run(text[start], start, end - start, end - start, opens, closes, after_stop)


def _fits(opener: Run, closer: Run) -> bool:
    if opener.mark != closer.mark or not opener.left:
        return False
    if opener.mark == "~":
        return opener.length >= 2 and closer.length >= 2
    both = (opener.opens and opener.closes) or (closer.opens and closer.closes)
    thirds = (opener.length + closer.length) % 3 == 0
    return not (both and thirds and (opener.length % 3 or closer.length % 3))


def push(stack: list[Run], run: Run, floor: int = 0) -> None:
    """Let `run` close what it can of `stack[floor:]`, then leave the rest of it as an opener."""
    while run.closes and run.left:
        at = next((i for i in range(len(stack) - 1, floor - 1, -1) if _fits(stack[i], run)), None)
        if at is None:
            break
        used = 2 if min(stack[at].left, run.left) >= 2 else 1
        stack[at].left -= used
        run.left -= used
        del stack[at + 1 :]
        if not stack[at].left:
            stack.pop()
    if run.opens and run.left and not _meant_to_close(stack[floor:], run):
        stack.append(run)


def _meant_to_close(stack: list[Run], run: Run) -> bool:
    """`**name:**value` is no pair to CommonMark, though its writer thought so: both stay text."""
    if run.length < 2 or not run.after_stop:
        return False
    for at in range(len(stack) - 1, -1, -1):
        if stack[at].mark == run.mark and stack[at].length == run.length:
            stack[at].left = 0
            return True
    return False
