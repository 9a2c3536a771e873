"""A model's own processor, as transformers has it, or put together without torchvision from the
parts that pictures need. Knows no network and no server."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoProcessor

# WORKAROUND transformers 5.17 hides it at its top where torchvision is missing; drop with 5.17
from transformers.models.auto.image_processing_auto import AutoImageProcessor
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

from app.engine.models import read_config

_WHERE = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
# SmolVLM2's wants num2words, for what it writes above a video; it writes pictures as SmolVLM's does
_STAND_INS = {"SmolVLMProcessor": "Idefics3Processor"}
_FAULTS = (ImportError, OSError, ValueError, TypeError, KeyError, AttributeError)


class NoProcessorError(Exception):
    """The processor can't be had; says why."""


def load_processor(folder: Path, tokenizer: Any, *, trusted: bool = False) -> Any:
    """The processor of a model that sees pictures. Raises NoProcessorError."""
    options = {"local_files_only": True, "trust_remote_code": trusted}
    try:
        found = AutoProcessor.from_pretrained(folder, **options)
    except _FAULTS as first:
        try:
            return _assembled(folder, tokenizer, **options)
        except _FAULTS as error:
            raise NoProcessorError(f"{type(error).__name__}: {error}") from first
    if getattr(found, "image_processor", None) is None:
        raise NoProcessorError("the folder has no processor for pictures")
    return found


class _ForPictures:
    """Lets a processor of transformers do without its parts for videos and sound."""

    def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
        if argument is None:
            return None
        return super().check_argument_for_proper_class(name, argument)  # type: ignore[misc]


def _assembled(folder: Path, tokenizer: Any, **options: Any) -> Any:
    """As `ProcessorMixin.from_pretrained` does it, with None for what pictures don't need."""
    kind = _kind(folder)
    written = getattr(transformers, _STAND_INS.get(kind, kind))
    partial: Any = type(kind, (_ForPictures, written), {})
    said, _ = written.get_processor_dict(folder, local_files_only=True)
    pictures = _for_pictures(folder, **options)
    parts = {"tokenizer": tokenizer, "image_processor": pictures}
    return partial.from_args_and_dict([parts.get(name) for name in partial.get_attributes()], said)


def _for_pictures(folder: Path, **options: Any) -> Any:
    try:
        return AutoImageProcessor.from_pretrained(folder, backend="pil", **options)
    except (ImportError, ValueError):
        # WORKAROUND transformers 5.17 does not find some of its own (SmolVLM's); drop with 5.17
        name = str(read_config(folder).get("model_type")).replace("-", "_")
        module = import_module(f"transformers.models.{name}.image_processing_pil_{name}")
        return getattr(module, module.__all__[0]).from_pretrained(folder, local_files_only=True)


def _kind(folder: Path) -> str:
    """The name of the processor's class."""
    for file in _WHERE:
        said = _read(folder / file).get("processor_class")
        if isinstance(said, str):
            return said
    kind = read_config(folder).get("model_type")
    if kind not in PROCESSOR_MAPPING_NAMES:
        raise ValueError(f"there is no processor for the kind “{kind}”")
    return str(PROCESSOR_MAPPING_NAMES[kind])


def _read(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
