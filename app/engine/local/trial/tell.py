"""How a trial reports: one JSON line a figure; and how it takes the time on a device."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence

import torch


def tell(who: str, what: str, unit: str, runs: Sequence[float]) -> None:
    """One figure: `who` is a model and its GPUs, or "transformers"; `runs` every run's value."""
    line = {"who": who, "what": what, "unit": unit, "runs": [round(run, 5) for run in runs]}
    print(json.dumps(line), flush=True)


def timed(work: Callable[[], object]) -> float:
    """Seconds until the work is done, on the device too."""
    wait()
    began = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - began


def wait() -> None:
    """Until all devices have done what was asked of them."""
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        torch.cuda.synchronize(number)


def used() -> int:
    """Bytes of memory that are taken on the fullest GPU, by whomever; 0 without one."""
    if shutil.which("nvidia-smi") is None:
        return 0
    query = ("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits")
    said = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    return max(int(line) for line in said.split()) * 2**20
