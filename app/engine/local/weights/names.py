"""What a tensor is called, whichever release of transformers wrote the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

Spelling: TypeAlias = Callable[[str], str]

_TOWERS = ("visual.", "model.visual.")
_INNER = ("model.language_model.", "model.visual.")


def spelling(names: Iterable[str]) -> Spelling:
    """How to spell names of the checkpoint that holds `names`: today's way, so that those in the
    file, those that a network asks for and those in an adapter meet.

    A model that sees has `model.language_model.*`, `model.visual.*` and `lm_head.*` (once
    `model.*` and `visual.*`, or `language_model.model.*`); one that only reads has `model.*`.
    """
    sees = any(name.startswith(_TOWERS) for name in names)
    return _seeing if sees else _reading


def _seeing(name: str) -> str:
    if name.startswith("visual."):
        return f"model.{name}"
    name = _older(name)
    if name.startswith("model.") and not name.startswith(_INNER):
        return f"model.language_model.{name.removeprefix('model.')}"
    return name


def _reading(name: str) -> str:
    name = _older(name)
    inner = name.removeprefix("model.language_model.")
    return name if inner == name else f"model.{inner}"


def _older(name: str) -> str:
    inner = name.removeprefix("language_model.model.")
    if inner != name:
        return f"model.language_model.{inner}"
    return name.removeprefix("language_model.") if ".lm_head." in f".{name}" else name
