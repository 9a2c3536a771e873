"""A dataclass from decoded JSON, field by field, so that one wrong value costs one field; knows no
file and no meaning.

Understands bool, int, float, str, Literal, `X | None`, `tuple[X, ...]` and dataclasses of these.
A number's bounds stand in the field's metadata as `least` and `most`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def read(kind: type[T], content: Mapping[str, object]) -> tuple[T, tuple[str, ...]]:
    """The value, and the names of the fields whose values did not fit and got their defaults.
    Unknown names are passed over. Raises ValueError where a field without default is missing."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for field in fields(kind):
        if field.name in content:
            try:
                value, inner = _value(hints[field.name], content[field.name])
                values[field.name] = _bounded(field, value)
                wrong += [f"{field.name}{name}" for name in inner]
            except ValueError:
                wrong.append(field.name)
        if field.name not in values and field.default is field.default_factory is MISSING:
            raise ValueError(f"{field.name} is missing")
    return kind(**values), tuple(wrong)


def _value(hint: Any, value: object) -> tuple[Any, tuple[str, ...]]:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _optional(hint, value)
    if origin is Literal:
        return _must(value in get_args(hint), value), ()
    if origin is tuple:
        return _items(get_args(hint)[0], value)
    if is_dataclass(hint):
        return _whole(hint, value)
    if hint is float and type(value) is int:
        return float(value), ()
    return _must(type(value) is hint, value), ()  # a bool is no int here


def _optional(hint: Any, value: object) -> tuple[Any, tuple[str, ...]]:
    if value is None:
        return None, ()
    (inner,) = (option for option in get_args(hint) if option is not type(None))
    return _value(inner, value)


def _items(hint: Any, value: object) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """The items that fit; the others are named by their place, counted from 1."""
    if not isinstance(value, list):
        raise ValueError
    kept: list[Any] = []
    wrong: list[str] = []
    for place, item in enumerate(value, 1):
        try:
            read_item, inner = _value(hint, item)
            kept.append(read_item)
            wrong += [f" {place} {name}" for name in inner]
        except ValueError:
            wrong.append(f" {place}")
    return tuple(kept), tuple(wrong)


def _whole(hint: Any, value: object) -> tuple[Any, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ValueError
    return read(hint, value)


def _bounded(field: Field[Any], value: Any) -> Any:
    least, most = field.metadata.get("least"), field.metadata.get("most")
    if value is None or (least is None and most is None):
        return value
    inside = (least is None or value >= least) and (most is None or value <= most)
    return _must(inside, value)


def _must(fits: bool, value: object) -> Any:
    if not fits:
        raise ValueError
    return value
