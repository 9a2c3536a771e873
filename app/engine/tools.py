"""Tool calls put together from their deltas, however a vendor numbers them; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app.vocabulary import ToolCall


@dataclass(frozen=True, slots=True)
class ToolDelta:
    """A piece of one call as a chunk carries it; `index` None where the server leaves it out."""

    index: int | None
    id: str
    name: str
    arguments: str


def read_tools(said: dict[str, object]) -> tuple[ToolDelta, ...]:
    """The pieces in a delta or message: `tool_calls`, or the older `function_call`."""
    calls = said.get("tool_calls")
    calls = calls if isinstance(calls, list) else []
    old = said.get("function_call")
    if isinstance(old, dict):
        calls = [*calls, {"index": 0, "function": old}]
    return tuple(_read(call) for call in calls if isinstance(call, dict))


def _read(call: dict[str, object]) -> ToolDelta:
    function = call.get("function")
    function = function if isinstance(function, dict) else call
    arguments = function.get("arguments")
    if isinstance(arguments, dict | list):  # Ollama's own shape: already parsed
        arguments = json.dumps(arguments, ensure_ascii=False)
    index = call.get("index")
    return ToolDelta(
        index=index if isinstance(index, int) and not isinstance(index, bool) else None,
        id=_text(call.get("id")),
        name=_text(function.get("name")),
        arguments=_text(arguments),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class _Open:
    index: int | None
    id: str
    name: str = ""
    arguments: str = ""

    def add(self, delta: ToolDelta) -> None:
        self.id = self.id or delta.id
        if delta.name and not self.arguments:
            # cumulative or repeated names replace, pieces of a name follow one another
            self.name = delta.name if delta.name.startswith(self.name) else self.name + delta.name
        if _replaces(self.arguments, delta.arguments):
            self.arguments = delta.arguments
        else:
            self.arguments += delta.arguments


class Tools:
    """Collects deltas; `calls` are the whole calls so far, in the order they were opened."""

    def __init__(self) -> None:
        self._open: list[_Open] = []

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(call.name, call.arguments, call.id)
            for call in self._open
            if call.name or call.arguments
        )

    def add(self, delta: ToolDelta) -> None:
        call = next((call for call in reversed(self._open) if _continues(call, delta)), None)
        if call is None:
            call = _Open(delta.index, delta.id)
            self._open.append(call)
        call.add(delta)


def _continues(call: _Open, delta: ToolDelta) -> bool:
    """Whether `delta` belongs to `call`.

    Some servers number every parallel call 0, some leave the number out, some repeat the id or
    make a fresh one for each piece. What opens a new call among these is a name that comes after
    whole arguments, or another name.
    """
    if delta.id and delta.id == call.id:
        return True
    if delta.index is not None and delta.index != call.index:
        return False
    if not delta.name:
        return True
    if delta.index is not None and not (delta.id and call.id):
        return True
    return delta.name == call.name and not _complete(call.arguments)


def _complete(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):
        return False
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True


def _replaces(known: str, more: str) -> bool:
    """Whether `more` says the whole arguments (again) instead of going on with them."""
    return more.lstrip().startswith("{") and _complete(known)
