"""A mixture's experts for many tokens: pairs of token and expert, ordered by expert, each expert's
tokens multiplied in blocks; knows no router and no shared expert.

Nothing here waits for the GPU, and all sums have a fixed order. FP8 weights become 16-bit floats
with 11 bits of mantissa in registers, on their way to the matrix units, and so do the tokens: no
number of bfloat16 that matters is lost by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch.nn.functional import silu

from app.engine.local.kernels.expertise import Stack
from app.engine.local.kernels.launch import blocks

SHRUNK = 1 / 32  # what `inner` is multiplied by in float16, which ends at 65504
_SCANNED = 2048  # pairs at a time
_SUMMED = 1024  # columns at a time


@dataclass(frozen=True, slots=True)
class Plan:
    """How a product is cut: `tokens` a block, `rows` of weights (of gate and of up as many each),
    `columns` at a time, `stages` of which are on their way."""

    tokens: int
    rows: int = 64
    columns: int = 64
    warps: int = 4
    stages: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Pairs by expert: those of expert e are `pairs[starts[e]:starts[e + 1]]`, each the number of
    its token times K plus its place; `back` says where a pair went."""

    pairs: torch.Tensor  # int32 [T K]
    back: torch.Tensor  # int32 [T K]
    starts: torch.Tensor  # int32 [E + 1]


@triton.jit
def _order(chosen, pairs, back, starts, count, SCANNED: tl.constexpr):
    """One expert's pairs, found by looking at all of them: no program needs another's counts."""
    expert = tl.program_id(0)
    place = tl.arange(0, SCANNED)
    before = tl.zeros((SCANNED,), tl.int32)
    for start in range(0, count, SCANNED):
        inside = start + place < count
        each = tl.load(chosen + start + place, mask=inside, other=expert)
        before += (each < expert).to(tl.int32)
    first = tl.sum(before)
    tl.store(starts + expert, first)
    for start in range(0, count, SCANNED):
        inside = start + place < count
        each = tl.load(chosen + start + place, mask=inside, other=-1)
        own = (each == expert).to(tl.int32)
        to = first + tl.cumsum(own, 0) - own
        tl.store(pairs + to, start + place, mask=own > 0)
        tl.store(back + start + place, to, mask=own > 0)
        first += tl.sum(own)
    if expert == tl.num_programs(0) - 1:
        tl.store(starts + expert + 1, first)


@triton.jit
def _block(starts, block, COUNT: tl.constexpr, SPAN: tl.constexpr, TOKENS: tl.constexpr):
    """The expert that a block of tokens belongs to (COUNT beyond the last one), where its pairs
    begin, and where the expert's end."""
    expert = tl.arange(0, SPAN)
    real = expert < COUNT
    first = tl.load(starts + expert, mask=real, other=0)
    last = tl.load(starts + expert + 1, mask=real, other=0)
    many = (last - first + TOKENS - 1) // TOKENS
    end = tl.cumsum(many, 0)
    found = tl.sum((real & (end <= block)).to(tl.int32))
    own = expert == found
    begin = tl.sum(tl.where(own, first + (block - end + many) * TOKENS, 0))
    return found, begin, tl.sum(tl.where(own, last, 0))


@triton.jit
def _dot(weight, x, sums, WIDEN: tl.constexpr):
    """weight [R, C] · x [C, T], added to `sums`; the weights are converted in registers, for the
    matrix units take their left operand from there. The interpreter needs 32 bits."""
    if WIDEN:
        return sums + tl.dot(weight.to(tl.float32), x.to(tl.float32), input_precision="ieee")
    return tl.dot(weight.to(x.dtype), x, sums)


