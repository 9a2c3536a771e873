from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import pytest
import torch
from toy import TOKEN_BYTES, ToyNetwork, asked, toy

from app.engine.local.generate import Finish, Job, Piece
from app.engine.local.room import Room
from app.engine.local.sampler import Choice
from app.engine.local.scheduler import Count, Given, Scheduler, Waiting
from app.engine.local.ticket import Ticket
from app.vocabulary import EndpointFault, EngineFault, Fault

TEXT = "the quick brown fox jumps over the lazy dog. "
IDLE = Count(0, 0, 0)


def _job(text: str = TEXT, count: int = 5) -> Job:
    return Job(asked(text), count, Choice())


async def _all(scheduler: Scheduler, job: Job) -> list[Given]:
    async with aclosing(scheduler.run(job)) as given:
        return [piece async for piece in given]


def _text(given: list[Given]) -> str:
    return "".join(piece.text for piece in given if isinstance(piece, Piece))


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  # what is waited for happens on another thread
            await asyncio.sleep(0.001)


@contextmanager
def _serving(network: ToyNetwork | None = None, **options: Any) -> Iterator[Scheduler]:
    room = options.pop("room", Room(10**9, 10**9))
    scheduler = Scheduler(toy(network, room=room), **options)
    try:
        yield scheduler
    finally:
        scheduler.close()


class _Gate:
    """Holds the working thread before its next step until it is opened."""

    def __init__(self) -> None:
        self.network = ToyNetwork()
        self.network.hook = self._pass
        self._open = threading.Event()
        self.passed = 0

    def _pass(self) -> None:
        self._open.wait(10)
        self.passed += 1

    def open(self) -> None:
        self._open.set()


@asynccontextmanager
async def _asking(
    scheduler: Scheduler, *jobs: Job
) -> AsyncIterator[list[asyncio.Task[list[Given]]]]:
    """Jobs that were asked one after the other; those that are left are cancelled at the end."""
    tasks = []
    for number, job in enumerate(jobs, 1):
        tasks.append(asyncio.create_task(_all(scheduler, job)))
        await _until(lambda number=number: scheduler.unfinished >= number)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_an_answer_ends_with_its_finish_and_the_engine_is_idle_then() -> None:
    with _serving() as scheduler:
        given = asyncio.run(_all(scheduler, _job()))
        assert isinstance(given[-1], Finish)
        assert sum(isinstance(piece, Finish) for piece in given) == 1
        assert scheduler.count == Count(0, 0, 5)


def test_four_answers_take_turns_and_each_is_what_it_would_be_alone() -> None:
    alone = []
    for letter in "abcdef":
        with _serving() as scheduler:
            alone.append(_text(asyncio.run(_all(scheduler, _job(letter + TEXT, 20)))))

    async def together(scheduler: Scheduler) -> list[list[Given]]:
        jobs = [_job(letter + TEXT, 20) for letter in "abcdef"]
        return await asyncio.gather(*(_all(scheduler, job) for job in jobs))

    with _serving() as scheduler:
        assert [_text(given) for given in asyncio.run(together(scheduler))] == alone


def test_no_more_than_four_run_at_once_and_the_rest_know_their_place() -> None:
    gate = _Gate()

    async def scene(scheduler: Scheduler) -> None:
        jobs = [_job(letter + TEXT, 3 * place + 3) for place, letter in enumerate("abcdefg")]
        async with _asking(scheduler, *jobs) as tasks:
            gate.open()
            given = await asyncio.gather(*tasks)
        first_places = [
            next((piece.position for piece in one if isinstance(piece, Waiting)), None)
            for one in given
        ]
        assert first_places == [None, None, None, None, 1, 2, 3]
        last = [piece.position for piece in given[6] if isinstance(piece, Waiting)]
        assert last == [3, 2, 1]

    most = []
    gate.network.hook = lambda: (gate._pass(), most.append(scheduler.count.running))
    with _serving(gate.network) as scheduler:
        asyncio.run(scene(scheduler))
    assert max(most) == 4


def test_they_are_answered_in_the_order_in_which_they_came() -> None:
    network = ToyNetwork()

    async def scene(scheduler: Scheduler) -> None:
        jobs = [_job(letter * size, 4) for size, letter in enumerate("abcdefgh", 1)]
        await asyncio.gather(*(_all(scheduler, job) for job in jobs))

    with _serving(network, at_once=1) as scheduler:
        asyncio.run(scene(scheduler))
    assert network.reads == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_long_prompt_does_not_hold_up_another_answer() -> None:
    """While one prompt is read in its parts, the other answer gets a token after each."""
    network = ToyNetwork()
    order: list[str] = []

    async def scene(scheduler: Scheduler) -> None:
        quick = scheduler.run(_job("a", 40))
        async with aclosing(quick):
            await anext(quick)
            slow = asyncio.create_task(_all(scheduler, _job("b" * 3000, 1)))
            async for _ in quick:
                order.append("token")
            await slow

    reads = network.reads
    network.hook = lambda: (order.append("part"), time.sleep(0.002)) if reads[1:] else None
    with _serving(network) as scheduler:
        asyncio.run(scene(scheduler))
    together = "".join(word[0] for word in order)
    assert "ppppppppp" not in together[: together.rfind("t")]


