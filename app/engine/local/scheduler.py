"""Whose turn it is: one answer at a time on one thread, first come, first served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor

import torch

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.generic import Model
from app.vocabulary import EngineFault

Piece = str | Finish
Give = Callable[[str | Finish | EngineFault], None]


_SILENCE = 2.0  # seconds


class Scheduler:
    """Runs jobs on the model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generate")
        self._unfinished = 0

    async def run(self, job: Job) -> AsyncGenerator[Piece, None]:
        """The pieces of the answer, an empty one after each two seconds without any. Closing it
        stops the work before its next token.

        Raises EngineFault("out_of_memory" | "engine_failed").
        """
        pieces: asyncio.Queue[Piece | EngineFault] = asyncio.Queue()
        stopped = threading.Event()
        loop = asyncio.get_running_loop()

        def give(piece: Piece | EngineFault) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        self._unfinished += 1
        work = loop.run_in_executor(self._thread, self._work, job, stopped, give)
        work.add_done_callback(self._finished)
        try:
            while True:
                piece = await _next(pieces)
                if isinstance(piece, EngineFault):
                    raise piece
                yield piece
                if isinstance(piece, Finish):
                    return
        finally:
            stopped.set()
            work.cancel()  # one that has not begun will not

    @property
    def unfinished(self) -> int:
        """Jobs that wait or run; one that was stopped counts until its last token is done."""
        return self._unfinished

    def _finished(self, _: asyncio.Future[None]) -> None:
        self._unfinished -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _work(self, job: Job, stopped: threading.Event, give: Give) -> None:
        if stopped.is_set():
            return
        try:
            for piece in generate(self._model, job, stopped.is_set):
                if stopped.is_set():
                    return
                give(piece)
        except (torch.OutOfMemoryError, MemoryError) as error:
            message = "The model ran out of memory; send fewer pages, or choose a smaller model."
            give(EngineFault("out_of_memory", message, str(error)))
        except Exception as error:  # the end of a stream: whatever it was, the asker is told
            message = "The engine failed while it answered; try again."
            give(EngineFault("engine_failed", message, f"{type(error).__name__}: {error}"))


async def _next(pieces: asyncio.Queue[str | Finish | EngineFault]) -> str | Finish | EngineFault:
    try:
        return await asyncio.wait_for(pieces.get(), _SILENCE)
    except TimeoutError:
        return ""
