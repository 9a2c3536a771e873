"""What this machine has for a model: its GPUs, its memory, and how fast that can be read; knows no
model, and nothing of torch."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

_QUERY = ("--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
_SAMPLE = 48 << 20  # bytes copied by each core: more than its caches hold
_TRIES = 3
_CGROUP = Path("/sys/fs/cgroup")
_CPU = Path("/proc/cpuinfo")

# GB/s by the makers' data sheets, the first name that is part of what the driver says
_BANDWIDTHS: tuple[tuple[str, int], ...] = (
    (r"GB300|B300|GB200|B200", 8000),
    (r"GH200 144G", 4900),
    (r"GH200", 4000),
    (r"H200", 4800),
    (r"H100 NVL", 3900),
    (r"H100 PCIe", 2000),
    (r"H100|H800", 3350),
    (r"H20\b", 4000),
    (r"(A100|A800).*PCIe.*80|(A100|A800) 80GB PCIe", 1935),
    (r"(A100|A800).*80", 2039),
    (r"A100|A800", 1555),
    (r"A30\b", 933),
    (r"A40\b", 696),
    (r"A10G?\b", 600),
    (r"L40S?\b", 864),
    (r"L4\b", 300),
    (r"V100", 900),
    (r"T4\b", 320),
    (r"RTX PRO 6000", 1792),
    (r"RTX 6000 Ada", 960),
    (r"RTX 5000 Ada", 576),
    (r"RTX 4000.*Ada", 360),
    (r"A6000|A5000", 768),
    (r"A4000", 448),
    (r"5090", 1792),
    (r"5080", 960),
    (r"5070 Ti", 896),
    (r"5070", 672),
    (r"5060", 448),
    (r"4090", 1008),
    (r"4080 SUPER", 736),
    (r"4080", 717),
    (r"4070 Ti SUPER", 672),
    (r"4070", 504),
    (r"4060 Ti", 288),
    (r"4060", 272),
    (r"3090 Ti", 1008),
    (r"3090", 936),
    (r"3080 Ti", 912),
    (r"3080", 760),
    (r"3070 Ti", 608),
    (r"3070|3060 Ti", 448),
    (r"3060", 360),
    (r"TITAN RTX", 672),
    (r"2080 Ti", 616),
)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: what its driver calls it, and its memory in bytes."""

    name: str
    total: int
    free: int

    @property
    def bandwidth(self) -> float | None:
        """Bytes a second that it reads of its memory, None for a GPU that is not in our table."""
        found = (speed for name, speed in _BANDWIDTHS if re.search(name, self.name, re.IGNORECASE))
        speed = next(found, None)
        return None if speed is None else speed * 1e9


@dataclass(frozen=True, slots=True)
class Machine:
    """`memory` and `free` in bytes, `bandwidth` in bytes a second that all cores together read of
    it; `short`: whether its processor reckons with 16-bit numbers as fast as with 32-bit ones."""

    gpus: tuple[Gpu, ...]
    memory: int
    free: int
    cores: int
    bandwidth: float
    short: bool


def look(ask: Callable[[], str] | None = None) -> Machine:
    """This machine as it is now; takes about a tenth of a second. `ask` gives what nvidia-smi
    says, and is a seam for tests."""
    memory, free = _memory()
    cores = _cores()
    said = (ask or _nvidia_smi)()
    return Machine(read_gpus(said), memory, free, cores, _measure(cores), _short())


def read_gpus(text: str) -> tuple[Gpu, ...]:
    """What `nvidia-smi --query-gpu=name,memory.total,memory.free --format=csv` prints, in MiB,
    with a heading and units or without them."""
    lines = (line.rsplit(",", 2) for line in text.splitlines())
    found = []
    for parts in lines:
        sizes = [re.match(r"\s*(\d+)(\s*MiB)?\s*$", part) for part in parts[1:]]
        if len(sizes) == 2 and sizes[0] and sizes[1]:
            total, free = (int(size[1]) << 20 for size in sizes if size)
            found.append(Gpu(parts[0].strip(), total, free))
    return tuple(found)


def _nvidia_smi() -> str:
    """ "" where there is no driver, or it does not answer: then there is no GPU to use."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    try:
        asked = subprocess.run(
            [tool, *_QUERY], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if asked.returncode == 0 else ""


def _memory() -> tuple[int, int]:
    """All of it and what is free; no more than a container's limit leaves."""
    known = psutil.virtual_memory()
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        stat = (_CGROUP / "memory.stat").read_text()
        kept = re.search(r"^inactive_file (\d+)$", stat, re.MULTILINE)  # files, given up at need
        free = limit - used + (int(kept[1]) if kept else 0)
    except (OSError, ValueError):  # no container, or "max"
        return known.total, known.available
    return min(known.total, limit), max(0, min(known.available, free))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _measure(cores: int) -> float:
    """Bytes a second, by copying: each byte copied is one read and one written. The best of some
    tries: what else the machine does at the moment must not decide."""
    workers = min(cores, 16)
    pairs = [(bytes(_SAMPLE), ctypes.create_string_buffer(_SAMPLE)) for _ in range(workers)]

    def copy(pair: tuple[bytes, ctypes.Array[ctypes.c_char]]) -> None:
        ctypes.memmove(pair[1], pair[0], _SAMPLE)  # lets the other threads run meanwhile

    with ThreadPoolExecutor(workers) as pool:
        took = []
        for _ in range(_TRIES):
            start = time.perf_counter()
            list(pool.map(copy, pairs))
            took.append(time.perf_counter() - start)
    return 2 * workers * _SAMPLE / min(took)


def _short() -> bool:
    """Whether the processor has instructions for bfloat16 (Linux tells)."""
    try:
        said = _CPU.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return (
        re.search(r"^(flags|Features)\s*:.*\b(avx512_bf16|amx_bf16|bf16)\b", said, re.M) is not None
    )
