"""Pictures and videos on disk, each kept once under the SHA-256 of its bytes; knows no turn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.disk import own_folder, write_whole


class Media:
    """`folder/ab/abcdef…`: a file is complete or not there at all. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keeps `data` and returns its name; what is there already is not written again."""
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        if not (path.exists() and path.stat().st_size == len(data)):
            own_folder(path.parent)
            write_whole(path, data)
        return name

    def get(self, name: str) -> bytes:
        """The bytes of `name`; empty where someone took the file away, for the words around a
        lost picture are still worth showing."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return b""

    def names(self) -> Iterator[str]:
        """Everything that lies in the folder, half-written files included."""
        for path in self._folder.glob("??/*"):
            yield path.name

    def remove(self, name: str) -> None:
        """Takes `name` away. One that another program has open stays; the next start asks again."""
        with suppress(PermissionError):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name
