"""`sightline models list` and `remove`: the models that lie on this machine."""

from __future__ import annotations

from app.cli.output import emit, fail, say
from app.engine.hub.download import gigabytes
from app.engine.hub.half import Half, halves
from app.engine.models import InstalledModel, installed, models_folder
from app.engine.removal import remove
from app.settings import Folders
from app.vocabulary import Fault


def run_list(folders: Folders, *, as_json: bool) -> int:
    models = installed(folders.data)
    unfinished = tuple(halves(models_folder(folders.data)))
    for model in models:
        if as_json:
            emit(record(model))
        else:
            _tell(model)
    for half in unfinished:
        _tell_half(half, as_json=as_json)
    if not models and not unfinished and not as_json:
        say("No model lies here yet. Install the engine: pip install 'sightline[engine]'")
    return 0


def run_remove(name: str, folders: Folders, *, as_json: bool) -> int:
    try:
        removed = remove(name, folders.data)
    except Fault as fault:
        return fail(fault.as_error(), as_json=as_json)
    if as_json:
        place = str(removed.path)
        emit({"type": "removed", "name": name, "path": place, "bytes": removed.bytes})
    elif removed.target is not None:
        say(f"{name} was a link; it is gone, and {removed.target} stays.")
    else:
        say(f"{name} is removed: {gigabytes(removed.bytes)} are free again.")
    return 0


def record(model: InstalledModel) -> dict[str, object]:
    """A model as a JSON line."""
    return {
        "type": "model",
        "name": model.name,
        "path": str(model.path),
        "bytes": model.bytes,
        "format": model.format,
        "quantisation": model.quantisation or None,
        "base": model.base or None,
        "sees_pictures": model.sees_pictures,
        "source": model.source,
    }


def _tell(model: InstalledModel) -> None:
    sees = "sees pictures" if model.sees_pictures else "reads text"
    kind = f"adapter for {model.base or 'a model it does not name'}"
    kind = kind if model.format == "adapter" else model.format
    kind = f"{kind}, {model.quantisation}" if model.quantisation else kind
    say(f"{model.name}  {model.bytes / 1e6:,.0f} MB  {kind}  {sees}")
    say(f"  {model.path}")


def _tell_half(half: Half, *, as_json: bool) -> None:
    again = f"sightline models get {half.asked}"
    if as_json:
        emit(
            {
                "type": "half",
                "name": half.name,
                "path": str(half.path),
                "done": half.done,
                "bytes": half.bytes,
                "resume": again,
            }
        )
        return
    share = f"{gigabytes(half.done)} of {gigabytes(half.bytes)}"
    say(f"{half.name}  {share}, not finished; to go on: {again}")
