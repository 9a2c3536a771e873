"""Which models lie on this machine, as the window shows them; reads folders, knows no widget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.engine.headers import contents
from app.engine.hub.half import Half, halves
from app.engine.models import (
    InstalledModel,
    base_folder,
    find,
    installed,
    models_folder,
    require_engine,
    thinking,
)
from app.vocabulary import EngineFault


@dataclass(frozen=True, slots=True)
class Known:
    """A model as far as its folder tells before it runs; `thinks`: its thinking can be switched."""

    name: str = ""
    sees_pictures: bool = False
    thinks: bool = False
    takes_video: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A model and what the settings call it; `base` is that of an adapter, `lost`: not here."""

    model: InstalledModel
    called: str
    chosen: bool
    base: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in the folder of the models and, where that is another, the chosen model; `wrong`
    says what keeps the engine from running it."""

    folder: Path
    models: tuple[Listed, ...] = ()
    halves: tuple[Half, ...] = ()
    wrong: str = ""


def known(model: str, data: Path) -> Known:
    """What can be told of a model at once; only its name where it is not here."""
    try:
        found = find(model, data)
    except (EngineFault, OSError):
        return Known(Path(model).name)
    switched = thinking(found.path) == "switched"
    return Known(found.name, found.sees_pictures, switched, found.takes_video)


def read(data: Path, chosen: str) -> Shelf:
    """The shelf as it is now. Looks at every file's size: to be called on a thread."""
    home = models_folder(data)
    try:
        models, unfinished = list(installed(data)), tuple(halves(home))
    except OSError as error:
        return Shelf(home, wrong=f"The models in {home} can't be read: {error.strerror}.")
    wrong, found = "", None
    try:
        found = find(chosen, data)
        require_engine()
    except EngineFault as fault:
        wrong = fault.message
    except OSError as error:
        wrong = f"The model {chosen} can't be read: {error.strerror}."
    if found is not None and found not in models:
        models.append(found)
    listed = tuple(_listed(model, home, chosen=model == found) for model in models)
    return Shelf(home, listed, unfinished, wrong)


def adopt(path: Path, data: Path) -> str:
    """What the settings are to call the model in a folder anywhere.

    Raises EngineFault, which says in a sentence why it is none that could run.
    """
    try:
        found = find(str(path), data)
        if found.format == "safetensors":
            contents(found.path)
    except OSError as error:
        raise EngineFault(
            "no_model", f"The folder {path} can't be read: {error.strerror}."
        ) from error
    if found.format == "adapter" and base_folder(found.path) is None:
        raise EngineFault("no_model", _baseless(found))
    return _called(found, models_folder(data))


def _listed(model: InstalledModel, home: Path, *, chosen: bool) -> Listed:
    lost = model.format == "adapter" and base_folder(model.path) is None
    base = Path(model.base).name
    return Listed(model, _called(model, home), chosen=chosen, base=base, lost=lost)


def _called(model: InstalledModel, home: Path) -> str:
    """Its name; its path where it lies elsewhere."""
    near = model.format == "gguf" or model.path.parent.resolve() == home.resolve()
    return model.name if near else str(model.path)


def _baseless(adapter: InstalledModel) -> str:
    name, base = adapter.name, adapter.base or "a model that it does not name"
    fetch = f" `sightline models get {base}` fetches it." if base.count("/") == 1 else ""
    return f"“{name}” is an adapter for {base}, which is not on this machine.{fetch}"
