"""Reads the lists and objects that models write into text (JSON, Python literals, mixtures of
both, cut off at the end); it does not know what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "float | str | bool | list[Value] | dict[str, Value] | None"

_BLANK = re.compile(r"[\s,;]*")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_KEY = re.compile(r"\s*[:=]\s*")
_NAMES: dict[str, bool | None] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
_CLOSERS = {"[": "]", "(": ")", "{": "}", "<": ">"}
_DEEPEST = 12


class _Cut(Exception):
    """The text ends here, or is no literal from here on."""


@dataclass(slots=True)
class _Reader:
    text: str
    at: int

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def value(self, depth: int = 0) -> Value:
        letter = self.text[self.at : self.at + 1]
        if letter in _CLOSERS and letter:
            return self.group(letter, depth)
        if found := _STRING.match(self.text, self.at):
            self.at = found.end()
            return unquote(found[1] if found[1] is not None else found[2])
        if found := _NUMBER.match(self.text, self.at):
            if found.end() == len(self.text):
                raise _Cut  # more digits may follow
            self.at = found.end()
            return float(found.group())
        found = _NAME.match(self.text, self.at)
        if found and found.group() in _NAMES:
            self.at = found.end()
            return _NAMES[found.group()]
        raise _Cut

    def group(self, opener: str, depth: int) -> Value:
        if depth > _DEEPEST:
            raise _Cut
        self.at += 1
        if opener == "{" and re.compile(r"\s*(?:[\"'A-Za-z_]|\})").match(self.text, self.at):
            return self.fields(depth)
        return self.items(_CLOSERS[opener], depth)

    def items(self, closer: str, depth: int) -> list[Value]:
        """The items up to the closing bracket; of a list cut off, those that are whole."""
        out: list[Value] = []
        while True:
            self.blank()
            if self.text.startswith(closer, self.at):
                self.at += 1
                return out
            try:
                out.append(self.value(depth + 1))
            except _Cut:
                if self._broken() or not any(isinstance(item, list | dict) for item in out):
                    raise
                self.at = len(self.text)
                return out

    def fields(self, depth: int) -> dict[str, Value]:
        out: dict[str, Value] = {}
        while True:
            self.blank()
            if self.text.startswith("}", self.at):
                self.at += 1
                return out
            key = _STRING.match(self.text, self.at) or _NAME.match(self.text, self.at)
            colon = _KEY.match(self.text, key.end()) if key else None
            if not key or not colon:
                raise _Cut
            self.at = colon.end()
            out[key.group().strip("\"'")] = self.value(depth + 1)

    def _broken(self) -> bool:
        """Whether reading stopped at something odd, and not at the end of the text."""
        return "]" in self.text[self.at :] and not self.text[self.at :].lstrip().startswith(
            ("[", "{")
        )


def unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def read(text: str, at: int) -> tuple[Value, int] | None:
    """The literal at `text[at]` and where it ends, or nothing if there is none."""
    reader = _Reader(text + " ", at) if text[-1:] in "])}>\"'" else _Reader(text, at)
    try:
        return reader.value(), min(reader.at, len(text))
    except _Cut:
        return None
