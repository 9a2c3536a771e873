"""What the safetensors files of a checkpoint folder hold, by their headers, and whether they are
whole; reads no weights, knows nothing of torch.

The format is https://huggingface.co/docs/safetensors: eight bytes with the length of the header,
the header (JSON: each tensor's type, shape and place), then the tensors without a gap.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.vocabulary import EngineFault

INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_LONGEST = 100_000_000  # bytes of a header; the library's own limit
_POINTER = b"version https://git-lfs"  # what Git leaves where a large file was not fetched
_BITS = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64,
    "F32": 32, "I32": 32, "U32": 32,
    "F16": 16, "BF16": 16, "I16": 16, "U16": 16,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I8": 8, "U8": 8, "BOOL": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """One tensor: its file, its type as safetensors calls it (`BF16`, `F8_E4M3`, …), its shape,
    the place of its first byte in the file and its length in bytes."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    bytes: int


def tensors(file: Path) -> dict[str, Header]:
    """What a safetensors file holds, by name; the file is as long as its header says.

    Raises EngineFault("damaged"), which names the file.
    """
    raw, size = _raw_header(file)
    try:
        said = json.loads(raw)
        first = 8 + len(raw)
        found = {name: _header(file, first, said[name]) for name in said if name != "__metadata__"}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(file, "has a garbled header", repr(error)) from error
    end = max((header.start + header.bytes for header in found.values()), default=first)
    if end > size:
        raise damaged(file, f"is cut short ({size} of {end} bytes)")
    if end < size or sum(header.bytes for header in found.values()) != end - first:
        raise damaged(file, "is not what its header says", f"{size} bytes, {end} expected")
    return found


def contents(folder: Path) -> dict[str, Header]:
    """What a checkpoint folder holds, by name: one file, or the shards of its index, all whole.

    Raises EngineFault("damaged") that names the very file, and EngineFault("unsupported") for a
    folder whose weights are kept in another way.
    """
    listed = _index(folder)
    if listed is None:
        return tensors(_single(folder))
    files = {name: folder / name for name in sorted(set(listed.values()))}
    missing = [file for file in files.values() if not file.is_file()]
    if missing:
        more = f", and {len(missing) - 1} more of its files," if len(missing) > 1 else ""
        raise damaged(missing[0], f"is missing{more}".rstrip(","))
    held = {name: tensors(file) for name, file in files.items()}
    for name, shard in listed.items():
        if name not in held[shard]:
            raise damaged(files[shard], f"lacks the tensor {name}, which {INDEX} puts there")
    return {name: held[shard][name] for name, shard in listed.items()}


def checkpoint_bytes(folder: Path) -> int:
    """Bytes of all the weights of a folder, as they stand in its files. Raises as `contents`."""
    return sum(header.bytes for header in contents(folder).values())


def damaged(file: Path, what: str, detail: str = "") -> EngineFault:
    """The fault of one file: `what` goes on after its name."""
    name = file.parent.name
    message = (
        f"The file {file.name} of “{name}” {what}; "
        f"download it again with `sightline models get {name}`."
    )
    return EngineFault("damaged", message, detail or str(file))


def _raw_header(file: Path) -> tuple[bytes, int]:
    """The header's JSON, and the size of the file."""
    try:
        with file.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(0)
            start = handle.read(max(8, len(_POINTER)))
            length = int.from_bytes(start[:8], "little")
            _check_length(file, start, length, size)
            handle.seek(8)
            return handle.read(length), size
    except FileNotFoundError as error:
        raise damaged(file, "is missing") from error
    except OSError as error:
        raise damaged(file, f"can't be read ({error.strerror})", str(error)) from error


def _check_length(file: Path, start: bytes, length: int, size: int) -> None:
    if size == 0:
        raise damaged(file, "is empty")
    if start == _POINTER:
        raise damaged(file, "is only Git's note of where the weights are")
    if size < 8 or not 2 <= length <= _LONGEST:
        raise damaged(file, "is no safetensors file", f"{size} bytes, begins with {start!r}")
    if 8 + length > size:
        raise damaged(file, f"is cut short ({size} bytes, its header alone has {length})")


def _header(file: Path, first: int, said: Mapping[str, Any]) -> Header:
    shape = tuple(int(length) for length in said["shape"])
    start, end = (int(place) for place in said["data_offsets"])
    length = math.prod(shape) * _BITS[said["dtype"]]
    if start < 0 or min(shape, default=0) < 0 or length != (end - start) * 8:
        raise ValueError(said)
    return Header(file, said["dtype"], shape, first + start, end - start)


def _index(folder: Path) -> dict[str, str] | None:
    """Which shard holds which tensor; None where the folder has no index."""
    if (folder / _SINGLE).is_file() or not (folder / INDEX).exists():
        return None
    try:
        said = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        listed = {str(name): str(shard) for name, shard in said["weight_map"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise damaged(folder / INDEX, "can't be understood", repr(error)) from error
    if not listed or any(Path(shard).name != shard for shard in listed.values()):
        raise damaged(folder / INDEX, "names no files of its own folder")
    return listed


def _single(folder: Path) -> Path:
    """The one file of a folder without an index."""
    files = [file for file in folder.glob("*.safetensors") if not file.name.startswith("adapter_")]
    if len(files) == 1 and "-of-" not in files[0].name:
        return files[0]
    if (folder / _SINGLE) in files:
        return folder / _SINGLE
    if files:
        raise damaged(folder / INDEX, "is missing")
    pickles = sorted(_pickles(folder))
    if pickles:
        raise EngineFault("unsupported", _pickled(folder, pickles[0]))
    raise damaged(folder / _SINGLE, "is missing")


def _pickles(folder: Path) -> Iterator[str]:
    for pattern in ("*.bin", "*.pt", "*.pth"):
        yield from (file.name for file in folder.glob(pattern))


def _pickled(folder: Path, name: str) -> str:
    return (
        f"“{folder.name}” keeps its weights in {name}, a Python pickle, which can run programs "
        "when it is opened; get a version of the model with safetensors files."
    )
