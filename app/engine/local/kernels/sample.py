"""Chooses the next token on the device, as the settings say that lie there, so that one captured
graph serves them all, and moves a conversation on by it. The same numbers give the same tokens as
app/engine/local/sampler.py, which is the reference. Knows no model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import torch
import triton

from app.engine.local.kernels.choice import choose, collect, scan
from app.engine.local.kernels.launch import blocks
from app.engine.local.sampler import Drawing

_BLOCK = 1024  # tokens of a program
_BINS = 32  # of half a unit of the logarithm, in which scores are counted
_ROOM = 4096  # candidates that are compared with each other
_RING = 4096  # tokens that the host may be behind
_LONGEST = 1 << 17  # tokens of an answer


@dataclass(frozen=True, slots=True)
class Plan:
    """Warps of the three launches, and how many candidates a program of the last one ranks."""

    scan: int = 4
    collect: int = 8
    choose: int = 8
    chunk: int = 64


PLANS = (Plan(), Plan(scan=8), Plan(collect=4), Plan(choose=16), Plan(choose=16, chunk=128))


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """What choosing needs beside the logits [V], where it stays for good."""

    settings: torch.Tensor  # float32 [5]: temperature, top-p, log of min-p, penalty, top-k
    uniform: torch.Tensor  # float64 [131072]: the number drawn for each step
    seen: torch.Tensor  # int8 [V]: 1 where the penalty knows a token
    ring: torch.Tensor  # int64 [4096], pinned memory of the host: the tokens of the last steps
    overflow: torch.Tensor  # int32 [1]: a token could not be chosen here, nor those behind it
    room: Workspace

    @classmethod
    def of(cls, words: int, device: torch.device | str) -> Self:
        ring = torch.zeros(_RING, dtype=torch.int64)
        cuda = torch.device(device).type == "cuda"
        return cls(
            settings=torch.tensor([0.0, 1.0, -math.inf, 1.0, 0.0], device=device),
            uniform=torch.zeros(_LONGEST, dtype=torch.float64, device=device),
            seen=torch.zeros(words, dtype=torch.int8, device=device),
            ring=ring.pin_memory() if cuda else ring,
            overflow=torch.zeros(1, dtype=torch.int32, device=device),
            room=Workspace.of(words, device),
        )

    def set(self, drawing: Drawing) -> None:
        """Choose as `drawing` says from step 0 on: in the order of the stream, without waiting.
        Raises ValueError for more tokens than there is room for."""
        if len(drawing.drawn) > _LONGEST:
            raise ValueError(f"no room for {len(drawing.drawn)} tokens, {_LONGEST} at most")
        choice = drawing.choice
        least = math.log(choice.min_p) if choice.min_p > 0 else -math.inf
        top_k = float(min(max(choice.top_k, 0), len(self.seen)))
        rates = (choice.temperature, choice.top_p, least, choice.repetition_penalty, top_k)
        _send(self.settings, torch.tensor(rates, dtype=torch.float32))
        if drawing.drawn:
            drawn = torch.tensor(drawing.drawn, dtype=torch.float64)
            _send(self.uniform[: len(drawn)], drawn)
        self.overflow.zero_()
        self.seen.zero_()
        if drawing.seen:
            known = torch.zeros(len(self.seen), dtype=torch.int8)
            known[torch.tensor([token for token in drawing.seen if token >= 0])] = 1
            _send(self.seen, known)

    def written(self, number: int) -> int | None:
        """The token of step `number`, one of the last 4,096, once it is done; None where it could
        not be chosen: the host is to choose by the same logits, and to set anew."""
        token = int(self.ring[number % _RING])
        return None if token < 0 else token


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """What one launch leaves for the next; B blocks of the vocabulary, C candidates."""

    scores: torch.Tensor  # float32 [V]
    most: torch.Tensor  # float32 [B], of a block the greatest score,
    best: torch.Tensor  # int32 [B], its token,
    sums: torch.Tensor  # float64 [B], the sum of powers beside it,
    counts: torch.Tensor  # int32 [B, 32], the scores in each bin,
    weights: torch.Tensor  # float64 [B], and how much they weigh
    found: torch.Tensor  # float32 [C], candidates' scores,
    tokens: torch.Tensor  # int32 [C], their tokens in order,
    above: torch.Tensor  # float64 [C], the weight of all that are likelier,
    ranks: torch.Tensor  # int32 [C], and their number
    held: torch.Tensor  # int32 [1], candidates there are
    arrived: torch.Tensor  # int32 [1], programs that have ranked theirs

    @classmethod
    def of(cls, words: int, device: torch.device | str) -> Self:
        def zeros(*shape: int, dtype: torch.dtype = torch.int32) -> torch.Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        parts, f32, f64 = blocks(words, _BLOCK), torch.float32, torch.float64
        return cls(
            scores=zeros(words, dtype=f32),
            most=zeros(parts, dtype=f32),
            best=zeros(parts),
            sums=zeros(parts, dtype=f64),
            counts=zeros(parts, _BINS),
            weights=zeros(parts, dtype=f64),
            found=zeros(_ROOM, dtype=f32),
            tokens=zeros(_ROOM),
            above=zeros(_ROOM, dtype=f64),
            ranks=zeros(_ROOM),
            held=zeros(1),
            arrived=zeros(1),
        )


def sample(
    logits: torch.Tensor,
    token: torch.Tensor,
    place: torch.Tensor,
    draw: Draw,
    *,
    greedy: bool = False,
    plan: Plan | None = None,
    pdl: bool = False,
) -> None:
    """logits [V] → token int64 [1], and into the ring of `draw`; `place` int64 [4 or more] goes on:
    one token more is kept (0), at the next position (1), in the next step (3)."""
    plan, extra = plan or PLANS[0], {"launch_pdl": True} if pdl else {}
    words, room = len(draw.seen), draw.room
    parts = blocks(words, _BLOCK)
    sizes: dict[str, Any] = {"BLOCK": _BLOCK, "PDL": pdl, **extra}
    spans = {"BLOCKS": parts, "SPAN": max(triton.next_power_of_2(parts), 2), "ROOM": _ROOM}
    scan[(parts,)](
        logits, draw.seen, draw.settings, room.scores, room.most, room.best, room.sums, room.counts,
        words, BINS=_BINS, num_warps=plan.scan, **sizes,
    )  # fmt: skip
    if not greedy:
        collect[(parts,)](
            draw.settings, room.scores, room.most, room.sums, room.counts, room.weights, room.found,
            room.tokens, room.held, words, BINS=_BINS, num_warps=plan.collect, **spans, **sizes,
        )  # fmt: skip
    choose[(1 if greedy else _ROOM // plan.chunk,)](
        draw.settings, draw.uniform, room.scores, room.most, room.best, room.sums, room.weights,
        room.found, room.tokens, room.held, room.above, room.ranks, room.arrived, token, place,
        draw.seen, draw.overflow, draw.ring.data_ptr(), words,
        CHUNK=plan.chunk, LONGEST=_LONGEST, RING=_RING, num_warps=plan.choose, **spans, **sizes,
    )  # fmt: skip


def _send(target: torch.Tensor, numbers: torch.Tensor) -> None:
    """Copy from the host, without waiting where that takes saying."""
    target.copy_(numbers.pin_memory() if target.is_cuda else numbers, non_blocking=True)
