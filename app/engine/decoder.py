"""The bytes of an answer → events, and a record of what was sent; knows no network and no clock.

Takes whatever comes where an event stream was asked for: events in any framing, one JSON
completion, JSON lines, a web page. The end is the same for every cut of the bytes.
"""

from __future__ import annotations

import json
from typing import Literal

from app.engine.chunk import Counted, read_piece, read_usage
from app.engine.faults import fault_of, plain
from app.engine.inline import Voices
from app.engine.said import Said, find_error, page_words, read_body
from app.engine.sse import EventReader, EventTooLarge, ServerEvent
from app.engine.tools import Tools
from app.engine.wire import Json
from app.vocabulary import (
    Dialect,
    Done,
    EndpointFault,
    Error,
    Event,
    Fault,
    ToolCall,
)

_Form = Literal["unknown", "events", "json", "page"]
_BOM = b"\xef\xbb\xbf"
_HEAD = 4096  # bytes kept to quote from when nothing else can be read
_LARGEST = 64 << 20  # bytes of a completion that comes whole

_LENGTH = frozenset(
    ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded")
)
FILTERED = frozenset(
    (
        "content_filter",
        "content_filtered",
        "sensitive",
        "safety",
        "refusal",
        "recitation",
        "blocklist",
        "prohibited_content",
        "guardrail_intervened",
    )
)
_NOTHING = "The server closed the connection without an answer. Try again."
_FAILED = frozenset(
    ("error", "network_error", "insufficient_system_resource", "engine_error", "server_error")
)
_CUT = frozenset(("abort", "aborted", "cancelled", "canceled"))


