"""Sums and gathers over the ranks of one token's step, in one launch without a barrier: each rank
writes its part into every other's memory and looks at its own until all have come. Knows no layer.

The data are their own flags (the "low latency" protocol of NCCL and the "Lamport" one of TensorRT-
LLM): a word that is not EMPTY has arrived. A word is four bytes, which are never seen half written,
so no fence and no order between words is needed, on either side.

Two slots, used in turn, are enough. A rank sends round n + 2 into the slot of round n once it has
all of round n + 1 from every peer; a peer sent that after its own kernel of round n had ended, and
with it the emptying of the slot. Kernels of one rank follow each other: those launched as dependent
ones wait for the end of the one before (gdc_wait) in every program.

No program needs another of its own rank, each sends before it looks, and a step's few programs are
all on the GPU at once: nobody waits in a circle. Who looks too often in vain says so in `state`;
from then on nobody looks twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.exchange import EMPTY, Exchange, wide
from app.engine.local.kernels.launch import blocks
from app.engine.local.kernels.launch import pdl as dependent

__all__ = ["Exchange", "Plan", "all_reduce", "all_reduce_reference", "gather", "gather_reference"]

_EMPTY = tl.constexpr(EMPTY)
_NUMBERS = ["rank", "slot"]  # one kernel for all ranks, and so the same bits


@dataclass(frozen=True, slots=True)
class Plan:
    """How a swap is shared out: `block` numbers (at least LEAST_BLOCK) a program of `warps` warps.
    One warp has nothing to wait for within it. The same on all ranks, and always."""

    block: int
    warps: int


PLANS = (Plan(128, 1), Plan(256, 1), Plan(256, 2), Plan(512, 2), Plan(512, 4), Plan(1024, 4))
_SUM, _GATHER = Plan(128, 1), Plan(256, 1)


@triton.jit
def _bits(numbers):
    """float32 → its bits, with +0.0 for -0.0."""
    bits = numbers.to(tl.int32, bitcast=True)
    return tl.where(bits == _EMPTY, 0, bits)


@triton.jit
def _swap(bits, h, inside, addresses, slots, row, place, rank, tries, R: tl.constexpr):
    """Send `bits` [B] to every peer and wait for theirs. `place`: where a slot's rows begin;
    `row`: their width. Gives all ranks' bits [R, B] and whether some are missing."""
    ranks = tl.arange(0, R)
    wanted = (ranks != rank)[:, None] & inside[None, :]
    there = addresses[:, None].to(tl.pointer_type(tl.int32))
    there = tl.multiple_of(there, [16, 16])
    tl.store(there + (place + rank * row + h)[None, :], bits[None, :], mask=wanted)
    here = slots + place + (ranks * row)[:, None] + h[None, :]
    come = tl.load(here, mask=wanted, other=0, volatile=True)
    missing = tl.max(tl.max((come == _EMPTY).to(tl.int32), 0), 0)
    looked = 0
    while (missing > 0) & (looked < tries):
        come = tl.load(here, mask=wanted, other=0, volatile=True)
        missing = tl.max(tl.max((come == _EMPTY).to(tl.int32), 0), 0)
        looked += 1
    tl.store(here, _EMPTY, mask=wanted)
    return tl.where((ranks == rank)[:, None], bits[None, :], come), missing > 0


@triton.jit
def _say(state, told, missing):
    tl.store(state, 1, mask=missing)
    tl.store(told, 1, mask=missing)


@triton.jit(do_not_specialize=_NUMBERS)
def _all_reduce(
    partial,
    residual,
    out,
    addresses,
    slots,
    state,
    told,
    rank,
    slot,
    H: tl.constexpr,
    ROW: tl.constexpr,
    R: tl.constexpr,
    ADDS: tl.constexpr,
    BLOCK: tl.constexpr,
    PDL: tl.constexpr,
):
    h = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = h < H
    peers = tl.load(addresses + tl.arange(0, R))
    tries = tl.load(state + 1)
    if PDL:
        gdc_launch_dependents()
        gdc_wait()
    bits = _bits(tl.load(partial + h, mask=inside, other=0.0).to(tl.float32))
    failed = tl.load(state)
    before = tl.zeros([BLOCK], dtype=tl.float32)
    if ADDS:
        before = tl.load(residual + h, mask=inside, other=0.0).to(tl.float32)
    tries = tl.where(failed != 0, 0, tries)
    place = slot * (R * ROW)
    parts, missing = _swap(bits, h, inside, peers, slots, ROW, place, rank, tries, R)
    total = before + tl.sum(parts.to(tl.float32, bitcast=True), 0)
    tl.store(out + h, total.to(out.dtype.element_ty), mask=inside)
    _say(state, told, missing)


