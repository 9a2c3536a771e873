"""The arguments of one tool call as a model writes them → the text of a JSON object, while they
stream; knows neither where a call begins nor who makes it.

Two forms: GLM's pairs of `<arg_key>` and `<arg_value>`, typed by the tool's schema, and the whole
JSON object of Hermes and Qwen, `{"name": …, "arguments": {…}}`, passed on as it was written.
"""

from __future__ import annotations

import json
from typing import Literal, Protocol

from app.answer.tags import END_TOOL
from app.answer.typed import Kinds, Schema, inside, kinds_of, only_text, quoted, typed

KEY, END_KEY = "<arg_key>", "</arg_key>"
VALUE, END_VALUE = "<arg_value>", "</arg_value>"
_ARGUMENTS = ("arguments", "parameters")


class Reader(Protocol):
    """Reads one call. `name` is empty until it is known; `rest` is the text behind the call, once
    it is done."""

    name: str
    done: bool
    rest: str

    def feed(self, text: str) -> str:
        """What of the arguments' JSON is new."""

    def close(self, *, cut: bool) -> str:
        """No more text comes. What the model ended by itself is made whole; what was cut off stays
        in pieces, so that nobody takes half an argument for all of it."""


class Pairs:
    """GLM's form, from behind the function's name to `</tool_call>`."""

    def __init__(self, name: str, schema: Schema) -> None:
        self.name = name
        self.done = False
        self.rest = ""  # until then: what is still to be read
        self._schema = schema
        self._place: Literal["between", "key", "gap", "value"] = "between"
        self._kinds: Kinds = None
        self._empty = True

    def feed(self, text: str) -> str:
        self.rest += text
        written = ""
        while not self.done:
            before = (self._place, len(self.rest))
            written += self._step()
            if (self._place, len(self.rest)) == before:
                break
        return written

    def close(self, *, cut: bool) -> str:
        left, self.rest = self.rest, ""
        self.done = True
        if self._place != "value":
            return "" if cut else self._missing() + self._end()
        if only_text(self._kinds):
            return inside(left) + ("" if cut else '"}')
        return "" if cut else typed(left, self._kinds) + "}"

    def _step(self) -> str:
        match self._place:
            case "between":
                return self._between()
            case "key":
                return self._key()
            case "gap":
                return self._gap()
            case "value":
                return self._string() if only_text(self._kinds) else self._other()

    def _between(self) -> str:
        self.rest = self.rest.lstrip()
        if self._pass_over(KEY):
            self._place = "key"
        elif self._pass_over(END_TOOL) or not _may_become(self.rest, KEY, END_TOOL):
            self.done = True  # with its own end, or with something else where that should stand
            return self._end()
        return ""

    def _key(self) -> str:
        key, end, rest = self.rest.partition(END_KEY)
        if not end:
            return ""
        key, self.rest, self._place = key.strip(), rest, "gap"
        self._kinds = kinds_of(self._schema, key)
        opened = "{" if self._empty else ", "
        self._empty = False
        return f"{opened}{quoted(key)}: "

    def _gap(self) -> str:
        self.rest = self.rest.lstrip()
        if self._pass_over(VALUE):
            self._place = "value"
            return '"' if only_text(self._kinds) else ""
        if _may_become(self.rest, VALUE):
            return ""
        missing = self._missing()
        self._place = "between"
        return missing

    def _string(self) -> str:
        value, end, rest = self.rest.partition(END_VALUE)
        if end:
            self.rest, self._place = rest, "between"
            return inside(value) + '"'
        cut = len(value) - begun(value, END_VALUE)
        self.rest = value[cut:]
        return inside(value[:cut])

    def _other(self) -> str:
        value, end, rest = self.rest.partition(END_VALUE)
        if not end:
            return ""
        self.rest, self._place = rest, "between"
        return typed(value, self._kinds)

    def _pass_over(self, tag: str) -> bool:
        found = self.rest.startswith(tag)
        self.rest = self.rest.removeprefix(tag)
        return found

    def _missing(self) -> str:
        return "null" if self._place == "gap" else ""  # a key without a value

    def _end(self) -> str:
        return "{}" if self._empty else "}"