class StreamDecoder:
    """Feed it bytes, then close it: `feed` gives no end, `close` gives exactly one."""

    def __init__(self, dialect: Dialect = "auto") -> None:
        self.finish_reason: str | None = None  # the last one sent, in the server's word
        self.counted: Counted | None = None
        self.saw_done = False
        self.error: EndpointFault | None = None  # what the server itself reported
        self._form: _Form = "unknown"
        self._head = bytearray()
        self._body = bytearray()  # of an answer that is no event stream
        self._reader = EventReader()
        self._voices = Voices(dialect)
        self._tools = Tools()
        self._spoke = False
        self._whole = False  # the JSON closed, so nothing is missing
        self._garbled = ""  # a chunk that was no JSON

    @property
    def ended(self) -> bool:
        """Nothing that may follow matters: the server said [DONE], or reported an error."""
        return self.saw_done or self.error is not None

    @property
    def finished(self) -> bool:
        """The answer is whole; only counts may follow."""
        return self.ended or self.finish_reason is not None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return self._tools.calls

    # --- bytes ------------------------------------------------------------------------------

    def feed(self, data: bytes) -> list[Event]:
        if self.ended:
            return []
        if len(self._head) < _HEAD:
            self._head += data[: _HEAD - len(self._head)]
        if self._form == "unknown":
            self._body += data
            data = self._recognise()
        match self._form:
            case "events":
                return self._feed_events(data)
            case "json" | "page":
                self._body += data
                if len(self._body) > _LARGEST:
                    self.error = plain("bad_response", "more than 64 MiB without an end")
        return []

    def _recognise(self) -> bytes:
        """Decides the form by the first byte that is no blank; the bytes kept until then."""
        start = bytes(self._body[: len(_BOM)])
        if _BOM.startswith(start):  # nothing yet, or a mark that is not whole
            start = b"" if len(start) < len(_BOM) else bytes(self._body[len(_BOM) :])
        else:
            start = bytes(self._body)
        first = start.lstrip()[:1]
        if not first:
            return b""
        self._form = "json" if first in b"{[" else "page" if first == b"<" else "events"
        data = bytes(self._body)
        self._body.clear()
        return data

    def _feed_events(self, data: bytes) -> list[Event]:
        try:
            return self._take_all(self._reader.feed(data))
        except EventTooLarge as problem:
            self.error = plain("bad_response", str(problem))
            return []

    def _take_all(self, sent: list[ServerEvent], *, cut: bool = False) -> list[Event]:
        events: list[Event] = []
        for event in sent:
            if not self.ended:
                events += self._take(event, cut)
        return events

    def _take(self, event: ServerEvent, cut: bool) -> list[Event]:
        data = event.data.strip()
        if data == "[DONE]":
            self.saw_done = True
            return []
        chunk = _parse(data)
        if event.name == "error" and data:
            self.error = fault_of(find_error(chunk) or Said(data))
            return []
        if chunk is None and (apart := _apart(event)):
            return self._take_all(apart, cut=cut)
        if chunk is None and data.startswith("{") and not cut:
            self._garbled = self._garbled or data
        return self._take_json(chunk)

    # --- JSON -------------------------------------------------------------------------------

    def _take_json(self, chunk: object) -> list[Event]:
        events = self._take_chunk(chunk) if isinstance(chunk, dict) else []
        said = find_error(chunk)
        if said:
            self.error = fault_of(said)
        return events

    def _take_chunk(self, chunk: Json) -> list[Event]:
        self.counted = read_usage(chunk) or self.counted
        piece = read_piece(chunk)
        self.finish_reason = piece.finish or self.finish_reason
        if piece.whole and self._spoke:
            return []  # some servers say the whole message once more at the end
        events: list[Event] = []
        for track, text in piece.reasoning:
            events += self._voices.reasoning(track, text)
        if piece.content:
            events += self._voices.content(piece.content)
        if piece.retract:
            events += self._voices.retract(piece.retract)
        for delta in piece.tools:
            self._tools.add(delta)
        self._spoke = self._spoke or bool(piece.reasoning or piece.content or piece.tools)
        return events

    def _take_body(self) -> list[Event]:
        """An answer that came whole: one completion, or chunks as JSON lines."""
        text = self._body.decode("utf-8", errors="replace").lstrip("\ufeff")
        whole = _parse(text)
        if whole is None:
            lines = map(_parse, text.splitlines())
            return [event for line in lines for event in self._take_json(line)]
        events = self._take_json(whole)
        if self._spoke and self.finish_reason is None:
            self._whole = True
        return events

    # --- the end ----------------------------------------------------------------------------

    def close(self, fault: Fault | None = None) -> list[Event]:
        """What was still held back, the counts, and the one end.

        `fault` is why nothing more comes, where that is known; it changes nothing for an answer
        that was whole by then.
        """
        events = self._rest()
        events += self._voices.close()
        end = self._end(fault)
        events += self.tool_calls if isinstance(end, Done) else ()
        if self.counted:
            events.append(self.counted.usage)
        return [*events, end]

    def _rest(self) -> list[Event]:
        if self.ended:
            return []
        match self._form:
            case "events":
                return self._take_all(self._reader.close(), cut=True)
            case "json":
                return self._take_body()
            case "page":
                words = page_words(self._body.decode("utf-8", errors="replace"))
                self.error = plain("bad_response", words or "a web page")
        return []

    def _end(self, fault: Fault | None) -> Done | Error:
        if self.error:
            return self.error.as_error()
        if self._garbled:
            return plain("bad_response", self._garbled).as_error()
        if self.finish_reason:
            return _finish(self.finish_reason)
        if self.saw_done or self._whole:
            return Done("stop")
        return (fault or self._broken_off()).as_error()

    def _broken_off(self) -> EndpointFault:
        if self._spoke:
            return plain("interrupted")
        words = read_body(bytes(self._head)).words
        if not words or words.startswith((":", "data:", "event:", "id:")):
            return EndpointFault("interrupted", _NOTHING)
        return plain("bad_response", words)


def _finish(reason: str) -> Done | Error:
    word = reason.lower()
    if word in _LENGTH:
        return Done("length")
    if word in FILTERED:
        return plain("refused").as_error()
    if word in _FAILED:
        return plain("server_failed", reason).as_error()
    if word in _CUT:
        return plain("interrupted", reason).as_error()
    return Done("stop")


def _apart(event: ServerEvent) -> list[ServerEvent]:
    """The events of a server that forgets the blank lines between them, or says `data:` twice."""
    lines = [line.removeprefix("data:").strip() for line in event.data.split("\n")]
    if lines == [event.data.strip()]:
        return []
    if not any(line == "[DONE]" or isinstance(_parse(line), dict) for line in lines):
        return []
    return [ServerEvent(event.name, line) for line in lines if line]


def _parse(text: str) -> object:
    try:
        return json.loads(text, strict=False)  # raw control characters in strings do no harm
    except (ValueError, RecursionError):
        return None
