"""Hundreds of questions of every kind, many given up half-way: nothing may be left of them."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import torch

from app.engine.local.generate import Finish, Job, Piece, generate
from app.engine.local.memory import Memory
from app.engine.local.model import Loading, Model, load
from app.engine.local.network import Network, Prompt, State
from app.engine.local.room import Room
from app.engine.local.sampler import Choice, Drawing
from app.engine.local.scheduler import Scheduler
from app.vocabulary import EngineFault

REQUESTS, AT_A_TIME = 500, 24
CONTEXT = 128
WORDS = tuple(range(50, 90))
LAST = Job(Prompt("", WORDS, WORDS), 60, Choice())


@dataclass(slots=True)
class Seen:
    """What became of the requests."""

    finished: int = 0
    left: int = 0
    refused: int = 0
    failed: int = 0
    lengths: list[int] = field(default_factory=list)


class _Letters:
    """A grammar of up to nine letters."""

    def __init__(self, size: int) -> None:
        self._mask = torch.zeros(size, dtype=torch.bool)
        self._mask[40:90] = True
        self._taken = 0

    @property
    def finished(self) -> bool:
        return self._taken == 9

    def allowed(self) -> torch.Tensor:
        return self._mask

    def take(self, token: int) -> None:
        self._taken += 1


class _Fragile:
    """The network itself, which runs out of memory when told to."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.device, self.token_bytes = network.device, network.token_bytes
        self.broken = False
        self.broke = 0

    def begin(self) -> State:
        return self._network.begin()

    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        if self.broken:
            self.broken = False
            self.broke += 1
            raise torch.OutOfMemoryError("out of memory, for once")
        return self._network.read(state, prompt, count)

    def step(self, state: State, tokens: tuple[int, ...]) -> torch.Tensor:
        return self._network.step(state, tokens)

    def chain(self, state: State, token: int, drawing: Drawing) -> None:
        """Chooses on the host."""

    def drafter(self, state: State) -> None:
        return None


def _jobs(chance: random.Random, count: int) -> Iterator[Job]:
    """A few conversations that share beginnings and go on, asked in every way there is."""
    pages = [tuple(chance.choices(range(40, 200), k=chance.randint(4, 60))) for _ in range(8)]
    for _ in range(count):
        more = chance.choices(range(40, 200), k=chance.randint(1, 20))
        tokens = (*chance.choice(pages), *more)
        warm = Choice(chance.choice([0.0, 0.7, 1.3]), 0.95, 50, chance.choice([1.0, 1.2]))
        yield Job(
            Prompt("", tokens, tokens),
            max_tokens=chance.randint(1, CONTEXT - len(tokens)),
            choice=warm,
            stop=chance.choice([(), ("e",), ("ab", "ba")]),
            thinking_budget=chance.choice([None, 0, 5]),
            guide=_Letters(200) if chance.random() < 0.15 else None,
            logprobs=chance.choice([None, None, 0, 3]),
            lookup=chance.choice([0, 0, 3]),
        )


async def _ask(scheduler: Scheduler, job: Job, chance: random.Random, seen: Seen) -> None:
    """One client: reads to the end, or leaves after some pieces or some time; comes again where
    the line is full."""
    leaves_after = chance.choice([None, None, 0, 1, 3, 10])
    patience = chance.choice([None, None, None, 0.001, 0.02])
    try:
        async with asyncio.timeout(patience), aclosing(scheduler.run(job)) as given:
            count = 0
            async for piece in given:
                if isinstance(piece, Finish):
                    seen.finished += 1
                    seen.lengths.append(piece.usage.completion)
                    assert piece.usage.completion <= job.max_tokens
                    return
                count += isinstance(piece, Piece)
                if leaves_after is not None and count >= leaves_after:
                    break
        seen.left += 1
    except TimeoutError:
        seen.left += 1
    except EngineFault as fault:
        if fault.kind != "rate_limited":
            assert fault.kind == "out_of_memory"
            seen.failed += 1
            return
        seen.refused += 1
        await asyncio.sleep(0.05)
        await _ask(scheduler, job, chance, seen)


async def _soak(scheduler: Scheduler, network: _Fragile, seen: Seen, count: int) -> None:
    chance = random.Random(5)
    jobs = list(_jobs(chance, count))
    turnstile = asyncio.Semaphore(AT_A_TIME)

    async def enter(number: int, job: Job) -> None:
        async with turnstile:
            network.broken = network.broken or number % 50 == 25
            await _ask(scheduler, job, chance, seen)

    await asyncio.gather(*(enter(number, job) for number, job in enumerate(jobs)))
    async with asyncio.timeout(20):
        while scheduler.unfinished:  # noqa: ASYNC110  # it happens on another thread
            await asyncio.sleep(0.01)


@pytest.mark.slow
def test_nothing_is_left_of_five_hundred_requests(tiny_folder: Path) -> None:
    model = load(Loading("tiny", tiny_folder, gpus=0))
    network = _Fragile(model.network)
    model.network = network
    size = network.token_bytes * 1024  # a state's buffers have tokens to spare
    room = Room(limit=6 * size, kept=5 * size)
    model.memory = Memory(network, room)
    threads = threading.active_count()
    scheduler, seen = Scheduler(model, line=16), Seen()
    try:
        asyncio.run(_soak(scheduler, network, seen, REQUESTS))
        _whole(model, room)
        before = psutil.Process().memory_info().rss
        asyncio.run(_soak(scheduler, network, Seen(), REQUESTS // 4))
        _whole(model, room)
        assert psutil.Process().memory_info().rss - before < 50 * 2**20
        assert asyncio.run(_greedy(scheduler)) == _alone(tiny_folder)
    finally:
        scheduler.close()
    assert threading.active_count() == threads
    assert seen.finished + seen.left + seen.failed == REQUESTS
    assert min(seen.finished, seen.left, seen.refused) > 50
    assert 0 < seen.failed <= network.broke


def _whole(model: Model, room: Room) -> None:
    """What the memory says that it holds is all that there is."""
    gc.collect()
    kind = type(model.network.begin())
    states = sum(type(thing) is kind for thing in gc.get_objects())
    assert model.memory.held == 0
    assert model.memory.bytes <= room.kept
    assert states == model.memory.kept > 1


async def _greedy(scheduler: Scheduler) -> str:
    async with aclosing(scheduler.run(LAST)) as given:
        return "".join([piece.text async for piece in given if isinstance(piece, Piece)])


def _alone(folder: Path) -> str:
    """The answer of a model that has read nothing else."""
    pieces = generate(load(Loading("tiny", folder, gpus=0)), LAST, lambda: False)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece))