class Whole:
    """Hermes' and Qwen's form, from the first brace to `</tool_call>`; `raw` is all between the
    braces, for the case that it proves to be no call."""

    def __init__(self) -> None:
        self.name = ""
        self.done = False
        self.rest = ""
        self._raw: list[str] = []
        self._ended = False  # its braces are; the tag behind them may be missing
        self._depth = 0
        self._quoted = self._escaped = False
        self._key = ""
        self._word: list[str] = []  # the key or the value being read, at the outermost level
        self._arguments = ""
        self._streamed = False  # the arguments went out as they came

    @property
    def raw(self) -> str:
        return "".join(self._raw)

    def feed(self, text: str) -> str:
        if self._ended:
            self._end_tag(text)
            return ""
        return self._braces(text)

    def _braces(self, text: str) -> str:
        written: list[str] = []
        for place, letter in enumerate(text, start=1):
            self._raw.append(letter)
            written.append(self._read(letter))
            if self._ended:
                self._end_tag(text[place:])
                break
        return "".join(written)

    def close(self, *, cut: bool) -> str:
        self.done, self.rest = True, ""
        return "" if cut or self._ended else self._late()

    def _end_tag(self, text: str) -> None:
        if not self.name:
            self.rest, self.done = text, True
            return
        self.rest = (self.rest + text).lstrip()
        if self.rest.startswith(END_TOOL):
            self.rest, self.done = self.rest.removeprefix(END_TOOL), True
        else:
            self.done = not _may_become(self.rest, END_TOOL)

    def _read(self, letter: str) -> str:
        outermost = self._depth == 1 and not self._quoted
        self._follow(letter)
        if outermost and letter in ":,}]":
            return self._mark(letter)
        if self._depth == 1 and letter == "{" and not self._quoted:
            return ""  # the first brace of all
        if self._is_passed_on(letter):
            self._streamed = True
            return letter
        if not self._word and letter.isspace():
            return ""
        self._word.append(letter)
        return ""

    def _follow(self, letter: str) -> None:
        """Where the next letter stands: in a string, and between how many brackets."""
        if self._quoted:
            self._quoted = self._escaped or letter != '"'
            self._escaped = letter == "\\" and not self._escaped
        elif letter == '"':
            self._quoted = True
        elif letter in "{[":
            self._depth += 1
        elif letter in "}]":
            self._depth -= 1

    def _mark(self, letter: str) -> str:
        """A colon, a comma or the last bracket at the outermost level."""
        word = "".join(self._word).strip()
        self._word.clear()
        if letter == ":":
            self._key = _string(word)
            return ""
        if self._key == "name":
            self.name = self.name or _string(word)
        elif self._key in _ARGUMENTS:
            self._arguments = self._arguments or word
        self._key = ""
        self._ended = self._depth == 0
        return self._late() if self._ended else ""

    def _is_passed_on(self, letter: str) -> bool:
        """Arguments that stand behind the name, and are an object, go out as they come."""
        if self._key not in _ARGUMENTS or not self.name or self._word or self._arguments:
            return False
        begun = self._streamed or letter == "{"
        return begun and not (letter.isspace() and self._depth == 1)

    def _late(self) -> str:
        """Arguments before the name, as text within text, or left out."""
        if self._streamed or not self.name:
            return ""
        said = _string(self._arguments) or self._arguments
        return said if said.startswith("{") else "{}"


def _string(word: str) -> str:
    """The string that JSON's text stands for; empty for anything else."""
    try:
        value = json.loads(word, strict=False)
    except (ValueError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def _may_become(text: str, *tags: str) -> bool:
    return any(tag.startswith(text) for tag in tags)


def begun(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if tag.startswith(text[-length:]):
            return length
    return 0
