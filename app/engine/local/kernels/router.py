"""The router of a mixture for one token: every expert's logit, and who is chosen by them; knows no
expert's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.expertise import Expertise
from app.engine.local.kernels.launch import blocks


@dataclass(frozen=True, slots=True)
class Plan:
    """How the logits are shared out: `rows` experts a program of `warps` warps."""

    rows: int = 1
    warps: int = 4


PLANS = (Plan(1, 8), Plan(2, 8), Plan(1, 4), Plan(1, 2))


@triton.jit
def token(x, column, WIDE: tl.constexpr):
    """x, read past the first cache: the kernel before may still be running, and then what lies
    there may be older than what the one before that wrote."""
    return tl.load(x + column, mask=column < WIDE, other=0.0, cache_modifier=".cg")


@triton.jit
def normed(kept, gain, eps, WIDE: tl.constexpr):
    """A token over its root mean square (arXiv:1910.07467), times the norm's weight, rounded to
    its own type as the reference does."""
    wide = kept.to(tl.float32)
    inverse = tl.rsqrt(tl.sum(wide * wide) / WIDE + eps)
    return (wide * inverse * gain.to(tl.float32)).to(kept.dtype).to(tl.float32)


@triton.jit
def ordered(logits, bias, COUNT: tl.constexpr, SPAN: tl.constexpr, WARPS: tl.constexpr):
    """The experts and the keys by which they are ordered, whole numbers in the order of score +
    bias; [WARPS, SPAN], every row the same, for then each warp finds the greatest by itself and
    none waits for another."""
    expert = tl.arange(0, SPAN)[None, :] + tl.zeros((WARPS, 1), tl.int32)
    if COUNT == SPAN:
        order = score(logits + expert) + tl.load(bias + expert) + 0.0  # no -0.0
    else:
        real = tl.minimum(expert, COUNT - 1)
        order = score(logits + real) + tl.load(bias + real) + 0.0
    bits = order.to(tl.int32, bitcast=True)
    key = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return expert, key if COUNT == SPAN else tl.where(expert < COUNT, key, -0x80000000)


@triton.jit
def score(logits):
    return tl.sigmoid(tl.load(logits, cache_modifier=".cg"))


@triton.jit
def greatest(expert, key, SPAN: tl.constexpr):
    """The first of the experts whose key is greatest, [WARPS, 1]."""
    best = tl.max(key, 1)[:, None]
    return tl.min(tl.where(key == best, expert, SPAN - 1), 1)[:, None]


@triton.jit
def chosen_slot(logits, bias, slot, COUNT: tl.constexpr, SPAN: tl.constexpr, WARPS: tl.constexpr):
    """The expert of a slot, the one of that rank; never out of range, not even for logits that are
    no numbers."""
    expert, key = ordered(logits, bias, COUNT, SPAN, WARPS)
    found = greatest(expert, key, SPAN)
    for _ in range(slot):
        key = tl.where(expert == found, -0x80000000, key)
        found = greatest(expert, key, SPAN)
    return tl.minimum(tl.max(found), COUNT - 1)


@triton.jit
def chosen_slots(
    logits,
    bias,
    CHOSEN: tl.constexpr,
    SLOTS: tl.constexpr,
    COUNT: tl.constexpr,
    SPAN: tl.constexpr,
    WARPS: tl.constexpr,
):
    """The experts of all slots, [SLOTS]; 0 beyond the chosen ones."""
    expert, key = ordered(logits, bias, COUNT, SPAN, WARPS)
    slot = tl.arange(0, SLOTS)[None, :]
    experts = tl.zeros((WARPS, SLOTS), tl.int32)
    for place in tl.static_range(CHOSEN):
        found = greatest(expert, key, SPAN)
        experts = tl.where(slot == place, found, experts)
        key = tl.where(expert == found, -0x80000000, key)
    return tl.minimum(tl.max(experts, 0), COUNT - 1)


@triton.jit
def _logits(
    x,
    norm,
    weight,
    logits,
    eps,
    COUNT: tl.constexpr,
    WIDE: tl.constexpr,
    SPAN: tl.constexpr,
    ROWS: tl.constexpr,
    PDL: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, SPAN)
    inside = column < WIDE
    each = tl.load(
        weight + row[:, None] * WIDE + column[None, :],
        mask=(row < COUNT)[:, None] & inside[None, :],
        other=0.0,
    )
    gain = tl.load(norm + column, mask=inside, other=0.0)
    if PDL:
        gdc_wait()
        gdc_launch_dependents()  # behind the wait: what comes next may read x before its own
    y = normed(token(x, column, WIDE), gain, eps, WIDE)
    tl.store(logits + row, tl.sum(each * y[None, :], 1), mask=row < COUNT)


def router_logits(
    x: torch.Tensor,
    norm: tuple[torch.Tensor, float],
    expertise: Expertise,
    logits: torch.Tensor,
    *,
    plan: Plan | None = None,
    pdl: bool = False,
) -> None:
    """x [H] → logits [E], both written and added up in 32 bits; `norm` is a weight [H] and its
    epsilon. `gate_up` has to be launched straight behind it where both are dependent launches."""
    plan = plan or PLANS[0]
    count, wide = expertise.router.shape
    extra: dict[str, Any] = {"launch_pdl": True} if pdl else {}
    _logits[(blocks(count, plan.rows),)](
        x,
        norm[0],
        expertise.router,
        logits,
        norm[1],
        COUNT=count,
        WIDE=wide,
        SPAN=triton.next_power_of_2(wide),
        ROWS=plan.rows,
        PDL=pdl,
        num_warps=plan.warps,
        **extra,
    )


def norm_reference(x: torch.Tensor, norm: tuple[torch.Tensor, float]) -> torch.Tensor:
    """The norm of x [H] in 64 bits, rounded to the type of x."""
    wide, weight = x.double(), norm[0].double()
    inverse = (wide.square().mean() + norm[1]).rsqrt()
    return (wide * inverse * weight).to(x.dtype).double()


def router_reference(
    x: torch.Tensor, norm: tuple[torch.Tensor, float], expertise: Expertise
) -> torch.Tensor:
    """What `router_logits` means, in 64 bits: [E]."""
    return expertise.router.double() @ norm_reference(x, norm)


def choice_reference(
    logits: torch.Tensor, expertise: Expertise
) -> tuple[torch.Tensor, torch.Tensor]:
    """Experts [C] and weights [C] by logits [E], in 64 bits but for the choice itself."""
    scores = logits.float().sigmoid()
    order = (scores + expertise.bias).argsort(descending=True, stable=True)
    chosen = order[: expertise.chosen]
    weights = scores[chosen].double()
    if expertise.normalised:
        weights = weights / (weights.sum() + 1e-20)
    return chosen, weights * expertise.scale
