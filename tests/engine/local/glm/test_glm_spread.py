"""Models of the GLM family over several processes, from the folder to the answer."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import psutil
import pytest
import torch
from checkpoints import write
from pictures import picture

from app.engine.local.generate import Finish, generate
from app.engine.local.job import Job, Piece
from app.engine.local.model import Loading, Model, load
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice
from app.engine.local.scheduler import Scheduler
from app.engine.request.turn import Turn
from app.vocabulary import EngineFault


@contextmanager
def _spread(folder: Path) -> Iterator[tuple[Model, Spread]]:
    model = load(Loading("m", folder, dtype=torch.float32, ranks=2))
    assert isinstance(model.network, Spread)
    try:
        yield model, model.network
    finally:
        model.network.close()


def _answer(model: Model, *turns: Turn, count: int = 24) -> tuple[str, Finish]:
    prompt = model.chat.prompt(turns, {})
    *pieces, finish = generate(model, Job(prompt, count, Choice()), lambda: False)
    assert isinstance(finish, Finish)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece)), finish


def test_eyes_and_experts_answer_over_two_ranks_as_on_one_until_one_is_killed(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path / "m", "glm4v_moe")
    asked = Turn("user", (picture(120, 200), "What is this?"))
    one = load(Loading("m", folder, gpus=0, dtype=torch.float32))
    with _spread(folder) as (model, network):
        said, _ = _answer(model, asked)
        again = (asked, Turn("assistant", (said,)), Turn("user", ("And now?",)))
        assert said == _answer(one, asked)[0]
        follow_up, finish = _answer(model, *again)
        assert follow_up == _answer(one, *again)[0]
        assert finish.usage.cached > 40  # neither rank read the picture twice
        assert "SIGKILL" in asyncio.run(_killed(model, network)).detail
    assert not any(psutil.pid_exists(pid) for pid in network.crew.pids)


def test_a_guessing_layer_guesses_alike_on_all_ranks(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", "glm4_moe-mtp")
    asked = Turn("user", ("Count.",))
    one = load(Loading("m", folder, gpus=0, dtype=torch.float32))
    with _spread(folder) as (model, _):
        assert _answer(model, asked)[0] == _answer(one, asked)[0]


async def _killed(model: Model, network: Spread) -> EngineFault:
    """What an asker is told whose rank is killed in the middle of the answer."""
    scheduler = Scheduler(model)
    network.crew.tell(scheduler.fail)
    prompt = model.chat.prompt([Turn("user", ("A long story.",))], {})
    try:
        async with aclosing(scheduler.run(Job(prompt, 4000, Choice(temperature=1)))) as given:
            await anext(given)
            os.kill(network.crew.pids[0], signal.SIGKILL)
            with pytest.raises(EngineFault) as caught:
                async for _ in given:
                    pass
        return caught.value
    finally:
        await asyncio.to_thread(scheduler.close)
