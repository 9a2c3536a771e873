"""Attention of many tokens or patches at once over as many or more, on Hopper: FlashAttention
(arXiv:2307.08691) in one kernel for all lengths. Knows no cache and no positions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

from app.engine.local.kernels.launch import blocks


@dataclass(frozen=True, slots=True)
class Plan:
    """How a launch is cut: `rows` queries a program, `columns` keys at a time, `stages` of them on
    their way from memory."""

    rows: int = 128
    columns: int = 64
    warps: int = 4  # two programs at a time on a multiprocessor, a few words spilt
    stages: int = 2


PLANS = (
    Plan(),
    Plan(columns=128, warps=8),
    Plan(warps=8, stages=3),
    Plan(warps=8, stages=4),
    Plan(columns=32, warps=4, stages=3),
    Plan(64, 128, 4, 2),
)


def flash(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    causal: bool = False,
    plan: Plan | None = None,
) -> torch.Tensor:
    """query [B, N, L, D], key and value [B, K, S, D], N a multiple of K, in any order of memory as
    long as D lies side by side, D a power of two → [B, N, L, D], a view of [B, L, N, D].

    `causal` lets query i see the keys up to i + S - L, else each sees all. Scale D^-0.5.
    """
    plan = plan or Plan()
    batch, heads, length, width = query.shape
    key_heads, count = key.shape[1], key.shape[2]
    out = query.new_empty((batch, length, heads, width)).transpose(1, 2)
    grid = (blocks(length, plan.rows), heads, batch)
    tall, wide = [1, 1, plan.rows, width], [1, 1, plan.columns, width]
    _flash[grid](
        TensorDescriptor.from_tensor(query, tall),
        TensorDescriptor.from_tensor(key, wide),
        TensorDescriptor.from_tensor(value, wide),
        TensorDescriptor.from_tensor(out, tall),
        heads // key_heads,
        count,
        count - length,
        math.log2(math.e) * width**-0.5,
        CAUSAL=causal,
        ROWS=plan.rows,
        COLUMNS=plan.columns,
        WIDTH=width,
        num_warps=plan.warps,
        num_stages=plan.stages,
    )
    return out


def flash_reference(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False
) -> torch.Tensor:
    each, length, count = query.shape[1] // key.shape[1], query.shape[2], key.shape[2]
    key, value = (tensor.repeat_interleave(each, 1) for tensor in (key, value))
    scores = query @ key.mT * query.shape[-1] ** -0.5
    if causal:
        seen = torch.ones(length, count, dtype=torch.bool, device=query.device)
        scores = scores.masked_fill(~seen.tril(count - length), -math.inf)
    mixed: torch.Tensor = scores.softmax(-1) @ value
    return mixed


@triton.jit(do_not_specialize=["each", "count", "ahead"])  # others for each prompt
def _flash(
    query,
    keys,
    values,
    out,
    each,
    count,
    ahead,
    scale,
    CAUSAL: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    WIDTH: tl.constexpr,
):
    block = tl.program_id(0)
    if CAUSAL:  # those that see most begin first
        block = tl.num_programs(0) - 1 - block
    head = tl.program_id(1)
    batch = tl.program_id(2)
    first = block * ROWS
    q = query.load([batch, head, first, 0]).reshape(ROWS, WIDTH)
    most = tl.full((ROWS,), float("-inf"), tl.float32)
    total = tl.zeros((ROWS,), tl.float32)
    mixed = tl.zeros((ROWS, WIDTH), tl.float32)
    last = count
    clean = count // COLUMNS * COLUMNS  # up to here nothing is hidden from anyone
    if CAUSAL:
        last = min(count, first + ROWS + ahead)
        clean = min(clean, (first + ahead + 1) // COLUMNS * COLUMNS)
    place = [batch, head // each]
    for start in tl.range(0, clean, COLUMNS):
        most, total, mixed = _more(
            q, keys, values, place, start, most, total, mixed, count, first + ahead, scale,
            MASK=False, CAUSAL=CAUSAL, ROWS=ROWS, COLUMNS=COLUMNS, WIDTH=WIDTH,
        )  # fmt: skip
    for start in tl.range(clean, last, COLUMNS, num_stages=1):  # one or two: no use in a pipeline
        most, total, mixed = _more(
            q, keys, values, place, start, most, total, mixed, count, first + ahead, scale,
            MASK=True, CAUSAL=CAUSAL, ROWS=ROWS, COLUMNS=COLUMNS, WIDTH=WIDTH,
        )  # fmt: skip
    mixed = mixed / total[:, None]
    out.store([batch, head, first, 0], mixed.to(q.dtype).reshape(1, 1, ROWS, WIDTH))


@triton.jit
def _more(
    q,
    keys,
    values,
    place,
    start,
    most,
    total,
    mixed,
    count,
    sees,
    scale,
    MASK: tl.constexpr,
    CAUSAL: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    WIDTH: tl.constexpr,
):
    """A block of keys more. `most` is the largest score so far, in units of log 2, `total` the sum
    of all powers, `mixed` the values weighted by them."""
    k = keys.load([place[0], place[1], start, 0]).reshape(COLUMNS, WIDTH)
    scores = tl.dot(q, k.T)
    if MASK:
        column = start + tl.arange(0, COLUMNS)
        shown = (column < count)[None, :]
        if CAUSAL:
            shown = shown & (column[None, :] <= sees + tl.arange(0, ROWS)[:, None])
        scores = tl.where(shown, scores, float("-inf"))
    new = tl.maximum(most, tl.max(scores, 1) * scale)
    powers = tl.exp2(scores * scale - new[:, None])
    fade = tl.exp2(most - new)
    total = total * fade + tl.sum(powers, 1)
    mixed = mixed * fade[:, None]
    v = values.load([place[0], place[1], start, 0]).reshape(COLUMNS, WIDTH)
    mixed = tl.dot(powers.to(v.dtype), v, mixed)
    return new, total, mixed
