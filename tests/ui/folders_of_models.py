"""Small folders in the shape of models: as much of one as the window looks at."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from app.engine.hub.half import PREFIX, Note


def checkpoint(folder: Path, *, words: Mapping[str, str] | None = None, **config: object) -> Path:
    """A model of one tensor; `words` are further files and what they say."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
    (folder / "model.safetensors").write_bytes(_tensor())
    for name, text in (words or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def adapter(folder: Path, *, base: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    (folder / "adapter_model.safetensors").write_bytes(_tensor())
    return folder


def half(models: Path, name: str, asked: str) -> Path:
    """A download of which three quarters of 4,000 bytes are here."""
    folder = models / f"{PREFIX}{name}"
    folder.mkdir(parents=True)
    Note(asked=asked, source=f"hf:{asked}@main", bytes=4000).save(folder)
    (folder / "model.safetensors.part").write_bytes(bytes(3000))
    return folder


def _tensor() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)
