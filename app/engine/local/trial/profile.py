"""Which kernels a GPU ran and for how long, a graph's own among them; knows no kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

_LEAST = 0.005  # of the time: what takes less is told together
_NAME = 60  # characters


@dataclass(frozen=True, slots=True)
class Launched:
    """A kernel: calls and microseconds a token."""

    name: str
    calls: float
    micros: float


def launches(work: Callable[[], object], tokens: int) -> list[Launched]:
    """What `work`, which writes so many tokens, makes the GPU do, the longest first; nothing
    without one. Kernels that begin before the one ahead has ended are counted from there."""
    if not torch.cuda.is_available():
        work()
        return []
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        work()
        torch.cuda.synchronize()
    events = [event for event in seen.key_averages() if _micros(event) > 0]
    rows = [Launched(_short(e.key), e.count / tokens, _micros(e) / tokens) for e in events]
    rows.sort(key=lambda row: -row.micros)
    whole = sum(row.micros for row in rows)
    told = [row for row in rows if row.micros >= _LEAST * whole]
    rest = rows[len(told) :]
    others = Launched("others", sum(r.calls for r in rest), sum(r.micros for r in rest))
    return [*told, *([others] if rest else []), Launched("all", sum(r.calls for r in rows), whole)]


def _micros(event: Any) -> float:
    return float(event.self_device_time_total)


def _short(name: str) -> str:
    """Without namespaces, templates and arguments."""
    plain = re.sub(r"^void |<.*|\(.*", "", name)
    return plain.rpartition("::")[2][:_NAME]
