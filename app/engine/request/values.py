"""One value of a request's JSON at a time: what it may be, and the sentence where it is not; knows
the path of a field and nothing of its meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.vocabulary import EndpointFault


class FieldFault(EndpointFault):
    """A field of a request that can't be read; `field` is its path, as `messages[0].content`."""

    def __init__(self, field: str, wrong: str) -> None:
        super().__init__("bad_request", f"`{field}` {wrong}")
        self.field = field


def whole(
    value: object, field: str, *, least: int | None = None, most: int | None = None
) -> int | None:
    """A whole number within its bounds; JSON's 3.0 is one. None where none is given."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldFault(field, "must be a whole number.")
    if least is not None and value < least:
        raise FieldFault(field, f"must be {least} or more.")
    if most is not None and value > most:
        raise FieldFault(field, f"must be {most} or less.")
    return value


def number(value: object, field: str, *, least: float, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldFault(field, "must be a number.")
    if not least <= value <= most:  # not-a-number is never within
        raise FieldFault(field, f"must lie between {least:g} and {most:g}.")
    return float(value)


def flag(value: object, field: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise FieldFault(field, "must be true or false.")


def text(value: object, field: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise FieldFault(field, "must be text.")


def word(value: object, field: str, choices: Sequence[str]) -> str | None:
    """One of a few words."""
    if value is None:
        return None
    if isinstance(value, str) and value in choices:
        return value
    raise FieldFault(field, f"must be {_either(choices)}.")


def items(value: object, field: str) -> list[object]:
    """A list; an empty one where none is given."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise FieldFault(field, "must be a list.")


def fields(value: object, field: str) -> Mapping[str, Any]:
    """A JSON object; an empty one where none is given."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise FieldFault(field, "must be an object.")


def mended(value: object) -> Any:
    """The same JSON without halves of surrogate pairs, which no strict reader or writer takes.

    Raises RecursionError where it is nested too deeply.
    """
    if isinstance(value, str):
        return _mended(value)
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): mended(item) for key, item in value.items()}
    return value


def _mended(said: str) -> str:
    if said.isascii():  # known without looking at each letter: a picture's base64 is long
        return said
    return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _either(choices: Sequence[str]) -> str:
    quoted = [f"“{choice}”" for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)
