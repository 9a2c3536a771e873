"""Cuts a byte stream into server-sent events; knows nothing of JSON, models or HTTP.

Source: WHATWG HTML, §9.2.6 "Interpreting an event stream". Lines end at CR, LF or CRLF and
nowhere else: U+2028, VT or NEL inside a model's text must not cut its JSON in two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LIMIT = 64 << 20  # bytes, the largest single event that is still believed

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class EventTooLarge(ValueError):
    """One event outgrew `LIMIT`: the stream is not what it claims to be."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event as the server framed it; several `data` lines are joined with newlines."""

    name: str
    data: str


class EventReader:
    """Bytes in any cut → whole events; linear in the length of the stream."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # the line still open
        self._after_cr = False  # a CR ended the last chunk: an LF that follows belongs to it
        self._started = False
        self._name = ""
        self._data: list[str] = []
        self._size = 0  # of the open event
        self._open = 0  # of the open line

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that `chunk` completes.

        Raises:
            EventTooLarge: the open event is larger than `LIMIT`.
        """
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        *ended, rest = _LINE_END.split(chunk)
        events: list[ServerEvent] = []
        for line in ended:
            self._take(self._close_line(line), events)
        self._parts.append(rest)
        self._open += len(rest)
        self._check(self._open)
        return events

    def close(self) -> list[ServerEvent]:
        """What a server left without its last blank line; the specification drops it, users of
        servers that forget it would lose the end of their answer."""
        events: list[ServerEvent] = []
        self._take(self._close_line(b""), events)
        self._take("", events)
        return events

    def _close_line(self, end: bytes) -> str:
        self._parts.append(end)
        line = b"".join(self._parts)
        self._parts.clear()
        self._open = 0
        if not self._started:
            self._started = True
            line = line.removeprefix(_BOM)
        return line.decode("utf-8", errors="replace")

    def _take(self, line: str, events: list[ServerEvent]) -> None:
        if not line:
            self._dispatch(events)
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
            self._check(self._size)
        elif name == "event":
            self._name = value

    def _dispatch(self, events: list[ServerEvent]) -> None:
        if self._data:
            events.append(ServerEvent(self._name, "\n".join(self._data)))
        self._name = ""
        self._data.clear()
        self._size = 0

    def _check(self, size: int) -> None:
        if size > LIMIT:
            raise EventTooLarge(f"one event is larger than {LIMIT >> 20} MiB")
