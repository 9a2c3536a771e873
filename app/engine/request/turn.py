"""A conversation as a server reads it off the wire: turns of texts, pictures, videos and tool calls
in the order in which they were sent. Pure values; knows no JSON, no model, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from app.vocabulary import Frame, ToolCall

Speaker = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Clip:
    """A video: either the bytes of its container (`data`), or its frames as encoded pictures with
    the time of each in seconds from the start."""

    media_type: str
    data: bytes = field(default=b"", repr=False)
    frames: tuple[Frame, ...] = field(default=(), repr=False)
    times: tuple[float, ...] = ()


Part: TypeAlias = str | Frame | Clip


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said. `reasoning` and `calls` are an assistant's; `call_id` and `name` say
    which call a tool's turn answers."""

    role: Speaker
    parts: tuple[Part, ...]
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    name: str = ""

    @property
    def text(self) -> str:
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `schema` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
