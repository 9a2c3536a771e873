"""A bare value as a model writes it → JSON's text of it, typed by a JSON schema; knows no call.

A value that can only be text stays text, whatever it looks like. Any other is what it is as JSON,
and text where it is none (the reading that vLLM's and SGLang's GLM parsers agree on).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Kinds: TypeAlias = frozenset[str] | None  # JSON schema's words for types; None: anything

_NAMES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_DEEPEST = 16  # references and choices within one another
_TEXT = frozenset({"string"})


def only_text(kinds: Kinds) -> bool:
    return kinds == _TEXT


def kinds_of(schema: Schema, name: str) -> Kinds:
    """The types that the property `name` of an object may have."""
    properties = schema.get("properties")
    member = properties.get(name) if isinstance(properties, dict) else None
    return _kinds(member, schema, _DEEPEST)


def _kinds(schema: object, root: Schema, deep: int) -> Kinds:
    if not isinstance(schema, dict) or deep == 0:
        return None
    if "$ref" in schema:
        return _kinds(_referred(schema["$ref"], root), root, deep - 1)
    kind = schema.get("type")
    if isinstance(kind, str):
        return frozenset({kind})
    if isinstance(kind, list):
        return frozenset(word for word in kind if isinstance(word, str))
    listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(listed, list):
        return frozenset(_NAMES.get(type(value), "null") for value in listed)
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            return _union([_kinds(option, root, deep - 1) for option in schema[word]])
    return None


def _union(options: Sequence[Kinds]) -> Kinds:
    known = [option for option in options if option is not None]
    return frozenset().union(*known) if len(known) == len(options) else None


def _referred(reference: object, root: Schema) -> object:
    """What `#/$defs/x` points at; nothing where it points elsewhere."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    place: object = root
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        place = place.get(name) if isinstance(place, dict) else None
    return place


def typed(text: str, kinds: Kinds) -> str:
    """JSON's text of the value that `text` stands for."""
    if only_text(kinds):
        return quoted(text)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return quoted(text)
    if kinds is not None and "string" in kinds and not _fits(value, kinds):
        return quoted(text)
    return text.strip()


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def inside(text: str) -> str:
    """A piece of a string as it stands between JSON's quotation marks."""
    return quoted(text)[1:-1]


def _fits(value: object, kinds: frozenset[str]) -> bool:
    name = _NAMES[type(value)]
    return name in kinds or (name == "integer" and "number" in kinds)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are Python's, not JSON's
