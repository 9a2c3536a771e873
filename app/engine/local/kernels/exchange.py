"""What ranks of one machine write into each other's memory: the slots of a rank, and where its
peers have theirs. Knows no kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.distributed as dist
from torch.distributed import _symmetric_memory as symmetric

from app.engine.local.kernels.launch import blocks
from app.engine.local.ranks.group import Group

EMPTY = -(2**31)  # the bits of -0.0: nobody sends it, so a word is its own sign of arrival
LEAST_BLOCK = 128  # numbers that a program swaps: those that a warp reads 16 bytes a thread
_ROW = 1024  # a row of a slot begins at a multiple of this
_POLLS = 3_900_000  # looks at a slot in a second, on an H200
_OPENING = 60.0  # seconds; ranks that compile a kernel for the first time are far apart


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """A rank's end of the exchange between `count` ranks (a power of two).

    `slots` int32 is this rank's memory: two receiving slots [2, count, hidden] of a sum, two
    [2, count, words] of a gather, rows `wide`, all EMPTY when nothing is on its way. `peers` int64
    [count] are the addresses of every rank's `slots`. `state` int32 [2]: whether a rank waited in
    vain, and how often one looks before that. `told` is the former where the host reads it without
    waiting. `turns` int32: which slot each program of a gather uses next.
    """

    rank: int
    count: int
    hidden: int
    words: int
    slots: torch.Tensor
    peers: torch.Tensor
    state: torch.Tensor
    told: torch.Tensor
    turns: torch.Tensor

    @classmethod
    def open(cls, group: Group, hidden: int, words: int) -> Self | None:
        """Called by all ranks of a group on GPUs. None, on all, where one can't reach another's
        memory. `hidden`: numbers of a sum; `words`: of a rank's part of a gather."""
        if not group.min(_reaches(group)):
            return None
        shared = _shared(group, slots_size(group.count, hidden, words))
        if not group.min(shared is not None) or shared is None:
            return None
        exchange = cls.over(*shared, rank=group.rank, hidden=hidden, words=words)
        exchange.reset(group)
        return exchange

    @classmethod
    def over(
        cls, slots: torch.Tensor, peers: Sequence[int], *, rank: int, hidden: int, words: int
    ) -> Self:
        """Over memory that is there: int32 [slots_size(…)], and where all ranks have theirs.
        Nothing may be sent before every rank has its own `clear`ed."""
        device = slots.device
        exchange = cls(
            rank,
            len(peers),
            hidden,
            words,
            slots,
            torch.tensor(peers, dtype=torch.int64, device=device),
            torch.zeros(2, dtype=torch.int32, device=device),
            torch.zeros(1, dtype=torch.int32, pin_memory=slots.is_cuda),
            torch.zeros(blocks(words, LEAST_BLOCK), dtype=torch.int32, device=device),
        )
        exchange.wait_at_most(_OPENING)
        return exchange

    @property
    def failed(self) -> bool:
        """Whether this rank waited in vain for another; its results since then are worth nothing.
        Reads the host's memory: it waits for no kernel."""
        return bool(self.told[0])

    def wait_at_most(self, seconds: float) -> None:
        """How long a rank waits for the others, about; from the next launch on."""
        self.look_at_most(min(int(seconds * _POLLS), 2**31 - 1))

    def look_at_most(self, times: int) -> None:
        """The same, counted in looks at a slot."""
        self.state[1:].fill_(times)

    def clear(self) -> None:
        """Slots as they are before anything was sent."""
        self.slots.fill_(EMPTY)
        self.turns.zero_()
        self.state[:1].zero_()
        self.told.zero_()

    def reset(self, group: Group) -> None:
        """Called by all ranks: forget what failed and what is still in the slots."""
        group.barrier()  # nobody sends any more
        self.clear()
        group.barrier()  # nobody sends yet


def slots_size(count: int, hidden: int, words: int) -> int:
    """Numbers in a rank's slots."""
    return 2 * count * (wide(hidden) + wide(words))


def wide(size: int) -> int:
    """How far the rows of a slot are apart where each has `size` numbers."""
    return blocks(size, _ROW) * _ROW


def _shared(group: Group, size: int) -> tuple[torch.Tensor, list[int]] | None:
    """Memory int32 [size] that all ranks can write into, and its addresses; None where it can't be
    had."""
    try:
        own = symmetric.empty(size, dtype=torch.int32, device=group.device)
        world = dist.group.WORLD
        assert world is not None, "the group has joined"
        blocks_of_all = symmetric.rendezvous(own, world).buffer_ptrs
    except RuntimeError:
        return None
    inside = own.data_ptr() - blocks_of_all[group.rank]  # it is at the same place in all blocks
    return own, [block + inside for block in blocks_of_all]


def _reaches(group: Group) -> bool:
    """Whether this rank's GPU can write into the memory of the others', ranks being numbered as
    the machine's GPUs are."""
    own = group.device.index
    if group.device.type != "cuda" or torch.cuda.device_count() < group.count:
        return False
    others = [number for number in range(group.count) if number != own]
    return all(torch.cuda.can_device_access_peer(own, other) for other in others)
