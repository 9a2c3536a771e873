"""The sum and the gather over ranks: one rank among peers that are played by plain tensors, and
ranks that run at the same time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import torch
from torch import multiprocessing

from app.engine.local.kernels.exchange import EMPTY, Exchange, slots_size, wide
from app.engine.local.kernels.reduce import (
    all_reduce,
    all_reduce_reference,
    gather,
    gather_reference,
)
from app.engine.local.ranks.group import ALONE

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
MARK = 12345.0  # stands beside an output, where nothing may be written


@dataclass(frozen=True)
class Sizes:
    """Of an exchange whose ranks all have their memory in one tensor."""

    count: int
    hidden: int
    words: int

    def slots(self) -> list[torch.Tensor]:
        size = slots_size(self.count, self.hidden, self.words)
        whole = torch.full((self.count, size), EMPTY, dtype=torch.int32, device=DEVICE)
        return list(whole.unbind())

    def exchange(self, slots: list[torch.Tensor], rank: int) -> Exchange:
        peers = [peer.data_ptr() for peer in slots]
        return Exchange.over(slots[rank], peers, rank=rank, hidden=self.hidden, words=self.words)

    def sums(self, slots: torch.Tensor, slot: int) -> torch.Tensor:
        """Where the ranks' parts of a sum come: [count, row]."""
        row = wide(self.hidden)
        return slots[: 2 * self.count * row].view(2, self.count, row)[slot]

    def gathers(self, slots: torch.Tensor, slot: int) -> torch.Tensor:
        row = wide(self.words)
        return slots[-2 * self.count * row :].view(2, self.count, row)[slot]


@pytest.mark.parametrize(("count", "rank"), [(2, 0), (2, 1), (4, 2), (8, 7), (8, 0)])
@pytest.mark.parametrize("size", [1, 128, 333])
def test_a_rank_sends_its_part_and_sums_all_of_them(count: int, rank: int, size: int) -> None:
    sizes = Sizes(count, size + 50, 1)
    slots = sizes.slots()
    exchange = sizes.exchange(slots, rank)
    for slot in (0, 1, 0):
        parts, residual = _randoms(count, size), _randoms(size).bfloat16()
        _arrive(sizes.sums(slots[rank], slot), parts, rank)
        with _guarded(size, torch.float32) as out:
            all_reduce(parts[rank], out, residual, exchange, slot)
        _is_near(out, all_reduce_reference(parts, residual))
        for peer in range(count):
            sent = sizes.sums(slots[peer], slot)
            if peer != rank:
                assert torch.equal(sent[rank, :size].view(torch.float32), parts[rank])
                sent[rank, :size] = EMPTY
        assert all((peer == EMPTY).all() for peer in slots), "nothing beside, and emptied"
    assert not exchange.failed


def test_a_sum_is_rounded_once_and_may_be_written_onto_what_it_reads() -> None:
    sizes, size = Sizes(4, 200, 1), 200
    slots = sizes.slots()
    exchange = sizes.exchange(slots, 1)
    parts, residual = _randoms(4, size), _randoms(size).bfloat16()
    exact = all_reduce_reference(parts, residual)
    _arrive(sizes.sums(slots[1], 0), parts, 1)
    all_reduce(parts[1], residual, residual, exchange, 0)
    # a whole last place: the interpreter cuts bfloat16 off
    torch.testing.assert_close(residual.double(), exact, rtol=2**-7, atol=1e-5)
    expected = all_reduce_reference(parts, None)
    _arrive(sizes.sums(slots[1], 1), parts, 1)
    own = parts[1].clone()
    all_reduce(own, own, None, exchange, 1)
    _is_near(own, expected)


def test_all_ranks_come_to_the_same_bits() -> None:
    sizes, size = Sizes(8, 300, 1), 300
    parts = _randoms(8, size) * torch.logspace(-3, 3, 8, device=DEVICE)[:, None]
    outs = []
    for rank in range(8):
        slots = sizes.slots()
        _arrive(sizes.sums(slots[rank], 0), parts, rank)
        out = torch.empty(size, device=DEVICE)
        all_reduce(parts[rank], out, None, sizes.exchange(slots, rank), 0)
        outs.append(out)
    assert all(torch.equal(out, outs[0]) for out in outs)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the interpreter's, of inf
