"""The GPUs of this machine, asked of their driver: no torch here."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from app.vocabulary import EngineFault


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU's name and its memory in bytes."""

    name: str
    memory: int


def gpus() -> tuple[Gpu, ...]:
    """Those that there are; none without the driver's tool.

    Raises EngineFault where the tool is there and fails.
    """
    if shutil.which("nvidia-smi") is None:
        return ()
    query = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
    asked = subprocess.run(query, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise EngineFault("engine_failed", "The GPU's driver does not answer.", asked.stdout)
    lines = (line.rpartition(",") for line in asked.stdout.splitlines() if line)
    return tuple(Gpu(name.strip(), int(size) * 2**20) for name, _, size in lines)