def test_a_full_line_is_said_at_once() -> None:
    gate = _Gate()

    async def scene(scheduler: Scheduler) -> None:
        jobs = [_job(letter + TEXT) for letter in "abc"]
        async with _asking(scheduler, *jobs):
            await _until(lambda: scheduler.count == Count(1, 2, 0))
            with pytest.raises(EngineFault, match="2 questions are waiting") as caught:
                await _all(scheduler, _job())
            assert caught.value.kind == "rate_limited"
            gate.open()

    with _serving(gate.network, at_once=1, line=2) as scheduler:
        asyncio.run(scene(scheduler))


def test_who_leaves_the_line_is_never_begun_and_the_others_move_up() -> None:
    gate = _Gate()

    async def scene(scheduler: Scheduler) -> None:
        jobs = [_job(letter * 20, 3) for letter in "abc"]
        async with _asking(scheduler, *jobs) as tasks:
            await _until(lambda: scheduler.count == Count(1, 2, 0))
            tasks[1].cancel()
            gate.open()
            last = await tasks[2]
        assert [piece.position for piece in last if isinstance(piece, Waiting)][-1] == 1

    with _serving(gate.network, at_once=1) as scheduler:
        asyncio.run(scene(scheduler))
        assert sum(gate.network.reads) == 40
        assert scheduler.unfinished == 0


def test_who_leaves_in_the_middle_stops_the_work_before_its_next_step() -> None:
    network = ToyNetwork()
    network.hook = lambda: time.sleep(0.002)

    async def scene(scheduler: Scheduler) -> None:
        async with aclosing(scheduler.run(_job(TEXT, 10_000))) as given:
            for _ in range(3):
                await anext(given)
        await _until(lambda: scheduler.unfinished == 0)
        written = scheduler.count.tokens
        await asyncio.sleep(0.05)
        assert scheduler.count.tokens == written < 100

    with _serving(network) as scheduler:
        asyncio.run(scene(scheduler))
        assert scheduler._model.memory.held == 0


def test_a_slow_reader_stalls_nobody_and_misses_nothing() -> None:
    async def scene(scheduler: Scheduler) -> None:
        slow = scheduler.run(_job("s" + TEXT, 50))
        async with aclosing(slow):
            first = await anext(slow)
            others = [_all(scheduler, _job(letter + TEXT, 50)) for letter in "abcde"]
            assert all(len(_text(given)) == 50 for given in await asyncio.gather(*others))
            rest = [first, *[piece async for piece in slow]]
        assert len(_text(rest)) == 50

    with _serving() as scheduler:
        asyncio.run(scene(scheduler))


def test_a_job_that_fits_only_after_another_waits_for_it() -> None:
    network = ToyNetwork(limit=200 * TOKEN_BYTES)
    room = Room(160 * TOKEN_BYTES, 160 * TOKEN_BYTES)

    async def scene(scheduler: Scheduler) -> list[list[Given]]:
        return await asyncio.gather(*(_all(scheduler, _job(x * 60, 40)) for x in "abc"))

    with _serving(network, room=room) as scheduler:
        given = asyncio.run(scene(scheduler))
    assert all(isinstance(one[-1], Finish) for one in given)
    assert any(isinstance(piece, Waiting) for piece in given[1])


def test_a_job_that_never_fits_is_told_the_numbers_and_the_next_one_works() -> None:
    with _serving(room=Room(2**20, 2**20)) as scheduler:
        with pytest.raises(EngineFault, match=r"needs 0\.93 GB of memory and 0\.00 GB are free"):
            asyncio.run(_all(scheduler, _job(count=10**6)))
        assert asyncio.run(_all(scheduler, _job()))


def test_memory_that_runs_out_fails_that_job_with_the_numbers_and_frees_what_it_took() -> None:
    """The guess of what there is was too high: the network breaks before the limit is reached."""
    network = ToyNetwork(limit=150 * TOKEN_BYTES)

    async def scene(scheduler: Scheduler) -> None:
        await _all(scheduler, _job("k" * 40))
        with pytest.raises(
            EngineFault, match=r"Memory ran out: .* may need 0\.00 GB, .*GB"
        ) as caught:
            await _all(scheduler, _job("x" * 160))
        assert caught.value.kind == "out_of_memory"
        assert "do not fit" in caught.value.detail
        assert network.bytes == 0  # what was idle gave way too
        assert len(_text(await _all(scheduler, _job("y" * 140)))) == 5

    with _serving(network) as scheduler:
        asyncio.run(scene(scheduler))
        assert scheduler.unfinished == 0


