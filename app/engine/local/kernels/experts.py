"""A mixture's experts for one token, the shared one as one slot more, in two launches; knows no
router but what is chosen by its logits.

The slot of an expert is its rank. Under dependent launches nothing waits that needn't: `gate_up`
reads x and the shared expert's weights before the router has ended, `down` all its weights before
`gate_up` has. That is sound because each of them lets the next one start only when it has itself
waited for the one before.
"""

from __future__ import annotations

import torch
import triton
from torch.nn.functional import silu

from app.engine.local.kernels.allotment import (
    DOWN_PLANS,
    GATE_UP_PLANS,
    VECTOR,
    Plan,
    chunks,
    down_plan,
    gate_up_plan,
    options,
    turns,
)
from app.engine.local.kernels.expertise import Expertise, Stack
from app.engine.local.kernels.launch import blocks
from app.engine.local.kernels.router import choice_reference, norm_reference
from app.engine.local.kernels.slots import down_slots, gate_up_slots

__all__ = ["DOWN_PLANS", "GATE_UP_PLANS", "Plan", "down", "down_plan", "gate_up", "gate_up_plan"]


def gate_up(
    x: torch.Tensor,
    norm: tuple[torch.Tensor, float],
    logits: torch.Tensor,
    expertise: Expertise,
    hidden: torch.Tensor,
    *,
    plan: Plan | None = None,
    pdl: bool = False,
) -> None:
    """x [H], logits [E] → hidden [C + 1, I]: silu(gate) · up of the chosen experts, in the order of
    their ranks, and of the shared one behind them (if there is one). To be launched straight behind
    `router_logits` where both are dependent launches."""
    plan = plan or gate_up_plan(expertise)
    wide, width = expertise.hidden, expertise.width
    many = turns(plan, width, expertise.slots)
    gate_up_slots[(blocks(width, plan.rows * many), expertise.slots)](
        x,
        norm[0],
        logits,
        expertise.bias,
        *_arguments(expertise.gate_up, expertise.shared_gate_up),
        hidden,
        norm[1],
        **_sizes(expertise),
        SPAN=triton.next_power_of_2(wide),
        ROWS=plan.rows,
        SCALED=expertise.gate_up.scale is not None,
        SHARED=expertise.shared_gate_up is not None,
        HALVES=_halves(expertise.gate_up),
        BLOCKS=many,
        **options(plan, 2 * plan.rows * wide * expertise.gate_up.weight.element_size(), pdl),
    )


def down(
    hidden: torch.Tensor,
    logits: torch.Tensor,
    expertise: Expertise,
    out: torch.Tensor,
    *,
    residual: torch.Tensor | None = None,
    plan: Plan | None = None,
    pdl: bool = False,
) -> None:
    """hidden [C + 1, I], logits [E] → out [H] = residual + Σ weight · down(hidden), the shared
    expert with weight 1; `residual` may be `out` itself. To be launched straight behind `gate_up`
    where both are dependent launches."""
    plan = plan or down_plan(expertise)
    wide, size = expertise.hidden, expertise.down.weight.element_size()
    count = chunks(expertise)
    many = turns(plan, wide, 1)
    down_slots[(blocks(wide, plan.rows * many),)](
        hidden,
        logits,
        expertise.bias,
        *_arguments(expertise.down, expertise.shared_down),
        out,
        out if residual is None else residual,
        expertise.scale,
        **_sizes(expertise),
        SLOTS=triton.next_power_of_2(expertise.chosen),
        CHUNKS=triton.next_power_of_2(count),
        ROWS=plan.rows,
        VECTOR=VECTOR // size,
        NORMALISED=expertise.normalised,
        SCALED=expertise.down.scale is not None,
        SHARED=expertise.shared_down is not None,
        RESIDUAL=residual is not None,
        HALVES=_halves(expertise.down),
        BLOCKS=many,
        AHEAD=plan.ahead,
        **options(plan, plan.rows * triton.next_power_of_2(count) * (VECTOR + 4), pdl),
    )


def _arguments(routed: Stack, shared: Stack | None) -> tuple[torch.Tensor, ...]:
    """Weights and scales; where there are none, what is never read."""
    shared = shared or routed
    scales = (routed.scale, shared.scale)
    own, others = (routed.weight if scale is None else scale for scale in scales)
    return routed.weight, own, shared.weight, others


def _sizes(expertise: Expertise) -> dict[str, int]:
    """That all kernels have."""
    return {
        "COUNT": expertise.count,
        "CHOSEN": expertise.chosen,
        "WIDE": expertise.hidden,
        "WIDTH": expertise.width,
        "EXPERTS": triton.next_power_of_2(expertise.count),
    }


def _halves(stack: Stack) -> bool:
    """Whether products are made of packed half floats; the interpreter knows none."""
    return stack.scale is not None and stack.weight.is_cuda


def gate_up_reference(
    x: torch.Tensor,
    norm: tuple[torch.Tensor, float],
    logits: torch.Tensor,
    expertise: Expertise,
) -> torch.Tensor:
    """What `gate_up` means, in 64 bits: [C + 1, I]."""
    chosen, _weights = choice_reference(logits, expertise)
    matrices = _slots(expertise.gate_up, expertise.shared_gate_up, chosen)
    gate, up = (matrices @ norm_reference(x, norm)).chunk(2, -1)
    return silu(gate) * up


def down_reference(
    hidden: torch.Tensor, logits: torch.Tensor, expertise: Expertise
) -> torch.Tensor:
    """What `down` means without a residual, in 64 bits: [H]."""
    chosen, weights = choice_reference(logits, expertise)
    matrices = _slots(expertise.down, expertise.shared_down, chosen)
    each = (matrices @ hidden.double()[..., None])[..., 0]  # [C + 1, H]
    ones = weights.new_ones(len(each) - len(weights))
    return torch.cat((weights, ones)) @ each


def _slots(routed: Stack, shared: Stack | None, chosen: torch.Tensor) -> torch.Tensor:
    numbers = routed.numbers()[chosen]
    return numbers if shared is None else torch.cat((numbers, shared.numbers()))
