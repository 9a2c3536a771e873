"""The device that a model runs on and the memory that it has left; knows nothing of models."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil
import torch

from app.vocabulary import EngineFault

_GB = 2**30
_REMEDY = "Send fewer pages or pictures, allow a shorter answer, or choose a smaller model."
_RESERVE = 2 * _GB  # of a GPU: for what reading a part of a prompt needs in passing
_RESERVED_SHARE = 0.05  # of a GPU's free memory, at least: torch's blocks never fit exactly


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes for conversations: `limit` for all of them, `kept` for those that nobody asks at the
    moment."""

    limit: int
    kept: int


def gpu_count() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def device_for(gpus: int | None) -> torch.device:
    """The device to load on, the first of several.

    Raises EngineFault("engine_failed") where more GPUs are asked for than there are.
    """
    there = gpu_count()
    if gpus is not None and gpus > there:
        count = f"{there} GPUs" if there != 1 else "one GPU"
        raise EngineFault(
            "engine_failed",
            f"This machine has {count if there else 'no GPU'}; --gpus asks for {gpus}.",
        )
    return torch.device("cuda", 0) if there and gpus != 0 else torch.device("cpu")


def use_cores() -> None:
    """As many threads as there are cores, where the user has not said how many: two on one core
    wait for each other."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(psutil.cpu_count(logical=False) or torch.get_num_threads())


def free_bytes(device: torch.device) -> int:
    """Memory that can be had on the device now, torch's own empty blocks included."""
    if device.type != "cuda":
        return int(psutil.virtual_memory().available)
    free, _ = torch.cuda.mem_get_info(device)
    blocks = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + blocks)


def room_for(device: torch.device) -> Room:
    """What conversations may take on a device that has its model. On a computer that is used for
    other things too, idle ones get less than a running one may take."""
    free = free_bytes(device)
    if device.type != "cuda":
        return Room(limit=free // 2, kept=free // 4)
    limit = max(int(free * (1 - _RESERVED_SHARE)) - _RESERVE, 0)
    return Room(limit=limit, kept=limit)


def no_room(needed: int, free: int, detail: str = "") -> EngineFault:
    """What a person is told whose conversation does not fit; sizes in bytes."""
    return EngineFault(
        "out_of_memory",
        f"This conversation needs {gigabytes(needed)} of memory and {gigabytes(free)} are free. "
        f"{_REMEDY}",
        detail,
    )


def ran_out(needed: int, free: int, detail: str = "") -> EngineFault:
    """What a person is told when memory ran out on the way."""
    return EngineFault(
        "out_of_memory",
        f"Memory ran out: this conversation may need {gigabytes(needed)}, and what was left was "
        f"{gigabytes(free)}. {_REMEDY}",
        detail,
    )


def is_no_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch has an error of its own for a GPU, and none for a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    on_cpu = "DefaultCPUAllocator" in text and "memory" in text
    return isinstance(error, RuntimeError) and (on_cpu or "CUDA error: out of memory" in text)


def gigabytes(count: int) -> str:
    """A number of bytes for a person: `0.05 GB`, `3.2 GB`, `41 GB`."""
    size = count / _GB
    return f"{size:.0f} GB" if size >= 10 else f"{size:.1f} GB" if size >= 1 else f"{size:.2f} GB"
