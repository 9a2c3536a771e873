"""A whole recorded answer, read as the client would read it: for `filter sse` and for bug reports.

Pure: it knows the decoder, and neither network nor disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.answer.split import gather
from app.engine.chunk import Counted
from app.engine.decoder import FILTERED, StreamDecoder
from app.engine.faults import refusal
from app.engine.wire import Json
from app.vocabulary import Dialect, Error, Event, ToolCall


@dataclass(frozen=True, slots=True)
class Read:
    """What a whole answer came to; `error` is null where the finish reason itself tells that the
    server's filter ended the answer."""

    thinking: str
    answer: str
    finish_reason: str | None
    usage: Json | None  # prompt_tokens, completion_tokens, total_tokens, as the server counted
    tool_calls: tuple[ToolCall, ...]
    done: bool
    error: Error | None


def read_stream(
    body: bytes,
    *,
    status: int = 200,
    content_type: str = "text/event-stream",
    dialect: Dialect = "auto",
    chunk: int = 0,
) -> Read:
    """Reads a recorded answer as the client would, `chunk` bytes at a time (0: whole).

    `content_type` is not believed: servers send event streams under every name.
    """
    decoder = StreamDecoder(dialect)
    if status >= 300:
        return _record(decoder, [refusal(status, body).as_error()])
    size = chunk if chunk > 0 else max(len(body), 1)
    events: list[Event] = []
    for start in range(0, len(body), size):
        events += decoder.feed(body[start : start + size])
    return _record(decoder, events + decoder.close())


def _record(decoder: StreamDecoder, events: list[Event]) -> Read:
    thinking, answer = gather(events)
    end = events[-1]
    filtered = (decoder.finish_reason or "").lower() in FILTERED and not decoder.error
    return Read(
        thinking=thinking,
        answer=answer,
        finish_reason=decoder.finish_reason,
        usage=_usage(decoder.counted) if decoder.counted else None,
        tool_calls=decoder.tool_calls,
        done=decoder.saw_done,
        error=end if isinstance(end, Error) and not filtered else None,
    )


def _usage(counted: Counted) -> Json:
    return {
        "prompt_tokens": counted.usage.prompt,
        "completion_tokens": counted.usage.completion,
        "total_tokens": counted.total,
    }
