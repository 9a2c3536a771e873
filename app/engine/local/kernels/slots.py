"""A mixture's slots as Triton compiles them: gate and up of each, and down with the weighted sum.
Knows no layer and no launch; experts.py beside it does.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.halves import dots, packed
from app.engine.local.kernels.router import chosen_slot, chosen_slots, normed, score, token

_ASK = tl.constexpr("""{
    .reg .pred p; setp.ne.u32 p, $2, 0;
    @p cp.async.bulk.prefetch.L2.global [$1], $3;
    mov.u32 $0, 0;
}""")


@triton.jit
def gate_up_slots(
    x, norm, logits, bias, weight, scale, shared_weight, shared_scale, hidden, eps,
    COUNT: tl.constexpr, CHOSEN: tl.constexpr, WIDE: tl.constexpr, WIDTH: tl.constexpr,
    EXPERTS: tl.constexpr, SPAN: tl.constexpr, ROWS: tl.constexpr, BLOCKS: tl.constexpr,
    STAGES: tl.constexpr, SCALED: tl.constexpr, SHARED: tl.constexpr, HALVES: tl.constexpr,
    WARPS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    slot = CHOSEN - tl.program_id(1) if SHARED else tl.program_id(1)  # the shared one first
    column = tl.arange(0, SPAN)
    gain = tl.load(norm + column, mask=column < WIDE, other=0.0)
    y = normed(token(x, column, WIDE), gain, eps, WIDE)
    if HALVES:
        lanes: tl.constexpr = SPAN // 16
        y = tl.reshape(y, (lanes, 16))
        words, unit = packed(y, lanes)
        column = tl.arange(0, SPAN // 4) * 4
    start, start_scale = shared_weight.to(tl.int64), shared_scale.to(tl.int64)
    if slot < CHOSEN:
        if PDL:
            gdc_wait()
        expert = chosen_slot(logits, bias, slot, COUNT, EXPERTS, WARPS).to(tl.int64)
        size: tl.constexpr = weight.dtype.element_ty.primitive_bitwidth // 8
        start = weight.to(tl.int64) + expert * (2 * WIDTH * WIDE * size)
        start_scale = scale.to(tl.int64) + expert * (2 * WIDTH * 4)
    if PDL:
        gdc_launch_dependents()  # behind the wait: `down` may read the logits before its own
    matrix = tl.multiple_of(start.to(weight.dtype), 16)
    scales = start_scale.to(scale.dtype)
    # a row of gate, its row of up, and so on: one sum for both
    which = tl.program_id(0) * (ROWS * BLOCKS) + tl.arange(0, 2 * ROWS) // 2
    half = tl.arange(0, 2 * ROWS) % 2 * WIDTH
    own = tl.program_id(0) * (ROWS * BLOCKS) + tl.arange(0, ROWS)
    for block in tl.range(0, BLOCKS, num_stages=STAGES):
        row = tl.minimum(which + block * ROWS, WIDTH - 1) + half
        if HALVES:
            fours = matrix.to(tl.pointer_type(tl.int32), bitcast=True)
            place = row[:, None] * (WIDE // 4) + tl.arange(0, SPAN // 4)[None, :]
            both = _inside(fours + place, column, SPAN == WIDE, WIDE)
            both = tl.reshape(both, (2 * ROWS, lanes, 4))
            parts = dots(both, words, 2 * ROWS, lanes, 0)
            sums = tl.sum(parts * unit[None, :], 1)
        else:
            place = row[:, None] * WIDE + column[None, :]
            both = _inside(matrix + place, column, SPAN == WIDE, WIDE)
            sums = tl.sum(both.to(tl.float32) * y[None, :], 1)
        if SCALED:
            sums *= tl.load(scales + row)
        gate, up = tl.split(tl.reshape(sums, (ROWS, 2)))
        inner = (gate * tl.sigmoid(gate) * up).to(hidden.dtype.element_ty)
        at = own + block * ROWS
        tl.store(hidden + slot * WIDTH + at, inner, mask=at < WIDTH)
    if PDL:
        gdc_wait()  # the shared expert's too, only that the end of this kernel means as much


@triton.jit
def _inside(place, column, ALL: tl.constexpr, WIDE: tl.constexpr):
    """What lies at [R, C]; masked loads take instructions."""
    if ALL:
        return tl.load(place)
    else:  # noqa: RET505 - Triton leaves out one branch, not what follows
        return tl.load(place, mask=(column < WIDE)[None, :], other=0.0)


@triton.jit
def down_slots(
    hidden, logits, bias, weight, scale, shared_weight, shared_scale, out, residual, factor,
    COUNT: tl.constexpr, CHOSEN: tl.constexpr, WIDE: tl.constexpr, WIDTH: tl.constexpr,
    EXPERTS: tl.constexpr, SLOTS: tl.constexpr, CHUNKS: tl.constexpr, ROWS: tl.constexpr,
    BLOCKS: tl.constexpr, STAGES: tl.constexpr, VECTOR: tl.constexpr, NORMALISED: tl.constexpr,
    SCALED: tl.constexpr, SHARED: tl.constexpr, RESIDUAL: tl.constexpr, HALVES: tl.constexpr,
    AHEAD: tl.constexpr, WARPS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    # all slots' rows side by side, in chunks that a thread reads at once; so `hidden` lies too
    EACH: tl.constexpr = WIDTH // VECTOR
    chunk = tl.arange(0, CHUNKS)
    slot, column = chunk // EACH, chunk % EACH * VECTOR
    expert = chosen_slots(logits, bias, CHOSEN, SLOTS, COUNT, EXPERTS, WARPS)
    here = tl.arange(0, SLOTS)[:, None] == slot[None, :]
    place = tl.sum(tl.where(here, expert[:, None], 0), 0).to(tl.int64)  # [CHUNKS]
    size: tl.constexpr = weight.dtype.element_ty.primitive_bitwidth // 8
    start = weight.to(tl.int64) + place * (WIDE * WIDTH * size)
    start_scale = scale.to(tl.int64) + place * (WIDE * 4)
    if SHARED:
        start = tl.where(slot < CHOSEN, start, shared_weight.to(tl.int64))
        start_scale = tl.where(slot < CHOSEN, start_scale, shared_scale.to(tl.int64))
    inside = slot < CHOSEN + SHARED
    scales = start_scale.to(scale.dtype)
    matrix = start.to(weight.dtype) + column
    if HALVES:
        matrix = matrix.to(tl.pointer_type(tl.int32), bitcast=True)
    own = tl.program_id(0) * (ROWS * BLOCKS) + tl.arange(0, ROWS)
    if not STAGES:
        each = _rows(matrix, own, inside, WIDE, WIDTH, VECTOR, HALVES)  # [CHUNKS, ROWS, VECTOR]
        if PDL and AHEAD > 0:
            first = tl.program_id(0) * (ROWS * BLOCKS) + ROWS
            _ask(start, first, chunk % EACH, inside, WIDE, WIDTH * size, AHEAD)
    share = _shares(logits, place, expert, slot, factor, CHOSEN, SLOTS, NORMALISED)[:, None]
    factors = _scaled(share, scales, own, inside, WIDE, SCALED)
    if PDL:
        gdc_wait()
        gdc_launch_dependents()
    flat = chunk[:, None] * VECTOR + tl.arange(0, VECTOR)[None, :]
    inner = tl.load(hidden + flat, mask=inside[:, None], other=0.0).to(tl.float32)
    words = (slot, slot)
    if HALVES:
        words, unit = packed(inner, CHUNKS)
        share *= unit[:, None]
        factors *= unit[:, None]
    if STAGES:
        for _ in tl.range(0, BLOCKS, num_stages=STAGES):
            each = _rows(matrix, own, inside, WIDE, WIDTH, VECTOR, HALVES)
            total = _total(each, inner, factors, words, CHUNKS, ROWS, HALVES)
            _finish(total, residual, out, own, WIDE, RESIDUAL)
            own += ROWS
            factors = _scaled(share, scales, own, inside, WIDE, SCALED)
    else:
        for block in tl.static_range(BLOCKS):
            if block + 1 < BLOCKS:
                after = _rows(matrix, own + ROWS, inside, WIDE, WIDTH, VECTOR, HALVES)
                factors_after = _scaled(share, scales, own + ROWS, inside, WIDE, SCALED)
            total = _total(each, inner, factors, words, CHUNKS, ROWS, HALVES)
            _finish(total, residual, out, own, WIDE, RESIDUAL)
            if block + 1 < BLOCKS:
                own, each, factors = own + ROWS, after, factors_after


@triton.jit
def _ask(
    start, first, further, inside, COUNT: tl.constexpr, ROW: tl.constexpr, AHEAD: tl.constexpr
):  # fmt: skip
    """Asks for AHEAD rows of ROW bytes from `first` on, of each slot's COUNT, into the second
    cache; a chunk's thread for the row of its number, `further`."""
    row = first + further
    here = inside & (further < AHEAD) & (row < COUNT)
    tl.inline_asm_elementwise(
        _ASK,
        "=r,l,r,r",
        [
            start + row.to(tl.int64) * ROW,
            here.to(tl.int32),
            tl.full(row.shape, ROW, tl.int32),
        ],
        dtype=tl.int32,
        is_pure=False,
        pack=1,
    )


