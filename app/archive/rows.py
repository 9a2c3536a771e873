"""Frames, clips and turns as database rows and back, equal; knows the columns, runs no SQL."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from typing import Literal

from app.vocabulary import Box, Clip, Error, Frame, Region, Source, TextLine, Usage

TurnState = Literal["streaming", "done", "length", "cancelled", "interrupted", "failed"]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # a model can write half an emoji; UTF-8 can't


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as the list shows it; times are seconds since the epoch."""

    id: int
    title: str
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer, as they were left.

    `first_token` and `thinking_seconds` are seconds from the question; `state` is `interrupted`
    for a turn that was streaming when the program died.
    """

    id: int
    conversation: int
    question: str
    frames: tuple[Frame, ...]
    thinking: str
    answer: str
    state: TurnState
    endpoint: str
    model: str
    created: float
    usage: Usage | None = None
    first_token: float | None = None
    thinking_seconds: float | None = None
    error: Error | None = None
    clips: tuple[Clip, ...] = ()


def clean(text: str) -> str:
    """`text` as UTF-8 can hold it."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def frame_row(frame: Frame) -> dict[str, object]:
    """The columns of a frame, all but `turn`, `position` and `media`."""
    lines = [
        [line.text, line.box.x1, line.box.y1, line.box.x2, line.box.y2, line.confidence]
        for line in frame.lines
    ]
    return {
        "media_type": frame.media_type,
        "width": frame.width,
        "height": frame.height,
        "source": json.dumps(asdict(frame.source)),
        "text_source": frame.text_source,
        "text": clean(frame.text),
        "lines": json.dumps(lines),
    }


def frame_of(row: sqlite3.Row, image: bytes) -> Frame:
    source = json.loads(row["source"])
    region = Region(**source.pop("region")) if source["region"] else None
    source.pop("region", None)
    return Frame(
        image=image,
        media_type=row["media_type"],
        width=row["width"],
        height=row["height"],
        source=Source(**source, region=region),
        text=row["text"],
        text_source=row["text_source"],
        lines=tuple(
            TextLine(text, Box(x1, y1, x2, y2), confidence)
            for text, x1, y1, x2, y2, confidence in json.loads(row["lines"])
        ),
    )


def clip_row(clip: Clip) -> dict[str, object]:
    """The columns of a clip, all but `turn`, `position` and `media`."""
    return {"media_type": clip.media_type, "name": clean(clip.name), "seconds": clip.seconds}


def clip_of(row: sqlite3.Row, data: bytes) -> Clip:
    return Clip(data, row["media_type"], row["name"], row["seconds"])


def end_row(usage: Usage | None, error: Error | None) -> dict[str, object]:
    """The columns of how a turn ended, but for its texts, state and times."""
    return {
        "prompt_tokens": usage.prompt if usage else None,
        "completion_tokens": usage.completion if usage else None,
        "cached_tokens": usage.cached if usage else None,
        "seconds": usage.seconds if usage else None,
        "error_kind": error.kind if error else None,
        "error_message": clean(error.message) if error else None,
        "error_detail": clean(error.detail) if error else None,
    }


def turn_of(row: sqlite3.Row, frames: tuple[Frame, ...], clips: tuple[Clip, ...] = ()) -> Turn:
    return Turn(
        id=row["id"],
        conversation=row["conversation"],
        question=row["question"],
        frames=frames,
        thinking=row["thinking"],
        answer=row["answer"],
        state=row["state"],
        endpoint=row["endpoint"],
        model=row["model"],
        created=row["created"],
        usage=_usage_of(row),
        first_token=row["first_token"],
        thinking_seconds=row["thinking_seconds"],
        error=_error_of(row),
        clips=clips,
    )


def _usage_of(row: sqlite3.Row) -> Usage | None:
    if row["prompt_tokens"] is None:
        return None
    return Usage(
        row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"], row["seconds"]
    )


def _error_of(row: sqlite3.Row) -> Error | None:
    if row["error_kind"] is None:
        return None
    return Error(row["error_kind"], row["error_message"], row["error_detail"])
