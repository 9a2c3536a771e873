"""One file as it arrives: its bytes on the disk and what they hash to so far; knows no network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from app.engine.hub.listing import Listed

_BLOCK = 4 << 20  # bytes hashed at a time
_OPENING = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Part:
    """Goes on behind what is there already. Raises OSError."""

    def __init__(self, path: Path, file: Listed) -> None:
        self._file = file
        # no link is followed: what is written here was named by a server
        self._handle = os.fdopen(os.open(path, _OPENING, 0o644), "r+b")
        self.size = 0
        self._digest = _digest(file)
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.close()

    @property
    def full(self) -> bool:
        return self.size >= self._file.size

    @property
    def right(self) -> bool:
        """Whether it is what the hub listed, to the last bit."""
        return self.size == self._file.size and self._digest.hexdigest() == self._file.hash

    def restart(self) -> None:
        self._handle.seek(0)
        self._handle.truncate()
        self.size = 0
        self._digest = _digest(self._file)

    def write(self, data: bytes) -> None:
        self._handle.write(data)
        self._digest.update(data)
        self.size += len(data)

    def settle(self) -> None:
        """Has it on the disk, whatever happens to the machine."""
        self._handle.flush()
        os.fsync(self._handle.fileno())

    def _read(self) -> None:
        while block := self._handle.read(_BLOCK):
            self._digest.update(block)
            self.size += len(block)
        if self.size > self._file.size:
            self.restart()


def _digest(file: Listed) -> hashlib._Hash:
    if file.sha256:
        return hashlib.sha256()
    # as `git hash-object` counts: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