@triton.jit
def _total(
    each,
    inner,
    factors,
    words,
    CHUNKS: tl.constexpr,
    ROWS: tl.constexpr,
    HALVES: tl.constexpr,
):
    """The weighted sums of a block of rows."""
    if HALVES:
        parts = dots(each, words, CHUNKS, ROWS, 1)
    else:
        parts = tl.sum(each.to(tl.float32) * inner[:, None, :], 2)  # within a thread
    return tl.sum(parts * factors, 0)


@triton.jit
def _finish(total, residual, out, own, WIDE: tl.constexpr, RESIDUAL: tl.constexpr):
    if RESIDUAL:
        total += tl.load(residual + own, mask=own < WIDE, other=0.0).to(tl.float32)
    tl.store(out + own, total.to(out.dtype.element_ty), mask=own < WIDE)


@triton.jit
def _rows(
    matrix,
    own,
    inside,
    WIDE: tl.constexpr,
    WIDTH: tl.constexpr,
    VECTOR: tl.constexpr,
    HALVES: tl.constexpr,
):
    """Chunks of rows, [CHUNKS, ROWS, VECTOR]; as words of four numbers for packed products."""
    each: tl.constexpr = 4 if HALVES else 1
    row = tl.minimum(own, WIDE - 1)
    at = tl.multiple_of(matrix[:, None] + row[None, :] * (WIDTH // each), (16, 16))[:, :, None]
    vector = tl.arange(0, VECTOR // each)[None, None, :]
    return tl.load(at + vector, mask=inside[:, None, None], other=0.0)


@triton.jit
def _scaled(share, scales, own, inside, WIDE: tl.constexpr, SCALED: tl.constexpr):
    """The slots' weights times the rows' scales."""
    if SCALED:
        row = tl.minimum(own, WIDE - 1)
        return share * tl.load(scales[:, None] + row[None, :], mask=inside[:, None], other=0.0)
    else:  # noqa: RET505 - Triton leaves out one branch, not what follows
        return share


@triton.jit
def _shares(
    logits,
    place,
    expert,
    slot,
    factor,
    CHOSEN: tl.constexpr,
    SLOTS: tl.constexpr,
    NORMALISED: tl.constexpr,
):
    """The slots' weights, of each chunk's one; 1 for the shared expert."""
    share = score(logits + place) * factor
    if NORMALISED:
        real = tl.arange(0, SLOTS) < CHOSEN
        share /= tl.sum(tl.where(real, score(logits + expert), 0.0)) + 1e-20
    return tl.where(slot < CHOSEN, share, 1.0)
