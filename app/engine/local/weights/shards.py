"""Reads tensors out of safetensors files straight to a device, and tells how far it is; knows
nothing of models.

The bytes are read rather than mapped: a disk that fails or a file that shrinks is then an error
that can be said, where a mapped page would kill the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path

import torch

from app.engine.headers import Header, damaged
from app.engine.local.life import Say
from app.engine.local.room import gigabytes
from app.vocabulary import EngineFault

TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
_CHUNK = 32 << 20  # bytes read at a time
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
        self._files: dict[Path, FileIO] = {}
        self._stage = _Stage(device) if device.type == "cuda" else None

    def read(self, name: str) -> torch.Tensor:
        """The tensor as it is in the file. Raises EngineFault("damaged" | "unsupported")."""
        header = self.held[name]
        if header.dtype not in TYPES:
            message = f"The tensor {name} holds {header.dtype} numbers, which the engine can't use."
            raise EngineFault("unsupported", message, str(header.file))
        tensor = torch.empty(header.shape, dtype=TYPES[header.dtype], device=self.device)
        try:
            self._fill(tensor.reshape(-1).view(torch.uint8), header)
        except OSError as error:
            what = f"can't be read ({error.strerror or error})"
            raise damaged(header.file, what, str(error)) from error
        return tensor

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._stage = None

    def _fill(self, target: torch.Tensor, header: Header) -> None:  # target: bytes [N]
        file = self._open(header.file)
        file.seek(header.start)
        for part in torch.split(target, _CHUNK) if len(target) else ():
            if self._stage is None:
                _read(file, part)
            else:
                self._stage.copy(file, part)
            if self._progress is not None:
                self._progress.add(len(part))

    def _open(self, path: Path) -> FileIO:
        if path not in self._files:
            self._files[path] = FileIO(path)
        return self._files[path]


class _Stage:
    """Two pinned buffers on the way to a GPU: one is filled while the other is copied."""

    def __init__(self, device: torch.device) -> None:
        self._buffers = [torch.empty(_CHUNK, dtype=torch.uint8, pin_memory=True) for _ in range(2)]
        self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._device = device
        self._turn = 0

    def copy(self, file: FileIO, target: torch.Tensor) -> None:
        buffer, copied = self._buffers[self._turn][: len(target)], self._copied[self._turn]
        copied.synchronize()
        _read(file, buffer)
        target.copy_(buffer, non_blocking=True)
        copied.record(torch.cuda.current_stream(self._device))
        self._turn = 1 - self._turn


def _read(file: FileIO, target: torch.Tensor) -> None:  # target: bytes [N] in main memory
    view = memoryview(target.numpy().data)
    while view:
        count = file.readinto(view)
        if not count:
            raise OSError("the file ended too soon")
        view = view[count:]
