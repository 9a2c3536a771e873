"""What happens when a GPU is really full; without a GPU there is nothing to see here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing

import pytest
import torch
from toy import ToyNetwork, ToyState, asked, toy

from app.engine.local.generate import Finish, Job
from app.engine.local.room import Room
from app.engine.local.sampler import Choice
from app.engine.local.scheduler import Given, Scheduler
from app.vocabulary import EngineFault

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

BLOCK = 2**24  # bytes that a token takes
ALLOWED = 100 * BLOCK


class _Heavy(ToyState):
    """A state whose tokens really take the GPU's memory."""

    def __init__(self, network: ToyNetwork, read: Sequence[int] = ()) -> None:
        self._blocks: list[torch.Tensor] = []
        super().__init__(network, read)

    def add(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            self._blocks.append(torch.empty(BLOCK, dtype=torch.uint8, device="cuda"))
            super().add((token,))

    @property
    def bytes(self) -> int:
        return len(self._blocks) * BLOCK


class _HeavyNetwork(ToyNetwork):
    device = torch.device("cuda", 0)
    token_bytes = BLOCK

    def begin(self) -> ToyState:
        return _Heavy(self)


@pytest.fixture
def little() -> Iterator[None]:
    """A GPU of which this process may take little."""
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(ALLOWED / whole)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


async def _all(scheduler: Scheduler, job: Job) -> list[Given]:
    async with aclosing(scheduler.run(job)) as given:
        return [piece async for piece in given]


@pytest.mark.usefixtures("little")
def test_a_gpu_that_is_full_fails_one_job_and_serves_the_next() -> None:
    network = _HeavyNetwork()
    scheduler = Scheduler(toy(network, room=Room(10**12, 10**12)))

    async def scene() -> None:
        before = torch.cuda.memory_allocated()
        await _all(scheduler, Job(asked("a" * 50), 10, Choice()))
        with pytest.raises(EngineFault, match="Memory ran out") as caught:
            await _all(scheduler, Job(asked("b" * 200), 10, Choice()))
        assert "out of memory" in caught.value.detail
        assert torch.cuda.memory_allocated() == before
        assert torch.cuda.memory_reserved() < before + ALLOWED / 4
        *_, finish = await _all(scheduler, Job(asked("c" * 80), 10, Choice()))
        assert isinstance(finish, Finish)
        assert finish.usage.completion == 10

    try:
        asyncio.run(scene())
    finally:
        scheduler.close()