def test_memory_that_runs_out_for_one_leaves_the_others_their_answers() -> None:
    network = ToyNetwork(limit=200 * TOKEN_BYTES)

    async def scene(scheduler: Scheduler) -> None:
        large, small = await asyncio.gather(
            _all(scheduler, _job("x" * 300, 30)),
            _all(scheduler, _job("small", 30)),
            return_exceptions=True,
        )
        assert isinstance(large, EngineFault)
        assert not isinstance(small, BaseException)
        assert len(_text(small)) == 30

    with _serving(network) as scheduler:
        asyncio.run(scene(scheduler))


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory", "Memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory", "ran out"),
        (RuntimeError("shapes differ"), "engine_failed", "failed"),
        (EndpointFault("bad_request", "This picture is damaged."), "bad_request", "damaged"),
    ],
)
def test_a_failure_is_told_and_the_next_job_works(error: Exception, kind: str, word: str) -> None:
    network = ToyNetwork()

    def fail() -> None:
        network.hook = lambda: None
        raise error

    network.hook = fail
    with _serving(network) as scheduler:
        with pytest.raises(Fault, match=word) as caught:
            asyncio.run(_all(scheduler, _job()))
        assert caught.value.kind == kind
        assert len(_text(asyncio.run(_all(scheduler, _job())))) == 5


def test_a_broken_device_is_said_to_whom_it_concerns() -> None:
    network, told = ToyNetwork(), []

    def fail() -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    network.hook = fail
    with (
        _serving(network, broken=told.append) as scheduler,
        pytest.raises(EngineFault, match="start anew"),
    ):
        asyncio.run(_all(scheduler, _job()))
    assert [fault.kind for fault in told] == ["engine_failed"]


def test_closing_ends_what_runs_and_what_waits() -> None:
    network = ToyNetwork()
    network.hook = lambda: time.sleep(0.001)

    async def scene(scheduler: Scheduler) -> None:
        jobs = [_job(letter + TEXT, 10_000) for letter in "abcdef"]
        async with _asking(scheduler, *jobs) as tasks:
            await _until(lambda: scheduler.count.tokens > 4)
            await asyncio.to_thread(scheduler.close)
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, EngineFault) for end in ends)
        with pytest.raises(EngineFault, match="ended"):
            await _all(scheduler, _job())

    with _serving(network) as scheduler:
        asyncio.run(scene(scheduler))
        assert scheduler._model.memory.held == 0


def test_an_asker_whose_loop_has_gone_is_given_up() -> None:
    network = ToyNetwork()
    network.hook = lambda: time.sleep(0.001)

    async def ask_and_forget(scheduler: Scheduler) -> Awaitable[object]:
        given = scheduler.run(_job(TEXT, 10_000))
        await anext(given)
        return given

    with _serving(network) as scheduler:
        loop = asyncio.new_event_loop()
        given = loop.run_until_complete(ask_and_forget(scheduler))
        loop.close()
        asyncio.run(_until(lambda: scheduler.unfinished == 0))
        del given


def test_silence_is_broken_every_two_seconds() -> None:
    gate = _Gate()

    async def scene(scheduler: Scheduler) -> Given:
        async with aclosing(scheduler.run(_job())) as given:
            start = time.monotonic()
            piece = await anext(given)
            assert 1.5 < time.monotonic() - start < 4
            gate.open()
            return piece

    with _serving(gate.network) as scheduler:
        assert asyncio.run(scene(scheduler)) == Piece("")


def test_a_fault_from_outside_ends_all_at_once_though_a_step_is_stuck() -> None:
    gate = _Gate()

    async def scene(scheduler: Scheduler) -> None:
        jobs = [_job(letter + TEXT) for letter in "abc"]
        async with _asking(scheduler, *jobs) as tasks:
            start = time.monotonic()
            scheduler.fail(_failed("A rank is lost."))
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert [str(end) for end in ends] == ["A rank is lost."] * 3
            with pytest.raises(EngineFault, match="A rank is lost"):
                await _all(scheduler, _job())
            await asyncio.to_thread(scheduler.close)
            assert time.monotonic() - start < 3
            assert gate.passed == 0
        gate.open()
        await _until(lambda: scheduler.unfinished == 0)

    with _serving(gate.network, at_once=2) as scheduler:
        asyncio.run(scene(scheduler))


def test_only_the_first_end_of_an_answer_is_told() -> None:
    async def scene() -> None:
        ticket = Ticket(_job())
        for given in (Piece("a"), EngineFault("out_of_memory", "one"), Piece("b"), _failed("two")):
            ticket.give(given)
        given = [await ticket.next() for _ in range(2)]
        assert isinstance(given[1], EngineFault)
        assert str(given[1]) == "one"
        assert await ticket.next() == Piece("")

    asyncio.run(scene())


def _failed(message: str) -> EngineFault:
    return EngineFault("engine_failed", message)
