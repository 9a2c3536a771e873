"""The functions of a request, off the wire: what the model may call, what it must, and what was
called in the turns before. Form: OpenAI's `tools`, `tool_choice` and `tool_calls`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.engine.request import values
from app.engine.request.turn import Tool
from app.engine.request.values import FieldFault
from app.vocabulary import ToolCall

_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_WORDS = ("none", "auto", "required")


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether the model may (`auto`) or must (`required`) call a function, or just this one
    (`named`); `none`: it is not told of any."""

    mode: Literal["none", "auto", "required", "named"] = "auto"
    name: str = ""


def read_tools(given: object) -> tuple[Tool, ...]:
    """Raises FieldFault."""
    listed = values.items(given, "tools")
    tools = tuple(_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(listed))
    names = [tool.name for tool in tools]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise FieldFault(f"tools[{place}].function.name", f"“{name}” is there twice.")
    return tools


def _read_tool(tool: object, field: str) -> Tool:
    fields = _needed(tool, field)
    if fields.get("type", "function") != "function":
        raise FieldFault(f"{field}.type", "must be “function”; no other tools are known here.")
    place = f"{field}.function"
    function = _needed(fields.get("function"), place)
    return Tool(
        name=_read_name(function.get("name"), f"{place}.name"),
        description=values.text(function.get("description"), f"{place}.description") or "",
        schema=_read_schema(function.get("parameters"), f"{place}.parameters"),
    )


def _needed(value: object, field: str) -> Mapping[str, Any]:
    if value is None:
        raise FieldFault(field, "is missing.")
    return values.fields(value, field)


def _read_name(value: object, field: str) -> str:
    name = values.text(value, field)
    if not name or not _NAME.fullmatch(name):
        raise FieldFault(field, "must be 1 to 128 letters, digits, “_”, “-”, “.”, “:” or “/”.")
    return name


def _read_schema(value: object, field: str) -> Mapping[str, Any]:
    """The arguments' schema, of an object; what it says of itself is for the grammar to judge."""
    schema = values.fields(value, field)
    values.fields(schema.get("properties"), f"{field}.properties")
    for place, name in enumerate(values.items(schema.get("required"), f"{field}.required")):
        if not isinstance(name, str):
            raise FieldFault(f"{field}.required[{place}]", "must be text.")
    if schema.get("type", "object") != "object":
        raise FieldFault(f"{field}.type", "must be “object”.")
    return schema


def read_choice(given: object, tools: Sequence[Tool]) -> ToolChoice:
    """Raises FieldFault, also where it asks for a function that `tools` has not."""
    if given is None:
        return ToolChoice("auto")
    name = ""
    if isinstance(given, dict):
        function = values.fields(given.get("function", given), "tool_choice.function")
        name = _read_name(function.get("name"), "tool_choice.function.name")
        choice = ToolChoice("named", name)
    elif isinstance(given, str) and given in _WORDS:
        choice = ToolChoice("none" if given == "none" else _wanted(given))
    else:
        raise FieldFault("tool_choice", "must be “none”, “auto”, “required” or a function's name.")
    if choice.mode in ("required", "named") and not tools:
        raise FieldFault("tool_choice", "asks for a call, and there are no `tools`.")
    if name and name not in {tool.name for tool in tools}:
        raise FieldFault("tool_choice.function.name", f"“{name}” is not one of `tools`.")
    return choice


def _wanted(word: str) -> Literal["auto", "required"]:
    return "required" if word == "required" else "auto"


def read_calls(message: Mapping[str, Any], field: str) -> tuple[ToolCall, ...]:
    """An assistant's calls in a turn before, the older `function_call` too. Raises FieldFault."""
    listed = values.items(message.get("tool_calls"), f"{field}.tool_calls")
    calls = [_read_call(call, f"{field}.tool_calls[{n}]") for n, call in enumerate(listed)]
    if message.get("function_call") is not None:
        calls.append(_read_function(message["function_call"], f"{field}.function_call"))
    return tuple(calls)


def _read_call(call: object, field: str) -> ToolCall:
    fields = _needed(call, field)
    name = values.text(fields.get("id"), f"{field}.id") or ""
    return _read_function(fields.get("function"), f"{field}.function", name)


def _read_function(given: object, field: str, call_id: str = "") -> ToolCall:
    function = _needed(given, field)
    return ToolCall(
        name=_read_name(function.get("name"), f"{field}.name"),
        arguments=_read_arguments(function.get("arguments"), f"{field}.arguments"),
        id=call_id,
    )


def _read_arguments(value: object, field: str) -> str:
    """JSON's text of an object; some clients send the object itself."""
    if value is None or value == "":
        return "{}"
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise FieldFault(field, "must be a JSON object, written as text.") from None
    if not isinstance(read, dict):
        raise FieldFault(field, "must be a JSON object, written as text.")
    return value if isinstance(value, str) else json.dumps(read, ensure_ascii=False)
