"""The built-in model through its own child process: when it is ready, when it answers, how fast it
goes on. Knows no GPU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from app.bench.table import Row
from app.engine.child import EngineChild
from app.engine.client import Client
from app.engine.models import DEFAULT
from app.engine.prompt import compose
from app.settings import folders
from app.vocabulary import (
    Answer,
    Endpoint,
    EngineFault,
    Error,
    Event,
    Frame,
    Message,
    Sampling,
    Source,
    Usage,
)

_TOKENS = 128  # of the long answer whose pace is measured

_PAGE = """Northwind Garden Supplies
14 Mill Lane, Bristol BS1 4QT
INVOICE
Invoice number: 2026-0417
Date: 3 November 2026
Due date: 3 December 2026
Bill to: Harbour Café Ltd, 2 Quay Street, Cardiff
Description Quantity Unit price Amount
Terracotta pots 12 8.50 102.00
Potting soil 25 l 6 11.25 67.50
Garden gloves 4 6.80 27.20
Watering can 5 l 2 18.90 37.80
Plant labels 100 1 7.45 7.45
Delivery 1 15.00 15.00
Subtotal 256.95
VAT 20% 51.39
Total due £308.34
Please pay by bank transfer within 30 days to Northwind Garden Supplies, sort code 20-00-00,
account 12345678, and give the invoice number. Goods remain ours until they are paid for."""
_QUESTION = "What is the total due?"
_STORY = "Write a long story about a lighthouse keeper."


@dataclass(frozen=True, slots=True)
class Run:
    """What one start of the engine showed; seconds, and tokens a second."""

    ready: float
    first_token: float
    stopped: float
    pace: float


def measure(runs: int) -> Sequence[Row]:
    """Starts the engine `runs` times, its model converted before.

    Raises:
        EngineFault: it can't start.
        EndpointFault: it can't be asked.
    """
    return tuple(asyncio.run(_measure(runs)))


async def _measure(runs: int) -> Sequence[Row]:
    await (warm := _child()).start()  # converts the model where that is still to be done
    await warm.stop()
    seen = [await _once() for _ in range(runs)]
    return (
        Row("engine ready", "s", tuple(run.ready for run in seen), at_most=6),
        Row("first token, page of 400 tokens", "s", tuple(r.first_token for r in seen), at_most=5),
        Row("tokens", "1/s", tuple(run.pace for run in seen), at_least=15),
        Row("a stop, and the next answer's first token", "s", tuple(r.stopped for r in seen)),
    )


def _child() -> EngineChild:
    return EngineChild(model=DEFAULT, folder=folders().data, on_progress=lambda _: None)


async def _once() -> Run:
    child, client = _child(), Client()
    began = time.perf_counter()
    try:
        endpoint = await child.start()
        ready = time.perf_counter() - began
        first_token = await _first_token(client, endpoint)
        pace = await _pace(client, endpoint)
        stopped = await _stopped(client, endpoint)
    finally:
        await client.close()
        await child.stop()
    return Run(ready, first_token, stopped, pace)


async def _first_token(client: Client, endpoint: Endpoint) -> float:
    page = Frame(b"", "image/png", 0, 0, Source("picture", "invoice.png"), _PAGE, "ocr")
    asked = compose(endpoint, Message("user", _QUESTION, (page,)), ())
    began = time.perf_counter()
    async with aclosing(client.stream(endpoint, asked, Sampling(max_tokens=8))) as events:
        async for event in events:
            if isinstance(_sound(event), Answer):
                return time.perf_counter() - began
    raise EngineFault("engine_failed", "The engine gave no answer to measure.")


async def _pace(client: Client, endpoint: Endpoint) -> float:
    """Tokens a second from the first token on; one seed, so that each run writes the same."""
    sampling = Sampling(max_tokens=_TOKENS, temperature=0.8, seed=1)
    asked = (Message("user", _STORY),)
    first, tokens = 0.0, 0
    async with aclosing(client.stream(endpoint, asked, sampling)) as events:
        async for event in events:
            if isinstance(_sound(event), Answer):
                first = first or time.perf_counter()
            if isinstance(event, Usage):
                tokens = event.completion
    return (tokens - 1) / (time.perf_counter() - first)


async def _stopped(client: Client, endpoint: Endpoint) -> float:
    """From hanging up on a long answer to the end of another's first token."""
    asked = (Message("user", _STORY),)
    async with aclosing(client.stream(endpoint, asked, Sampling(max_tokens=2000))) as events:
        async for event in events:
            if isinstance(_sound(event), Answer):
                break
    began = time.perf_counter()
    async with aclosing(client.stream(endpoint, asked, Sampling(max_tokens=1))) as events:
        async for event in events:
            _sound(event)
    return time.perf_counter() - began


def _sound(event: Event) -> Event:
    if isinstance(event, Error):
        raise EngineFault(event.kind, event.message, event.detail)
    return event
