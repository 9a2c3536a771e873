"""How a mixture's products for one token are shared out among programs, and which ways are worth
timing; knows no kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.local.kernels.expertise import Expertise
from app.engine.local.kernels.launch import blocks

VECTOR = 16  # bytes that a thread reads at once
_SHARED = 220 << 10  # bytes of a multiprocessor's memory that are there for weights
_REGISTERS = 2048  # that it has for each lane of a warp
_LANES = 128  # registers that a kernel takes at least, more or less
_FEW, _MANY = 256, 512  # chunks of all slots
MULTIPROCESSORS = 132  # of an H100 or H200; elsewhere the programs don't come out even


@dataclass(frozen=True, slots=True)
class Plan:
    """How a product is shared out: programs of `warps` warps, `each` for a multiprocessor (0: as
    many as there is work for), do `rows` of a matrix at a time (of gate and of up as many each),
    with `stages` - 1 of these on their way through shared memory; 0 stages: the next is, in
    registers, and the first already while the kernel before runs. Of what comes behind the first
    ones, `down` asks for `ahead` rows into the second cache meanwhile."""

    rows: int
    warps: int
    stages: int
    each: int
    blocks: int = 1  # of rows, one after the other, where `each` doesn't say
    ahead: int = 0


GATE_UP_PLANS = (
    Plan(2, 4, 4, 3),
    Plan(2, 4, 5, 3),
    Plan(2, 4, 4, 4),
    Plan(4, 4, 4, 2),
    Plan(4, 8, 4, 2),
    Plan(4, 8, 6, 1),
    Plan(1, 2, 8, 4),
)
DOWN_PLANS = (
    Plan(16, 4, 0, 0),
    Plan(4, 8, 0, 2),
    Plan(2, 16, 0, 1, ahead=14),
    Plan(16, 8, 0, 0),
    Plan(4, 4, 0, 2),
    Plan(8, 8, 0, 2),
    Plan(2, 16, 5, 1),
)


def gate_up_plan(expertise: Expertise) -> Plan:
    """All programs at once. By how long a whole step took, on an H200."""
    if expertise.gate_up.scale is None:
        return Plan(1, 4, 4, 3)
    return Plan(2, 4, 4, 4 if chunks(expertise) > _MANY else 3)


def down_plan(expertise: Expertise) -> Plan:
    """With few chunks a program reads all its weights before it waits; of many rows at a time they
    would not fit into its registers, and of very many chunks not into those of 8 warps, of which
    there are two programs. By how long a whole step took, on an H200."""
    if (count := chunks(expertise)) <= _FEW:
        return Plan(16, 4, 0, 0)
    if expertise.down.scale is None:
        return Plan(2, 16, 5, 1)
    return Plan(2, 16, 0, 1, ahead=14) if count > _MANY else Plan(4, 8, 0, 2)


def chunks(expertise: Expertise) -> int:
    """Of 16 bytes, in a row of all slots."""
    return expertise.slots * expertise.width * expertise.down.weight.element_size() // VECTOR


def turns(plan: Plan, rows: int, matrices: int) -> int:
    """How often a program does `plan.rows` where `matrices` have so many rows."""
    programs = plan.each * MULTIPROCESSORS // matrices
    return blocks(rows, plan.rows * programs) if programs else plan.blocks


def options(plan: Plan, size: int, pdl: bool) -> dict[str, Any]:
    """`size`: bytes on their way at a time."""
    each = max(plan.each, 1)
    launched: dict[str, Any] = {
        "PDL": pdl,
        "WARPS": plan.warps,
        "STAGES": min(plan.stages, 1 + _SHARED // (each * size)),
        "num_warps": plan.warps,
    }
    if pdl:
        launched["launch_pdl"] = True
    if plan.each * plan.warps * _LANES > _REGISTERS:
        # they would not be there all at once
        launched["maxnreg"] = _REGISTERS // (each * plan.warps) // 8 * 8
    return launched
