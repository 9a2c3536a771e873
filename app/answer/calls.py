"""A model's text → the text around its tool calls and the calls, while they stream; any chunking
gives the same end. It knows neither thinking nor the wire.

A `<tool_call>` opens a call only where what follows has the form of one; else it is a word of the
text. Forms: GLM-4.5 and later (`name`, then `<arg_key>` and `<arg_value>`; the line break behind
the name is gone since GLM-4.7), Hermes and Qwen (a JSON object).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.answer.arguments import KEY, Pairs, Reader, Whole, begun
from app.answer.tags import END_TOOL, TOOL
from app.answer.typed import Schema
from app.vocabulary import ToolCall

_NAME = r"[A-Za-z0-9_.:/-]{1,128}"
_HEAD = re.compile(rf"\s*({_NAME})\s*(?={KEY}|{END_TOOL})")
_OBJECT = re.compile(r"\s*(?=\{)")
_BEGUN = re.compile(rf"\s*(?:{_NAME})?\s*(?P<tag><[^>]*)?")


@dataclass(frozen=True, slots=True)
class Opened:
    """A call begins; calls count from 0."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Argued:
    """A piece of a call's arguments; together they are the text of a JSON object."""

    index: int
    text: str


Said: TypeAlias = str | Opened | Argued


class Calls:
    """Text in, text and calls out. `schemas` has the tools' arguments by name."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas
        self._buffer = ""
        self._blank = ""  # white space that may stand before a call, and then means nothing
        self._out: list[Said] = []
        self._head = False  # behind a <tool_call> that may be only a word
        self._reader: Reader | None = None
        self._opened = False  # the reader's call was told of
        self._count = 0
        self._after = False  # nothing but blanks since a call
        self._spoke = False

    def feed(self, text: str) -> list[Said]:
        self._buffer += text
        self._run(final=False)
        return self._take()

    def close(self, *, cut: bool = False) -> list[Said]:
        """The end; `cut` where it is not the model's own."""
        self._run(final=True)
        if self._reader:
            self._tell(self._reader.close(cut=cut))
            self._leave()
            self._run(final=True)
        if self._blank and not self._after:
            self._out.append(self._blank)
        return self._take()

    def _take(self) -> list[Said]:
        out, self._out = self._out, []
        return out

    def _run(self, final: bool) -> None:
        while self._step(final):
            pass

    def _step(self, final: bool) -> bool:
        """One thing read; False where more text is needed."""
        if self._reader:
            return self._call(self._reader)
        if self._head:
            return self._decide(final)
        before, tag, after = self._buffer.partition(TOOL)
        keep = 0 if tag or final else begun(before, TOOL)
        self._text(before[: len(before) - keep])
        self._buffer = after if tag else before[len(before) - keep :]
        self._head = bool(tag)
        return self._head

    def _decide(self, final: bool) -> bool:
        if _OBJECT.match(self._buffer):
            self._reader = Whole()
        elif found := _HEAD.match(self._buffer):
            name, rest = found[1], self._buffer[found.end() :]
            if name in self._schemas or rest.startswith(KEY):
                self._reader = Pairs(name, self._schemas.get(name, {}))
                self._buffer = rest
        elif not final and _may_open(self._buffer):
            return False
        self._head = False
        if not self._reader:
            self._text(TOOL)
        return True

    def _call(self, reader: Reader) -> bool:
        text, self._buffer = self._buffer, ""
        self._tell(reader.feed(text))
        if reader.done:
            self._leave()
        return reader.done

    def _tell(self, arguments: str) -> None:
        reader = self._reader
        if not reader or not reader.name:
            return
        if not self._opened:
            self._opened, self._blank = True, ""
            self._out.append(Opened(self._count, reader.name))
        if arguments:
            self._out.append(Argued(self._count, arguments))

    def _leave(self) -> None:
        reader, self._reader = self._reader, None
        if not reader:
            return
        if self._opened:
            self._count += 1
            self._after = True
        elif isinstance(reader, Whole):
            self._text(TOOL + reader.raw)  # braces, and no call between them
        self._opened = False
        self._buffer = reader.rest + self._buffer

    def _text(self, text: str) -> None:
        """White space beside calls parts them and is no answer."""
        text = self._blank + text
        body = text.rstrip()
        self._blank = text[len(body) :]
        if body:
            self._out.append(body.lstrip() if self._after and not self._spoke else body)
            self._after, self._spoke = False, True


def _may_open(text: str) -> bool:
    """Whether more text could still make a call of it."""
    found = _BEGUN.fullmatch(text)
    tag = found["tag"] if found else None
    return bool(found) and (tag is None or KEY.startswith(tag) or END_TOOL.startswith(tag))


def calls_in(text: str, schemas: Mapping[str, Schema]) -> tuple[str, tuple[ToolCall, ...]]:
    """(the text around the calls, the calls) of a whole text."""
    reading = Calls(schemas)
    return gather([*reading.feed(text), *reading.close()])


def gather(said: list[Said]) -> tuple[str, tuple[ToolCall, ...]]:
    """What these pieces make together."""
    words: list[str] = []
    names: list[str] = []
    arguments: list[str] = []
    for piece in said:
        match piece:
            case Opened(_, name):
                names.append(name)
                arguments.append("")
            case Argued(index, text):
                arguments[index] += text
            case text:
                words.append(text)
    return "".join(words), tuple(map(ToolCall, names, arguments))
