"""How a trial reports: one JSON line a figure; and how it takes the time on a device."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import torch


def tell(who: str, what: str, unit: str, runs: Sequence[float]) -> None:
    """One figure: `who` is "sightline" or "transformers", `runs` every run's value."""
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
    """Until the device has done what was asked of it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def held() -> float:
    """GB of the device's memory that tensors hold; 0 without one."""
    return torch.cuda.memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0


def copied() -> float:
    """Bytes a second that the device moves in a copy from itself to itself, read and written."""
    if not torch.cuda.is_available():
        return 0.0
    source = torch.empty(2**31, dtype=torch.uint8, device="cuda").random_()
    target = torch.empty_like(source)
    target.copy_(source)
    times = sorted(timed(lambda: target.copy_(source)) for _ in range(9))
    return 2 * source.numel() / times[4]