@triton.jit(do_not_specialize=_NUMBERS)
def _gather(
    part,
    out,
    addresses,
    slots,
    state,
    told,
    turns,
    rank,
    V: tl.constexpr,
    ROW: tl.constexpr,
    START: tl.constexpr,
    R: tl.constexpr,
    BLOCK: tl.constexpr,
    PDL: tl.constexpr,
):
    program = tl.program_id(0)
    v = program * BLOCK + tl.arange(0, BLOCK)
    inside = v < V
    peers = tl.load(addresses + tl.arange(0, R))
    tries = tl.load(state + 1)
    if PDL:
        gdc_launch_dependents()
        gdc_wait()
    turn = tl.load(turns + program)
    bits = _bits(tl.load(part + v, mask=inside, other=0.0).to(tl.float32))
    failed = tl.load(state)
    tries = tl.where(failed != 0, 0, tries)
    place = START + turn * (R * ROW)
    parts, missing = _swap(bits, v, inside, peers, slots, ROW, place, rank, tries, R)
    numbers = parts.to(tl.float32, bitcast=True).to(out.dtype.element_ty)
    into = out + (tl.arange(0, R) * V)[:, None] + v[None, :]
    tl.store(into, numbers, mask=inside[None, :])
    tl.store(turns + program, 1 - turn)
    _say(state, told, missing)


def all_reduce(
    partial: torch.Tensor,
    out: torch.Tensor,
    residual: torch.Tensor | None,
    exchange: Exchange,
    slot: int,
    *,
    plan: Plan = _SUM,
    pdl: bool = False,
) -> None:
    """out [H] = residual [H] + the ranks' partial [H], added in float32 and rounded once: the same
    bits on every rank. Any two of the three may be one tensor; `residual` None adds nothing.

    All ranks call it in the same order, with `slot` 0 and 1 in turn, over graphs' ends too.
    """
    size = partial.numel()
    assert size <= exchange.hidden
    pdl = pdl and dependent(partial)
    chosen = {"launch_pdl": True} if pdl else {}
    _all_reduce[(blocks(size, plan.block),)](
        partial,
        partial if residual is None else residual,
        out,
        exchange.peers,
        exchange.slots,
        exchange.state,
        exchange.told,
        exchange.rank,
        slot,
        H=size,
        ROW=wide(exchange.hidden),
        R=exchange.count,
        ADDS=residual is not None,
        BLOCK=plan.block,
        PDL=pdl,
        num_warps=plan.warps,
        **chosen,
    )


def gather(
    part: torch.Tensor,
    out: torch.Tensor,
    exchange: Exchange,
    *,
    plan: Plan = _GATHER,
    pdl: bool = False,
) -> None:
    """out [R · V] = the ranks' parts [V] (float32), one after the other; -0.0 comes as 0.0.

    All ranks call it in the same order, between sums as they like: its slots are its own, and it
    takes turns by itself.
    """
    size = part.numel()
    assert size <= exchange.words
    assert out.numel() == size * exchange.count
    pdl = pdl and dependent(part)
    chosen = {"launch_pdl": True} if pdl else {}
    _gather[(blocks(size, plan.block),)](
        part,
        out,
        exchange.peers,
        exchange.slots,
        exchange.state,
        exchange.told,
        exchange.turns,
        exchange.rank,
        V=size,
        ROW=wide(exchange.words),
        START=2 * exchange.count * wide(exchange.hidden),
        R=exchange.count,
        BLOCK=plan.block,
        PDL=pdl,
        num_warps=plan.warps,
        **chosen,
    )


def all_reduce_reference(parts: torch.Tensor, residual: torch.Tensor | None) -> torch.Tensor:
    """The sum of parts [R, H] and the residual [H], in float64."""
    total = parts.double().sum(0)
    return total if residual is None else total + residual.double()


def gather_reference(parts: torch.Tensor) -> torch.Tensor:
    """Parts [R, V] → [R · V]."""
    return parts.flatten()
