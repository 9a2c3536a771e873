"""Text that others wrote, with the marks of control in it made harmless; knows no template.

A mark gets a break in its middle, which a template carries along and which is taken out again when
text becomes tokens, each side for itself. So the model reads the very characters, and no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

BREAK = "\ufdd0"  # a noncharacter, which no text from outside may hold (Unicode 17, 23.7)

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: no tokenizer takes one alone


class Marks:
    """The marks that a text may not speak in."""

    def __init__(self, marks: Iterable[str]) -> None:
        longest_first = sorted((mark for mark in marks if len(mark) > 1), key=len, reverse=True)
        self._whole = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        begun = {mark[:end] for mark in longest_first for end in range(1, len(mark))}
        ordered = "|".join(map(re.escape, sorted(begun, key=len, reverse=True)))
        # what follows in the prompt may complete it: the next part of the same message, say
        self._begun = re.compile(rf"(?:{ordered or '(?!)'})(?=\s*\Z)")

    def broken(self, text: str) -> str:
        """The text with a break in each mark."""
        text = _HALVES.sub("\ufffd", text.replace(BREAK, ""))
        while (once := self._whole.sub(_apart, text)) != text:
            text = once  # a mark may stand in the rest of another
        return self._begun.sub(lambda found: found[0] + BREAK, text)

    def all_broken(self, value: Any) -> Any:
        """A JSON value with breaks in all its texts, names included."""
        if isinstance(value, str):
            return self.broken(value)
        if isinstance(value, dict):
            return {self.broken(str(name)): self.all_broken(held) for name, held in value.items()}
        if isinstance(value, list | tuple):
            return [self.all_broken(held) for held in value]
        return value


def whole(text: str) -> str:
    """The text as its reader shall see it."""
    return text.replace(BREAK, "")


def _apart(found: re.Match[str]) -> str:
    return found[0][0] + BREAK + found[0][1:]
