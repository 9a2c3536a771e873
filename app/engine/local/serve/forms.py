"""What an answer must look like, as grammars in the words of llguidance; knows neither tokens nor
the library itself.

A call that must be made is held to the form that the model's own template told it of: GLM's pairs,
or the JSON object of Hermes and Qwen. Source of the grammar's syntax: llguidance, docs/syntax.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.answer.arguments import KEY
from app.answer.tags import TOOL
from app.answer.typed import Schema, kinds_of, only_text
from app.engine.request.turn import Tool

CallForm = Literal["pairs", "object"]

# White space is kept short: a model that may write it for ever sometimes does.
_RULES: Mapping[str, Any] = {"whitespace_pattern": r"[ \n]{0,16}", "coerce_one_of": True}
_DEFINITIONS = ("$defs", "definitions")
_MOST = 16  # calls: a small model that may always make another does
_JOINED = frozenset({"anyOf", "oneOf", "allOf", "$ref"})  # the properties stand elsewhere, too
_TERMS = r"""
text[lazy]: /(.|\n)*<\/arg_value>/
gap: /\n?/
"""


def json_answer(schema: Schema) -> str:
    """An answer that is JSON of this schema and nothing else."""
    return f"start: {_json(schema)}\n"


def call_answer(
    tools: Sequence[Tool], form: CallForm, *, several: bool, schema: Schema | None = None
) -> str:
    """An answer that calls one of `tools`, or several one after the other; where `schema` is given
    it may be JSON of that instead."""
    more = f' ("\\n"? call){{0,{_MOST - 1}}}' if several else ""
    other = f"start: calls | answer\nanswer: {_json(schema)}\n" if schema is not None else ""
    head = other or "start: calls\n"
    return head + f"calls: call{more}\n" + (_pairs(tools) if form == "pairs" else _objects(tools))


def form_of(prompt: str) -> CallForm | None:
    """The form of calls that a prompt with tools asks for; None where it is none of ours."""
    if KEY in prompt:
        return "pairs"
    return "object" if TOOL in prompt and '"name"' in prompt else None


def _objects(tools: Sequence[Tool]) -> str:
    options = " | ".join(f"f{place}" for place in range(len(tools)))
    rules = [f'call: "<tool_call>\\n" ({options}) "\\n</tool_call>"']
    rules += [f"f{place}: {_json(_object(tool))}" for place, tool in enumerate(tools)]
    return "\n".join(rules) + "\n"


def _object(tool: Tool) -> Schema:
    arguments = {"type": "object", **tool.schema}
    if not _JOINED.intersection(arguments):
        arguments.setdefault("additionalProperties", False)  # no arguments out of the blue
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
        **_definitions(tool.schema),
    }


def _pairs(tools: Sequence[Tool]) -> str:
    options = " | ".join(f"f{place}" for place in range(len(tools)))
    rules = [f'call: "<tool_call>" ({options}) "</tool_call>"']
    for place, tool in enumerate(tools):
        rules += _function(tool, f"f{place}")
    return "\n".join(rules) + "\n" + _TERMS


def _function(tool: Tool, rule: str) -> list[str]:
    required = tool.schema.get("required") or []
    names = [*(tool.schema.get("properties") or {})]
    names += [name for name in required if name not in names]
    arguments = [
        f"{rule}a{place}" + ("" if name in required else "?") for place, name in enumerate(names)
    ]
    head = " ".join([f"{rule}:", _text(tool.name), "gap", *arguments])
    return [head, *(f"{rule}a{p}: {_argument(tool.schema, n)}" for p, n in enumerate(names))]


def _argument(schema: Schema, name: str) -> str:
    key = _text(f"<arg_key>{name}</arg_key>")
    return f'{key} gap "<arg_value>" {_value(schema, name)} gap'


def _value(schema: Schema, name: str) -> str:
    """A value as GLM writes it: text bare, anything else as JSON."""
    kinds = kinds_of(schema, name)
    member = (schema.get("properties") or {}).get(name)
    member = member if isinstance(member, dict) else {}
    if only_text(kinds) and isinstance(member.get("enum"), list):
        return "(" + " | ".join(_text(str(word)) for word in member["enum"]) + ') "</arg_value>"'
    if kinds is None or "string" in kinds:
        return "text"
    return f'{_json({**_definitions(schema), **member})} "</arg_value>"'


def _definitions(schema: Schema) -> dict[str, Any]:
    return {name: schema[name] for name in _DEFINITIONS if name in schema}


def _json(schema: Schema) -> str:
    return "%json " + json.dumps({**schema, "x-guidance": _RULES}, ensure_ascii=False)


def _text(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)
