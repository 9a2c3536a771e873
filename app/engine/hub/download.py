"""Fetches a model from a hub into the folder of models: whole and verified, or not there at all.

What arrives goes into a hidden folder beside the models, which is renamed when everything in it is
right; a download that was cut off, by a kill too, goes on where it was. Knows no HTTP.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.archive.lease import alone
from app.disk import disk_fault, sync_folder
from app.engine.headers import INDEX
from app.engine.hub.fetching import Fetching, Tell, partial
from app.engine.hub.half import NOTE, PREFIX, read_note
from app.engine.hub.listing import Listed, needed, read_index
from app.engine.hub.repository import Repository
from app.engine.hub.site import Hub, Patience
from app.engine.models import is_model, is_whole
from app.vocabulary import EngineFault


@dataclass(frozen=True, slots=True)
class Got:
    """A model that is here now; `already`: it was before."""

    path: Path
    already: bool


Room = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def get(
    repository: Repository,
    home: Path,
    *,
    tell: Tell,
    room: Room = free_bytes,
    patience: Patience | None = None,
) -> Got:
    """Fetch a model into `home`, the folder of models; `room` tells the bytes free there.

    Raises Fault: EndpointFault for what the hub does, EngineFault("no_space" | "unsupported" |
    "failed") and StoreFault for what this machine can't do. A Fault and a kill leave a half
    download; asking again goes on with it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        name = _name(repository, home)
        with _lock(home, name):
            if (home / name).exists() and not _broken(repository, home / name):
                return Got(home / name, already=True)
            with Hub(repository, patience) as hub:
                files = _files(hub)
                half = _begun(repository, home / f"{PREFIX}{name}", files, room)
                _fetch(hub, half, files, tell)
                return Got(_finished(half, home / name, files), already=False)
    except OSError as error:
        raise disk_fault(error, "save the model", home) from error


def _name(repository: Repository, home: Path) -> str:
    """What its folder is called: the first of its names that no other model has."""
    for name in repository.folders:
        if _is_free(repository, home / name, home / f"{PREFIX}{name}"):
            return name
    raise EngineFault(
        "failed",
        f"Other models in {home} have every name that {repository.name} could have. "
        "Remove one with `sightline models remove`.",
    )


def _is_free(repository: Repository, whole: Path, half: Path) -> bool:
    """Whether these places are empty, or hold this very model, put there by hand perhaps."""
    if whole.exists():
        source = read_note(whole).source
        return source == repository.source or (not source and is_model(whole))
    return not half.exists() or read_note(half).source in ("", repository.source)


def _broken(repository: Repository, folder: Path) -> bool:
    """Whether a model that is there is damaged. One that we fetched is made a half download again,
    with every file of it to be verified."""
    if is_model(folder) and is_whole(folder):
        return False
    note, half = read_note(folder), folder.with_name(f"{PREFIX}{folder.name}")
    if note.source != repository.source or half.exists():
        raise EngineFault(
            "damaged",
            f"The model in {folder} is damaged. Remove it with "
            f"`sightline models remove {folder.name}`, then get it again.",
        )
    folder.rename(half)
    note.whole.clear()
    note.save(half)
    return True


@contextmanager
def _lock(home: Path, name: str) -> Iterator[None]:
    path = home / f"{PREFIX}{name}.lock"
    with ExitStack() as held:
        try:
            held.enter_context(alone(path, 0.0))
        except TimeoutError as error:
            said = f"Another Sightline is fetching {name} at this moment."
            raise EngineFault("failed", said) from error
        try:
            yield
        finally:
            with suppress(OSError):  # some systems keep an open file
                path.unlink(missing_ok=True)


def _files(hub: Hub) -> Sequence[Listed]:
    """What is needed of the repository: of the weights what their index names, if they have one."""
    files = hub.files()
    index = next((file for file in files if file.path == INDEX), None)
    name = hub.repository.name
    content = None if index is None else read_index(name, hub.read(index))
    return needed(name, files, content)


def _begun(repository: Repository, half: Path, files: Sequence[Listed], room: Room) -> Path:
    """The half folder with its note, once there is room for what is missing in it."""
    total = sum(file.size for file in files)
    _check_room(repository, half.parent, total - _there(half, files), room)
    half.mkdir(exist_ok=True)
    note = read_note(half)
    note.asked, note.source, note.bytes = repository.asked, repository.source, total
    note.save(half)
    return half


def _fetch(hub: Hub, half: Path, files: Sequence[Listed], tell: Tell) -> None:
    note = read_note(half)
    fetching = Fetching(hub, half, note=note, tell=tell)
    for file in files:
        fetching.fetch(file)
    note.begun.clear()
    note.save(half)


def _finished(half: Path, whole: Path, files: Sequence[Listed]) -> Path:
    """Give the folder its name, without what an older version of the model had."""
    wanted = {NOTE, *(file.path for file in files)}
    for path in half.iterdir():
        if path.name not in wanted:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    half.rename(whole)
    sync_folder(whole.parent)
    return whole


def _there(half: Path, files: Sequence[Listed]) -> int:
    """Bytes that need no room any more."""
    places = [place for file in files for place in (half / file.path, partial(half, file))]
    return sum(place.stat().st_size for place in places if place.is_file())


def _check_room(repository: Repository, home: Path, missing: int, room: Room) -> None:
    free = room(home)
    if missing > free:
        raise EngineFault(
            "no_space",
            f"{repository.name} needs {gigabytes(missing)} more, and {gigabytes(free)} are free "
            f"in {home}. Make room there; nothing that was fetched before is lost.",
            f"{missing} bytes needed, {free} free",
        )


def gigabytes(count: int) -> str:
    """A size on a disk or a line for a person, as hubs count it: `0.8 MB`, `3.2 GB`, `219 GB`."""
    if count < 10**9:
        return f"{count / 1e6:.1f} MB" if count < 10**8 else f"{count / 1e6:.0f} MB"
    return f"{count / 1e9:.1f} GB" if count < 10**11 else f"{count / 1e9:.0f} GB"
