"""Reads tensors, or slabs of them, out of safetensors files straight to a device, and tells how far
it is; knows nothing of models.

The bytes are read rather than mapped: a disk that fails or a file that shrinks is then an error
that can be said, where a mapped page would kill the process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TypeAlias

import torch

from app.engine.headers import Header, damaged
from app.engine.local.life import Say
from app.engine.local.room import gigabytes
from app.engine.local.weights.share import Slab, take
from app.vocabulary import EngineFault

TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
Read: TypeAlias = Callable[[torch.Tensor], None]  # fills bytes [N] in main memory

_CHUNK = 32 << 20  # bytes read at a time
_READERS = 4  # threads that read a chunk: one alone copies from the system's cache at 5 to 10 GB/s
_PIECE = 1 << 20  # bytes that one of them reads at least
_WORTH = 1 << 18  # bytes in a run for which it is worth leaving out what lies around it
_PAUSE = 0.2  # seconds between two reports
_SURE = 2.0  # seconds before the speed so far says anything of the rest


class Progress:
    """Reports bytes read of `total` through `say`, at most five times a second."""

    def __init__(
        self, say: Say, name: str, *, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._name, self._total, self._clock = say, name, total, clock
        self._done = 0
        self._began = self._next = clock()

    def add(self, count: int) -> None:
        self._done += count
        now = self._clock()
        if now >= self._next:
            self._next = now + _PAUSE
            share = min(self._done / self._total, 1.0) if self._total else 1.0
            self._say("loading", share, self._text(now - self._began))

    def _text(self, passed: float) -> str:
        read = f"Loading {self._name}: {gigabytes(self._done)} of {gigabytes(self._total)}"
        if passed < _SURE:
            return read
        left = (self._total - self._done) * passed / self._done
        return f"{read}, {max(left, 0):.0f} s left"


class Shards:
    """The open files of the tensors in `held`; a tensor's bytes go to the device chunk by chunk.

    For one thread; `close` it.
    """

    def __init__(
        self, held: Mapping[str, Header], device: torch.device, progress: Progress | None = None
    ) -> None:
        self.held = held
        self.device = device
        self._progress = progress
        self._files = _Files()
        self._stage = _Stage(device) if device.type == "cuda" else None

    def read(self, name: str, slab: Slab | None = None) -> torch.Tensor:
        """The tensor as it is in the file, or a slab of it, of which little else is read.

        Raises EngineFault("damaged" | "unsupported").
        """
        header = self.held[name]
        if header.dtype not in TYPES:
            message = f"The tensor {name} holds {header.dtype} numbers, which the engine can't use."
            raise EngineFault("unsupported", message, str(header.file))
        shape = list(header.shape)
        if slab is not None:
            shape[slab.dim] = slab.length
        tensor = torch.empty(shape, dtype=TYPES[header.dtype], device=self.device)
        try:
            self._fill(tensor.reshape(-1).view(torch.uint8), header, slab)
        except OSError as error:
            what = f"can't be read ({error.strerror or error})"
            raise damaged(header.file, what, str(error)) from error
        return tensor

    def close(self) -> None:
        self._files.close()
        self._stage = None

    def _fill(self, target: torch.Tensor, header: Header, slab: Slab | None) -> None:
        """`target`: bytes [N]. What is left out counts as read with what is not."""
        lines = _Lines.of(header, slab)
        short = lines.kept < _WORTH * len(lines.runs) and lines.length <= _CHUNK
        if lines.count > 1 and short:
            self._fill_through(target, header, lines)
            return
        weight = header.bytes / max(len(target), 1)
        place = 0
        for start, length in lines.spans():
            self._fill_span(target[place : place + length], header, start, weight)
            place += length

    def _fill_span(self, target: torch.Tensor, header: Header, start: int, weight: float) -> None:
        """With the bytes from `start` on, each of which counts for `weight`."""
        for place in range(0, len(target), _CHUNK):
            part = target[place : place + _CHUNK]
            read = partial(self._files.read, header.file, header.start + start + place)
            if self._stage is None:
                read(part)
            else:
                self._stage.fill(part, read)
            self._count(round(len(part) * weight))

    def _fill_through(self, target: torch.Tensor, header: Header, lines: _Lines) -> None:
        """With a part of each of many short lines: whole ones are read, and cut on the device."""
        rows = target.view(lines.count, lines.kept)
        step = max(_CHUNK // lines.length, 1)
        for first in range(0, lines.count, step):
            part = rows[first : first + step]
            size = len(part) * lines.length
            read = partial(self._files.read, header.file, header.start + first * lines.length)
            whole = self._passing(read, size).view(len(part), lines.length)
            part.copy_(take(whole, Slab(-1, lines.runs)))
            self._count(size)

    def _passing(self, read: Read, size: int) -> torch.Tensor:
        """Bytes [size] on the device, until the next are asked for."""
        if self._stage is not None:
            return self._stage.passing(size, read)
        buffer = torch.empty(size, dtype=torch.uint8)
        read(buffer)
        return buffer

    def _count(self, size: int) -> None:
        if self._progress is not None:
            self._progress.add(size)


@dataclass(frozen=True, slots=True)
class _Lines:
    """A tensor's bytes as `count` lines of `length`, and the runs in each line that are kept."""

    count: int
    length: int
    runs: tuple[slice, ...]

    @classmethod
    def of(cls, header: Header, slab: Slab | None) -> _Lines:
        if slab is None:
            return cls(1, header.bytes, (slice(0, header.bytes),))
        dim = slab.dim % len(header.shape)
        inner = math.prod(header.shape[dim + 1 :]) * TYPES[header.dtype].itemsize
        runs = tuple(slice(run.start * inner, run.stop * inner) for run in slab.runs)
        return cls(math.prod(header.shape[:dim]), header.shape[dim] * inner, runs)

    @property
    def kept(self) -> int:
        """Bytes of each line."""
        return sum(run.stop - run.start for run in self.runs)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Start and length of all that is kept, in order."""
        for line in range(self.count):
            for run in self.runs:
                yield line * self.length + run.start, run.stop - run.start


class _Files:
    """Open files, each of them several times: threads share out what is to be read."""

    def __init__(self) -> None:
        self._open: dict[tuple[Path, int], FileIO] = {}
        self._readers = ThreadPoolExecutor(_READERS)  # starts none before there is much to read

    def read(self, path: Path, start: int, target: torch.Tensor) -> None:
        """Bytes into `target` [N] in main memory. Raises OSError."""
        view = memoryview(target.numpy().data)
        step = max(-(-len(view) // _READERS), _PIECE)
        pieces = [
            (self._file(path, number), start + place, view[place : place + step])
            for number, place in enumerate(range(0, len(view), step))
        ]
        if len(pieces) > 1:
            list(self._readers.map(_read, *zip(*pieces, strict=True)))
        elif pieces:
            _read(*pieces[0])

    def close(self) -> None:
        self._readers.shutdown()
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _file(self, path: Path, number: int) -> FileIO:
        if (path, number) not in self._open:
            self._open[path, number] = FileIO(path)
        return self._open[path, number]


class _Stage:
    """Two pinned buffers on the way to a GPU: one is filled while the other is copied."""

    def __init__(self, device: torch.device) -> None:
        self._buffers = [torch.empty(_CHUNK, dtype=torch.uint8, pin_memory=True) for _ in range(2)]
        self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._device = device
        self._turn = 0
        self._there: torch.Tensor | None = None

    def fill(self, target: torch.Tensor, read: Read) -> None:
        buffer, copied = self._buffers[self._turn][: len(target)], self._copied[self._turn]
        copied.synchronize()
        read(buffer)
        target.copy_(buffer, non_blocking=True)
        copied.record(torch.cuda.current_stream(self._device))
        self._turn = 1 - self._turn

    def passing(self, size: int, read: Read) -> torch.Tensor:
        """Bytes [size] on the GPU that hold until the next call."""
        if self._there is None:
            self._there = torch.empty(_CHUNK, dtype=torch.uint8, device=self._device)
        self.fill(self._there[:size], read)
        return self._there[:size]


def _read(file: FileIO, start: int, view: memoryview) -> None:
    file.seek(start)
    while view:
        count = file.readinto(view)
        if not count:
            raise OSError("the file ended too soon")
        view = view[count:]
