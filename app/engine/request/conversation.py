"""The messages of a request, off the wire, as turns; knows no template and no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine.request import values
from app.engine.request.calling import read_calls
from app.engine.request.parts import read_content
from app.engine.request.turn import Speaker, Turn
from app.engine.request.values import FieldFault

_ROLES: Mapping[str, Speaker] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_REASONING = ("reasoning_content", "reasoning")  # OpenAI-compatible servers write either


def read_turns(messages: object) -> tuple[Turn, ...]:
    """Raises FieldFault."""
    if not isinstance(messages, list) or not messages:
        raise FieldFault("messages", "must be a list with at least one message.")
    return tuple(_read(message, f"messages[{place}]") for place, message in enumerate(messages))


def _read(message: object, field: str) -> Turn:
    if not isinstance(message, dict):
        raise FieldFault(field, "must be an object.")
    role = _role(message.get("role"), f"{field}.role")
    if role == "assistant":
        return _assistant(message, field)
    parts = read_content(message.get("content"), f"{field}.content")
    if role != "tool":
        return Turn(role, parts)
    return Turn(
        role,
        parts,
        call_id=values.text(message.get("tool_call_id"), f"{field}.tool_call_id") or "",
        name=values.text(message.get("name"), f"{field}.name") or "",
    )


def _role(role: object, field: str) -> Speaker:
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is None:
        said = "is missing" if role is None else f"{str(role)[:40]!r} is unknown"
        raise FieldFault(field, f"{said}; it must be system, user, assistant or tool.")
    return known


def _assistant(message: Mapping[str, Any], field: str) -> Turn:
    """What the model said before; beside calls there may be no content."""
    content = message.get("content")
    thought = [values.text(message.get(name), f"{field}.{name}") for name in _REASONING]
    return Turn(
        "assistant",
        () if content is None else read_content(content, f"{field}.content"),
        reasoning=next((text for text in thought if text), ""),
        calls=read_calls(message, field),
    )
