"""Ranks that die, hang or run out of memory: one clear end for whoever asked, and nothing left."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

import psutil
import pytest
from split import QUICK, spread, spread_model
from toy import asked

from app.engine.local.job import Job, Piece
from app.engine.local.ranks.limits import Limits
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice
from app.engine.local.scheduler import Scheduler
from app.vocabulary import EngineFault

Harm = Callable[[Spread], None]
PROMPTLY = 5.0  # seconds


def _ends(
    *, before: Harm = lambda _: None, amid: Harm = lambda _: None, limits: Limits = QUICK
) -> EngineFault:
    """Do harm before two answers, or in the middle of them; the one fault that both end with. What
    is asked later ends with it too, and no process is left."""
    network = spread(2, limits=limits)
    network.call("slow", 0.01)
    before(network)
    scheduler = Scheduler(spread_model(network))
    network.crew.tell(scheduler.fail)

    async def ask(text: str, begun: asyncio.Event) -> None:
        async with aclosing(scheduler.run(Job(asked(text), 5000, Choice()))) as given:
            async for piece in given:
                if isinstance(piece, Piece) and piece.text:
                    begun.set()

    async def scene() -> list[EngineFault]:
        begun = [asyncio.Event() for _ in range(2)]
        asking = [asyncio.create_task(ask("ab"[n], begun[n])) for n in range(2)]
        await asyncio.gather(*(one.wait() for one in begun))
        start = time.monotonic()
        amid(network)
        ends = await asyncio.gather(*asking, return_exceptions=True)
        assert time.monotonic() - start < PROMPTLY
        late = await asyncio.gather(ask("c", begun[0]), return_exceptions=True)
        return [end for end in [*ends, *late] if isinstance(end, EngineFault)]

    try:
        first, second, late = asyncio.run(scene())
        assert first.message == second.message == late.message
    finally:
        scheduler.close()
        network.close()
    assert not any(psutil.pid_exists(pid) for pid in network.crew.pids)
    return first


def test_a_rank_that_is_killed() -> None:
    fault = _ends(amid=lambda network: os.kill(network.crew.pids[0], signal.SIGKILL))
    assert fault.kind == "out_of_memory"
    assert "killed a part of the engine" in fault.message
    assert fault.detail == "rank 1 of 2: SIGKILL"


def test_a_rank_that_is_stopped() -> None:
    fault = _ends(amid=lambda network: os.kill(network.crew.pids[0], signal.SIGSTOP))
    assert fault.kind == "engine_failed"
    assert "does not answer" in fault.message
    assert "rank 1 is silent" in fault.detail


def test_a_rank_that_lives_and_does_not_come_to_an_end() -> None:
    limits = replace(QUICK, step=1.5)
    fault = _ends(before=lambda network: network.call("arm", "stuck", (1,), 40), limits=limits)
    assert fault.kind == "engine_failed"
    assert "does not answer" in fault.message
    assert "takes too long" in fault.detail


@pytest.mark.parametrize("rank", [0, 1])
def test_memory_that_runs_out_on_one_rank_alone(rank: int) -> None:
    fault = _ends(before=lambda network: network.call("arm", "memory", (rank,), 40))
    assert fault.kind == "out_of_memory"
    assert "memory of one part of the engine ran out" in fault.message
    assert fault.detail == f"rank {rank}: MemoryError: no room for keys"
