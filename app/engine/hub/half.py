"""The folder of a download that is not finished, and the note in it of what is done; knows no
network. A finished model keeps its note: it says where the model came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.disk import write_whole

NOTE = ".sightline.json"
PREFIX = ".download-"  # hidden, and none of what the conversion of a model sweeps away
PART = ".part"


@dataclass(slots=True)
class Note:
    """What is known of a download: what to type to go on, where it comes from, its size in bytes,
    the hash of each file that is whole, and of each begun one its hash and its `ETag`."""

    asked: str = ""
    source: str = ""
    bytes: int = 0
    whole: dict[str, str] = field(default_factory=dict)
    begun: dict[str, list[str]] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Raises OSError."""
        content = {
            "asked": self.asked,
            "source": self.source,
            "bytes": self.bytes,
            "whole": self.whole,
            "begun": self.begun,
        }
        write_whole(folder / NOTE, json.dumps(content, indent=1).encode())


@dataclass(frozen=True, slots=True)
class Half:
    """A model that was fetched in part: `done` of `bytes`."""

    name: str
    path: Path
    asked: str
    done: int
    bytes: int


def read_note(folder: Path) -> Note:
    """A folder's note; an empty one where there is none, or it can't be read."""
    try:
        said = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return Note(
            asked=str(said["asked"]),
            source=str(said["source"]),
            bytes=int(said["bytes"]),
            whole={str(path): str(known) for path, known in said["whole"].items()},
            begun={str(path): _pair(known) for path, known in said["begun"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Note()


def halves(home: Path) -> Iterator[Half]:
    """The unfinished downloads in the folder of the models, by name."""
    for path in sorted(home.glob(f"{PREFIX}*")):
        note = read_note(path)
        if path.is_dir() and note.asked:
            name = path.name.removeprefix(PREFIX)
            yield Half(name, path, note.asked, min(_size(path), note.bytes), note.bytes)


def _size(folder: Path) -> int:
    files = (file for file in folder.iterdir() if file.name != NOTE and file.is_file())
    return sum(file.stat().st_size for file in files)


def _pair(known: Any) -> list[str]:
    first, second = known
    return [str(first), str(second)]