@triton.jit
def _inner(
    x,
    weight,
    scale,
    starts,
    pairs,
    inner,
    each,
    factor,
    COUNT: tl.constexpr,
    SPAN: tl.constexpr,
    WIDE: tl.constexpr,
    WIDTH: tl.constexpr,
    TILES: tl.constexpr,
    TOKENS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    SCALED: tl.constexpr,
    WIDEN: tl.constexpr,
):
    """silu(gate) · up of a block of pairs, gathered as they are read: [pairs, WIDTH]."""
    expert, begin, end = _block(starts, tl.program_id(0) // TILES, COUNT, SPAN, TOKENS)
    if expert >= COUNT:
        return
    place = begin + tl.arange(0, TOKENS)
    real = place < end
    token = tl.load(pairs + tl.minimum(place, end - 1)) // each
    row = tl.program_id(0) % TILES * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, COLUMNS)
    rows = tl.minimum(row, WIDTH - 1)[:, None] * WIDE + column[None, :]
    gate_at = weight + expert.to(tl.int64) * (2 * WIDTH * WIDE) + rows
    x_at = x + token.to(tl.int64)[None, :] * WIDE + column[:, None]
    gates = tl.zeros((ROWS, TOKENS), tl.float32)
    ups = tl.zeros((ROWS, TOKENS), tl.float32)
    for start in range(0, WIDE, COLUMNS):
        if WIDE % COLUMNS == 0:
            gate, up = tl.load(gate_at + start), tl.load(gate_at + WIDTH * WIDE + start)
            part = tl.load(x_at + start)
        else:
            inside = start + column < WIDE
            gate = tl.load(gate_at + start, mask=inside[None, :], other=0.0)
            up = tl.load(gate_at + WIDTH * WIDE + start, mask=inside[None, :], other=0.0)
            part = tl.load(x_at + start, mask=inside[:, None], other=0.0)
        gates = _dot(gate, part, gates, WIDEN)
        ups = _dot(up, part, ups, WIDEN)
    if SCALED:
        scales = scale + expert * (2 * WIDTH) + row
        gates *= tl.load(scales, mask=row < WIDTH, other=0.0)[:, None]
        ups *= tl.load(scales + WIDTH, mask=row < WIDTH, other=0.0)[:, None]
    y = gates * tl.sigmoid(gates) * ups * factor
    y = tl.minimum(tl.maximum(y, -65504.0), 65504.0) if inner.dtype.element_ty == tl.float16 else y
    to = inner + place.to(tl.int64)[None, :] * WIDTH + row[:, None]
    mask = real[None, :] & (row < WIDTH)[:, None]
    tl.store(to, y.to(inner.dtype.element_ty), mask=mask)


@triton.jit
def _outer(
    inner,
    weight,
    scale,
    starts,
    outer,
    factor,
    COUNT: tl.constexpr,
    SPAN: tl.constexpr,
    WIDE: tl.constexpr,
    WIDTH: tl.constexpr,
    TILES: tl.constexpr,
    TOKENS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    SCALED: tl.constexpr,
    WIDEN: tl.constexpr,
):
    """down(inner) of a block of pairs: [pairs, WIDE]."""
    expert, begin, end = _block(starts, tl.program_id(0) // TILES, COUNT, SPAN, TOKENS)
    if expert >= COUNT:
        return
    place = begin + tl.arange(0, TOKENS)
    real = place < end
    row = tl.program_id(0) % TILES * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, COLUMNS)
    rows = tl.minimum(row, WIDE - 1)[:, None] * WIDTH + column[None, :]
    weight_at = weight + expert.to(tl.int64) * (WIDE * WIDTH) + rows
    read = tl.minimum(place, end - 1).to(tl.int64)
    inner_at = inner + read[None, :] * WIDTH + column[:, None]
    sums = tl.zeros((ROWS, TOKENS), tl.float32)
    for start in range(0, WIDTH, COLUMNS):
        if WIDTH % COLUMNS == 0:
            each, part = tl.load(weight_at + start), tl.load(inner_at + start)
        else:
            inside = start + column < WIDTH
            each = tl.load(weight_at + start, mask=inside[None, :], other=0.0)
            part = tl.load(inner_at + start, mask=inside[:, None], other=0.0)
        sums = _dot(each, part, sums, WIDEN)
    sums *= factor
    if SCALED:
        scales = scale + expert * WIDE + row
        sums *= tl.load(scales, mask=row < WIDE, other=0.0)[:, None]
    to = outer + place.to(tl.int64)[None, :] * WIDE + row[:, None]
    mask = real[None, :] & (row < WIDE)[:, None]
    tl.store(to, sums.to(outer.dtype.element_ty), mask=mask)


@triton.jit
def _weighted(
    outer, back, weights, out, WIDE: tl.constexpr, EACH: tl.constexpr, COLUMNS: tl.constexpr
):
    """Σ weight · output of a token's pairs, in the order of their places."""
    token = tl.program_id(0)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < WIDE
    total = tl.zeros((COLUMNS,), tl.float32)
    for place in tl.static_range(EACH):
        pair = token * EACH + place
        read = outer + tl.load(back + pair).to(tl.int64) * WIDE + column
        total += tl.load(weights + pair) * tl.load(read, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + token.to(tl.int64) * WIDE + column, total.to(out.dtype.element_ty), mask=inside)


def order(chosen: torch.Tensor, count: int) -> Order:
    """chosen [T, K] → its pairs by expert, of which there are `count`."""
    flat = chosen.reshape(-1)
    pairs, back = (flat.new_empty(len(flat), dtype=torch.int32) for _ in range(2))
    starts = flat.new_empty(count + 1, dtype=torch.int32)
    _order[(count,)](flat, pairs, back, starts, len(flat), SCANNED=_SCANNED, num_warps=8)
    return Order(pairs, back, starts)


