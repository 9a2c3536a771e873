"""Makes a model ready to load: the folder of its weights, converted once where it came as GGUF."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.engine.local.convert import convert, renew
from app.engine.local.life import Say
from app.engine.models import InstalledModel, find, models_folder
from app.vocabulary import EngineFault

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_GROWTH = 3  # float16 safetensors against four-bit GGUF, with room to spare: 2.9 times
_HALF = ".half-"  # how a folder that is still being written is named

Room = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def ready_folder(model: str, folder: Path, say: Say, room: Room = free_bytes) -> Path:
    """The folder of the model's safetensors; converts it first where that is still to be done.

    Whole or not at all: the weights are written beside their place and renamed into it, under a
    lock, so that a kill leaves nothing half-made and two engines don't convert at once. Raises
    EngineFault("no_model" | "no_space" | "engine_failed").
    """
    found = find(model, folder)
    if found.format != "gguf":
        with suppress(OSError):  # a folder that can't be written serves with the settings it has
            renew(found.path)
        return found.path
    home = models_folder(folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
        say("converting", None, "Preparing the built-in model")
        with _lock(home / ".lock"):
            found = find(model, folder)  # another engine may have done it while we waited
            if found.format != "gguf":
                return found.path
            return _converted(found, home, say, room)
    except OSError as error:
        raise _disk_fault(error, home) from error


def _converted(model: InstalledModel, home: Path, say: Say, room: Room) -> Path:
    for left in home.glob(f"{_HALF}*"):  # by an engine that was killed; the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    needed = model.bytes * _GROWTH
    if room(home) < needed:
        raise OSError(errno.ENOSPC, f"{needed} bytes needed")
    half = Path(tempfile.mkdtemp(prefix=_HALF, dir=home))
    try:
        text = "Preparing the built-in model (once)"
        convert(model.path, half, lambda done: say("converting", done, text))
        for file in half.iterdir():
            _flush(file)
        whole = home / model.name
        half.rename(whole)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return whole


def _flush(file: Path) -> None:
    """Have it on the disk: a power cut after the rename must not leave an empty file."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def _disk_fault(error: OSError, home: Path) -> EngineFault:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EngineFault(
            "no_space",
            f"There is not enough disk space to prepare the model in {home}; free 300 MB there.",
            str(error),
        )
    return EngineFault("engine_failed", f"The model can't be prepared in {home}.", str(error))


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the file's lock, waiting for it; the system lets go of it when the process dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
