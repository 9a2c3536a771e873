"""The engine's side of a trial: the very path that a request takes, without the network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.model import Loading, Model, load
from app.engine.local.sampler import Choice
from app.engine.local.trial.asked import QUESTION, SCREEN, screenshot, text
from app.engine.local.trial.tell import held, tell, timed, wait
from app.engine.request.turn import Turn
from app.vocabulary import EngineFault, Frame, Source

WHO = "sightline"


def measure(folder: Path, lengths: Sequence[int], *, runs: int, tokens: int) -> None:
    """Load the model, time first tokens behind new prompts, then the pace of `tokens` more."""
    began = time.perf_counter()
    model = load(Loading("trial", folder))
    wait()
    tell(WHO, "load", "s", [time.perf_counter() - began])
    tell(WHO, "memory after load", "GB", [held()])
    model.defaults = replace(model.defaults, ends=frozenset())  # random weights may write one
    for length in lengths:
        turns = [Turn("user", (text(length, run),)) for run in range(runs + 1)]
        tell(WHO, f"first token, {length} tokens", "s", _firsts(model, turns))
    seen = [_screen(run) for run in range(runs + 1)]
    tell(WHO, f"first token, a new picture of {SCREEN[0]}x{SCREEN[1]}", "s", _firsts(model, seen))
    tell(WHO, "tokens", "1/s", [_pace(model, run, tokens) for run in range(runs)])


def _firsts(model: Model, turns: Sequence[Turn]) -> list[float]:
    times = [timed(lambda t=turn: _answer(model, t, 1)) for turn in turns]  # type: ignore[misc]
    return times[1:]  # the first one warms up


def _screen(run: int) -> Turn:
    frame = Frame(screenshot(run), "image/png", *SCREEN, Source("screen", ""))
    return Turn("user", (frame, QUESTION))


def _answer(model: Model, asked: Turn, count: int) -> None:
    job = Job(model.chat.prompt((asked,), {}), count, Choice(), draft=False)
    for piece in generate(model, job, lambda: False):
        if isinstance(piece, Finish) and piece.usage.completion != count:
            raise EngineFault("engine_failed", "The answer ended before it was measured.")


def _pace(model: Model, run: int, tokens: int) -> float:
    """Tokens a second; the prompt was read before, so both times hold the same little of it."""
    asked = Turn("user", (text(256, 100 + run),))
    _answer(model, asked, 1)
    one = timed(lambda: _answer(model, asked, 1))
    return tokens / (timed(lambda: _answer(model, asked, 1 + tokens)) - one)