def mix(
    x: torch.Tensor,
    chosen: torch.Tensor,
    weights: torch.Tensor,
    gate_up: Stack,
    down: Stack,
    *,
    plans: tuple[Plan, Plan] | None = None,
) -> torch.Tensor:
    """x [T, H] of 16 bits (32 in the interpreter), chosen [T, K], weights float32 [T, K] → [T, H]
    = Σₖ weightₖ · downₖ(silu(gateₖ(x)) · upₖ(x)), with stacks of all experts."""
    if not x.numel():
        return torch.zeros_like(x)
    sorted_ = order(chosen, len(gate_up.weight))
    into, out_of = plans or plans_for(chosen.numel(), gate_up)
    inner = inner_of(x, sorted_, gate_up, plan=into)
    outer = outer_of(inner, sorted_, down, x.dtype, plan=out_of)
    return weighted(outer, sorted_, weights)


def plans_for(pairs: int, gate_up: Stack) -> tuple[Plan, Plan]:
    """By how many pairs an expert has on average."""
    mean = pairs / len(gate_up.weight)
    tokens = next((size for size in (16, 32, 64) if mean <= size * 3 / 4), 128)
    if tokens == 16:  # weights are all that is read
        return Plan(32, columns=128, stages=3), Plan(16, rows=128, columns=128, stages=3)
    columns = 128 if tokens <= 32 else 64
    return Plan(tokens, columns=columns), Plan(tokens, rows=128 if tokens > 32 else 64)


def inner_of(x: torch.Tensor, order: Order, gate_up: Stack, *, plan: Plan) -> torch.Tensor:
    """x [T, H] → silu(gate) · up of every pair in its order, [T K, I]; of FP8 weights in float16
    and times SHRUNK."""
    count, height, wide = gate_up.weight.shape
    half = gate_up.scale is not None
    inner = x.new_empty(len(order.pairs), height // 2, dtype=torch.float16 if half else x.dtype)
    tiles = blocks(height // 2, plan.rows)
    _inner[(tiles * _most(order, plan),)](
        x.to(inner.dtype),
        gate_up.weight,
        gate_up.weight if gate_up.scale is None else gate_up.scale,
        order.starts,
        order.pairs,
        inner,
        len(order.pairs) // len(x),
        SHRUNK if half else 1.0,
        WIDE=wide,
        WIDTH=height // 2,
        TILES=tiles,
        SCALED=half,
        **_constants(count, plan, x),
    )
    return inner


def outer_of(
    inner: torch.Tensor, order: Order, down: Stack, dtype: torch.dtype, *, plan: Plan
) -> torch.Tensor:
    """inner [T K, I], as `inner_of` gives it → what each pair's expert says, [T K, H]."""
    count, wide, width = down.weight.shape
    outer = inner.new_empty(len(inner), wide, dtype=dtype)
    tiles = blocks(wide, plan.rows)
    _outer[(tiles * _most(order, plan),)](
        inner,
        down.weight,
        down.weight if down.scale is None else down.scale,
        order.starts,
        outer,
        1.0 if down.scale is None else 1 / SHRUNK,
        WIDE=wide,
        WIDTH=width,
        TILES=tiles,
        SCALED=down.scale is not None,
        **_constants(count, plan, inner),
    )
    return outer


def weighted(outer: torch.Tensor, order: Order, weights: torch.Tensor) -> torch.Tensor:
    """outer [T K, H] in the order of experts, weights float32 [T, K] → [T, H]."""
    tokens, each = weights.shape
    wide = outer.shape[1]
    out = outer.new_empty(tokens, wide)
    _weighted[(tokens, blocks(wide, _SUMMED))](
        outer, order.back, weights, out, WIDE=wide, EACH=each, COLUMNS=_SUMMED, num_warps=4
    )
    return out


def _most(order: Order, plan: Plan) -> int:
    """Blocks of tokens that there may be; how many there are, only the GPU knows."""
    pairs, count = len(order.pairs), len(order.starts) - 1
    return min(pairs, blocks(pairs, plan.tokens) + count)


def _constants(count: int, plan: Plan, x: torch.Tensor) -> dict[str, int | bool]:
    return {
        "COUNT": count,
        "SPAN": triton.next_power_of_2(count),
        "TOKENS": plan.tokens,
        "ROWS": plan.rows,
        "COLUMNS": plan.columns,
        "WIDEN": not x.is_cuda,
        "num_warps": plan.warps,
        "num_stages": plan.stages,
    }


def mix_reference(
    x: torch.Tensor,
    chosen: torch.Tensor,
    weights: torch.Tensor,
    gate_up: Stack,
    down: Stack,
) -> torch.Tensor:
    """What `mix` means, in 64 bits."""
    both = torch.einsum("tkih,th->tki", gate_up.numbers()[chosen], x.double())
    gate, up = both.chunk(2, -1)
    each = torch.einsum("tkhi,tki->tkh", down.numbers()[chosen], silu(gate) * up)
    return (each * weights.double()[..., None]).sum(1)
