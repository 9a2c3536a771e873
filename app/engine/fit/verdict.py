"""Whether a model fits a machine, and how fast it would write there: estimates, from the bytes that
must be held and read; pure, knows no disk and no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.engine.fit.machine import Gpu, Machine
from app.engine.fit.need import Need

# Held beside weights and conversation: what reading a part of a prompt needs in passing, the
# libraries, and on a GPU the blocks that never fit exactly (as app.engine.local.room keeps free).
_GPU_RESERVE = 2 << 30
_GPU_SHARE = 0.95
_CPU_RESERVE = 1 << 30
# Of a GPU's bandwidth, as its maker states it, the kernels get this; a layer takes so long beside
# it: one by one to be launched, else to begin and to end (measured: BENCHMARKS.md).
_REACHED = 0.8
_LAUNCHED, _CAPTURED = 0.00025, 0.00002  # s a layer

Where = Literal["gpu", "cpu", "gpus", "nowhere"]


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a model would run: on one GPU, on the processor, on `gpus` of these GPUs together, or
    nowhere. `needed` and `free` are bytes there; `busy`: it would fit if other programs gave their
    memory back. `pace` is in tokens a second, None where it can't be told."""

    need: Need
    where: Where
    needed: int
    free: int
    context: int
    busy: bool = False
    gpus: int = 0
    pace: float | None = None


def fit(need: Need, machine: Machine, context: int) -> Fit:
    """The best place on the machine for a model with a conversation of `context` tokens."""
    context = min(context, need.context)
    best = max(machine.gpus, key=lambda gpu: gpu.free, default=None)
    on_cpu = _on_cpu(need, machine, context)
    if best is None:
        return on_cpu
    needed = need.weights + need.token * context + _GPU_RESERVE
    free = round(best.free * _GPU_SHARE)
    if needed <= round(best.total * _GPU_SHARE):
        pace = _gpu_pace(need, best, context)
        return Fit(need, "gpu", needed, free, context, busy=needed > free, gpus=1, pace=pace)
    if on_cpu.where == "cpu":
        return on_cpu
    count = _gpus_needed(needed, best)
    if count <= len(machine.gpus):
        together = round(sum(gpu.free for gpu in machine.gpus) * _GPU_SHARE)
        return Fit(need, "gpus", needed, together, context, gpus=count)
    return Fit(need, "nowhere", needed, free, context, gpus=count)


def _on_cpu(need: Need, machine: Machine, context: int) -> Fit:
    """On the processor: in 32-bit numbers, where it reckons slowly with 16-bit ones."""
    wide = 1 if machine.short else 2
    needed = need.plain * wide + need.packed + need.token * wide * context + _CPU_RESERVE
    if needed > machine.memory:
        return Fit(need, "nowhere", needed, machine.free, context)
    read = need.active_plain * wide + need.active_packed
    pace = machine.bandwidth / read if read else None
    busy = needed > machine.free
    return Fit(need, "cpu", needed, machine.free, context, busy=busy, pace=pace)


def _gpu_pace(need: Need, gpu: Gpu, context: int) -> float | None:
    """Tokens a second behind half the context."""
    if gpu.bandwidth is None:
        return None
    read = need.active + need.token * context // 2
    beside = need.layers * (_CAPTURED if need.captured else _LAUNCHED)
    return 1 / (read / (gpu.bandwidth * _REACHED) + beside)


def _gpus_needed(needed: int, gpu: Gpu) -> int:
    room = round(gpu.total * _GPU_SHARE) - _GPU_RESERVE
    return -(-(needed - _GPU_RESERVE) // room) if room > 0 else 10**6
