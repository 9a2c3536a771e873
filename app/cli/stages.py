"""`sightline filter NAME`: one pure stage over JSON lines, the same code as the window runs."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from app.answer.boxes import Found, find
from app.answer.html import Fencer
from app.answer.repair import repair
from app.answer.split import Splitter, gather
from app.cli.output import emit
from app.engine.recording import Read, read_stream
from app.vocabulary import Dialect, Event, UsageFault

Record = Mapping[str, Any]
Result = dict[str, object]


def run(name: str) -> int:
    """Filters stdin to stdout; 1 if any line could not be read."""
    stage, status = STAGES[name], 0
    for line in sys.stdin:
        if not line.strip():
            continue
        identity: Result = {}
        try:
            record = _parse(line)
            identity = {"id": record["id"]} if "id" in record else {}
            emit(identity | stage(record))
        except UsageFault as fault:
            emit({**identity, "error": {"kind": fault.kind, "message": fault.message}})
            print(f"sightline: {fault.message}", file=sys.stderr, flush=True)
            status = 1
    return status


def _parse(line: str) -> Record:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise UsageFault("bad_input", f"A line is not JSON: {error}.") from None
    if not isinstance(record, dict):
        raise UsageFault("bad_input", "A line is not a JSON object.")
    return record


def _split(record: Record) -> Result:
    splitter = Splitter(_dialect(record), record.get("prompt_tail"))
    events: list[Event] = []
    for piece in _pieces(_text(record), record):
        events += splitter.feed(piece)
    if record.get("final", True):
        events += splitter.close()
    thinking, answer = gather(events)
    return {"thinking": thinking, "answer": answer}


def _repair(record: Record) -> Result:
    final, seen = bool(record.get("final", True)), ""
    for piece in _pieces(_text(record), record):
        seen += piece
    return {"markdown": repair(seen, final)}


def _html(record: Record) -> Result:
    fencer = Fencer()
    markdown = "".join(fencer.feed(piece) for piece in _pieces(_text(record), record))
    return {"markdown": markdown + (fencer.close() if record.get("final", True) else "")}


def _sse(record: Record) -> Result:
    try:
        body = base64.b64decode(str(record.get("body_b64", "")), validate=True)
    except binascii.Error as error:
        raise UsageFault("bad_input", f"body_b64 is not base64: {error}.") from None
    read: Read = read_stream(
        body,
        status=int(record.get("status") or 200),
        content_type=str(record.get("content_type") or "text/event-stream"),
        dialect=_dialect(record),
        chunk=_chunk(record),
    )
    return {
        "thinking": read.thinking,
        "answer": read.answer,
        "finish_reason": read.finish_reason,
        "usage": read.usage,
        "tool_calls": [{"name": c.name, "arguments": c.arguments} for c in read.tool_calls],
        "done": read.done,
        "error": read.error and {"kind": read.error.kind, "message": read.error.message},
    }


def _boxes(record: Record) -> Result:
    return found_json(find(_text(record)))


def found_json(found: Found) -> Result:
    """Boxes, points and actions as the contract writes them."""
    return {
        "boxes": [
            {"label": b.label or None, "box": [b.box.x1, b.box.y1, b.box.x2, b.box.y2]}
            for b in found.boxes
        ],
        "points": [{"label": p.label or None, "point": [p.x, p.y]} for p in found.points],
        "actions": [{"type": a.type, **a.arguments} for a in found.actions],
    }


def _text(record: Record) -> str:
    text = record.get("text", "")
    if not isinstance(text, str):
        raise UsageFault("bad_input", "“text” is not a string.")
    return text


def _dialect(record: Record) -> Dialect:
    dialect = record.get("dialect") or "auto"
    if dialect not in ("auto", "glm-4.5v", "glm-4.1v"):
        raise UsageFault("bad_input", f"There is no dialect “{dialect}”.")
    return cast(Dialect, dialect)


def _chunk(record: Record) -> int:
    chunk = record.get("chunk") or 0
    if not isinstance(chunk, int) or chunk < 0:
        raise UsageFault("bad_input", "“chunk” is not a whole number.")
    return chunk


def _pieces(text: str, record: Record) -> Iterator[str]:
    step = _chunk(record) or max(len(text), 1)
    for start in range(0, len(text), step):
        yield text[start : start + step]


STAGES: Mapping[str, Callable[[Record], Result]] = {
    "split": _split,
    "repair": _repair,
    "html": _html,
    "sse": _sse,
    "boxes": _boxes,
}
