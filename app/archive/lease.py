"""Which running program owns what it is writing; knows files and their locks, no database.

Every open store holds a lock on a file of its own. The system drops the lock when the process
ends, however it ends, so a name whose lock can be taken belongs to a program that died. Unlike a
process id it can't be reused by another program.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from app.disk import own_folder

if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> bool:
        file.seek(0)
        with suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def _lock(file: BinaryIO) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False


class Lease:
    """A name that is alive as long as this process, and no longer. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(8)
        self._path = _path(own_folder(folder), self.name)
        self._file = self._path.open("xb")
        if not _lock(self._file):
            self._file.close()
            raise BlockingIOError(f"{self._path} is locked by another program")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def alive(folder: Path, name: str) -> bool:
    """Whether the program that took `name` still runs."""
    try:
        file = _path(folder, name).open("r+b")
    except FileNotFoundError:
        return False
    with file:
        return not _lock(file)


def clear_dead(folder: Path) -> int:
    """Removes the names that dead programs left behind and counts them. Only under `alone`: a
    name is taken in two steps."""
    dead = [path for path in folder.glob("*.lock") if not alive(folder, path.stem)]
    for path in dead:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return len(dead)


@contextmanager
def alone(path: Path, wait: float) -> Iterator[None]:
    """Holds the lock at `path`, waiting up to `wait` seconds for it. Raises TimeoutError."""
    until = time.monotonic() + wait
    with path.open("ab") as file:
        while not _lock(file):
            if time.monotonic() > until:
                raise TimeoutError(f"{path} stayed locked for {wait:g} s")
            time.sleep(0.02)
        yield


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock"