def test_numbers_that_are_none_pass_and_a_negative_zero_is_a_zero() -> None:
    sizes = Sizes(2, 6, 6)
    slots = sizes.slots()
    exchange = sizes.exchange(slots, 0)
    inf, nan = torch.inf, torch.nan
    own = torch.tensor([nan, inf, -inf, -0.0, -0.0, 1e-42], device=DEVICE)
    other = torch.tensor([1.0, -inf, -inf, 0.0, 5.0, 0.0], device=DEVICE)
    parts = torch.stack([own, other])
    _arrive(sizes.sums(slots[0], 0), parts, 0)
    out = torch.empty(6, device=DEVICE)
    all_reduce(own, out, None, exchange, 0)
    torch.testing.assert_close(out, own + other, equal_nan=True, rtol=0, atol=1e-41)
    sent = sizes.sums(slots[1], 0)[0, :6]
    assert sent[3:5].tolist() == [0, 0]
    assert sent[:3].view(torch.float32).isfinite().sum() == 0
    _arrive(sizes.gathers(slots[0], 0), parts, 0)
    out = torch.empty(12, device=DEVICE)
    gather(own, out, exchange)
    torch.testing.assert_close(out, parts.flatten(), equal_nan=True, rtol=0, atol=1e-41)
    assert not exchange.failed


@pytest.mark.parametrize(("count", "rank"), [(2, 1), (4, 0), (8, 5)])
@pytest.mark.parametrize("size", [3, 700])
def test_a_gather_puts_the_parts_in_the_ranks_order(count: int, rank: int, size: int) -> None:
    sizes = Sizes(count, 40, size + 3)
    slots = sizes.slots()
    exchange = sizes.exchange(slots, rank)
    for slot in (0, 1, 0):
        parts = _randoms(count, size)
        _arrive(sizes.gathers(slots[rank], slot), parts, rank)
        with _guarded(count * size, torch.float32) as out:
            gather(parts[rank], out, exchange)
        assert torch.equal(out, gather_reference(parts))
        for peer in range(count):
            sent = sizes.gathers(slots[peer], slot)
            if peer != rank:
                assert torch.equal(sent[rank, :size].view(torch.float32), parts[rank])
                sent[rank, :size] = EMPTY
        assert all((peer == EMPTY).all() for peer in slots)
    assert not exchange.failed


def test_ranks_that_cannot_reach_each_others_memory_have_no_exchange() -> None:
    assert Exchange.open(ALONE, 128, 128) is None


def test_a_rank_that_waits_in_vain_says_so_and_looks_no_more() -> None:
    sizes = Sizes(2, 200, 300)
    slots = sizes.slots()
    exchange = sizes.exchange(slots, 0)
    exchange.look_at_most(20)
    parts = _randoms(2, 200)
    _arrive(sizes.sums(slots[0], 0), parts, 0)
    sizes.sums(slots[0], 0)[1, 77] = EMPTY  # one word never comes
    out = torch.empty(200, device=DEVICE)
    all_reduce(parts[0], out, None, exchange, 0)
    _settle()
    assert exchange.failed
    exchange.look_at_most(2**31 - 1)
    all_reduce(parts[0], out, None, exchange, 1)
    gather(torch.zeros(300, device=DEVICE), torch.empty(600, device=DEVICE), exchange)
    exchange.clear()
    assert not exchange.failed
    _arrive(sizes.sums(slots[0], 0), parts, 0)
    all_reduce(parts[0], out, None, exchange, 0)
    _settle()
    assert not exchange.failed
    _is_near(out, all_reduce_reference(parts, None))


