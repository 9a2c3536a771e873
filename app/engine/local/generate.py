"""One answer, token by token: read the prompt, then choose, read and decode until an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch

from app.engine.local.generic import Model
from app.engine.local.sampler import Choice, Given, Sampler, loops
from app.engine.local.text import Detokeniser, Stops
from app.vocabulary import Usage

Reason = Literal["stop", "length", "cancelled"]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """What to generate: a prompt that fits the model with `max_tokens` behind it."""

    prompt: tuple[int, ...]
    max_tokens: int
    choice: Choice
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer."""

    reason: Reason
    usage: Usage


def generate(model: Model, job: Job, cancelled: Cancelled) -> Iterator[str | Finish]:
    """The answer's text in pieces, then one Finish.

    Heeds `cancelled` between tokens, and between the parts in which the prompt is read.
    """
    start = time.monotonic()
    cached = model.recall(job.prompt)
    written: list[int] = []
    logits = _prefill(model, job.prompt[cached:], cancelled)
    if logits is None:
        reason: Reason = "cancelled"
    else:
        reason = yield from _decode(model, job, logits, written, cancelled)
    seconds = time.monotonic() - start
    yield Finish(reason, Usage(len(job.prompt), len(written), cached, seconds))


def _prefill(model: Model, tokens: tuple[int, ...], cancelled: Cancelled) -> torch.Tensor | None:
    """The logits [V] behind the prompt; None where it was cancelled first."""
    last = None
    for logits in model.read(tokens):
        if cancelled():
            return None
        last = logits
    return last


def _written(model: Model) -> Callable[[int], str]:
    """How a token is written; decoded once an answer, since each next token asks for all."""
    return cache(lambda token: model.chat.decode((token,)))


def _decode(
    model: Model, job: Job, logits: torch.Tensor, written: list[int], cancelled: Cancelled
) -> Generator[str | Finish, None, Reason]:
    """Pieces of text; returns why it ended. `written` collects the tokens."""
    sampler, characters, stops = (
        Sampler(job.choice, Given(job.prompt, _written(model))),
        Detokeniser(model.chat.decode),
        Stops(job.stop),
    )
    reason: Reason = "length"
    while len(written) < job.max_tokens:
        if cancelled():
            return "cancelled"
        token = sampler.next(logits, written)
        written.append(token)
        if token in model.defaults.ends:
            reason = "stop"
            break
        if piece := stops.feed(characters.feed(token)):
            yield piece
        if stops.hit or loops(written, model.defaults.repeat):
            reason = "stop"
            break
        if len(written) < job.max_tokens:
            logits = model.step([token])
    if rest := stops.feed(characters.close()) + stops.close():
        yield rest
    return reason