@pytest.mark.parametrize("count", [2, 4, 8] if CUDA else [2])
def test_ranks_that_run_at_once_and_late_agree_on_every_round(count: int) -> None:
    sizes, rounds = Sizes(count, 150, 270), 500 if CUDA else 6
    slots = sizes.slots()
    if CUDA:
        _play_at_once(sizes, slots, rounds)
        return
    for peer in slots:
        peer.share_memory_()
    others = multiprocessing.spawn(_play, (sizes, slots, rounds), nprocs=count - 1, join=False)
    _play(-1, sizes, slots, rounds)
    while not others.join():
        pass


def _play(number: int, sizes: Sizes, slots: list[torch.Tensor], rounds: int) -> None:
    """One rank, a process of its own: all but the first are numbered from 0."""
    torch.set_num_threads(1)
    for _ in _rounds(sizes, sizes.exchange(slots, number + 1), rounds, None):
        pass


def _play_at_once(sizes: Sizes, slots: list[torch.Tensor], rounds: int) -> None:
    """One GPU is all ranks, each a stream."""
    alone = sizes.exchange(sizes.slots(), 0)
    alone.look_at_most(0)
    streams = [torch.cuda.Stream() for _ in slots]
    # kernels are compiled and loaded before one waits for another
    next(_rounds(sizes, alone, 1, streams[0]))
    ranks = [sizes.exchange(slots, rank) for rank in range(sizes.count)]
    torch.cuda.synchronize()
    played = [
        _rounds(sizes, *each) for each in zip(ranks, [rounds] * sizes.count, streams, strict=True)
    ]
    for _ in zip(*played, strict=True):
        pass


def _rounds(
    sizes: Sizes, exchange: Exchange, rounds: int, stream: torch.cuda.Stream | None
) -> Iterator[None]:
    """One rank's rounds; the parts of all ranks are drawn alike on each. Yields between launching a
    round and checking it, so that others can launch theirs."""
    rank, late = exchange.rank, random.Random(exchange.rank)
    for number in range(rounds):
        if not CUDA and late.random() < 0.2:
            time.sleep(late.random() * 0.01)
        with torch.cuda.stream(stream):
            parts, residual = _numbers(sizes, number)
            if CUDA and late.random() < 0.2:
                torch.cuda._sleep(late.randrange(10**6))
            x = residual.clone()
            all_reduce(parts[rank, : sizes.hidden], x, x, exchange, number % 2)
            whole = torch.full((sizes.count * sizes.words,), torch.nan, device=DEVICE)
            gather(parts[rank], whole, exchange)
        yield
        if stream is not None:
            stream.synchronize()
        assert not exchange.failed
        exact = all_reduce_reference(parts[:, : sizes.hidden], residual)
        torch.testing.assert_close(x.double(), exact, rtol=2**-7, atol=1e-5)
        assert torch.equal(whole, gather_reference(parts))


def _numbers(sizes: Sizes, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(number)
    parts = torch.randn(sizes.count, sizes.words, generator=source)
    residual = torch.randn(sizes.hidden, generator=source).bfloat16()
    return parts.to(DEVICE), residual.to(DEVICE)


def _randoms(*shape: int) -> torch.Tensor:
    return torch.randn(shape, device=DEVICE)


def _arrive(rows: torch.Tensor, parts: torch.Tensor, rank: int) -> None:
    """What the peers of `rank` send, come before it looks."""
    for peer, part in enumerate(parts):
        if peer != rank:
            rows[peer, : len(part)] = torch.where(part == 0, 0.0, part).view(torch.int32)


@contextmanager
def _guarded(size: int, dtype: torch.dtype) -> Iterator[torch.Tensor]:
    """An output full of nan, with marks on both sides that must stay."""
    whole = torch.full((size + 64,), MARK, dtype=dtype, device=DEVICE)
    out = whole[32 : 32 + size]
    out.fill_(torch.nan)
    yield out
    assert (whole[:32] == MARK).all()
    assert (whole[32 + size :] == MARK).all()


def _is_near(out: torch.Tensor, exact: torch.Tensor) -> None:
    """Float32 sums of a few numbers about 1."""
    torch.testing.assert_close(out.double(), exact, rtol=1e-6, atol=2e-6)


def _settle() -> None:
    if CUDA:
        torch.cuda.synchronize()
