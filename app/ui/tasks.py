"""The one place where background work is started, held and ended; knows nothing of what it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from app.vocabulary import Error, Fault

log = logging.getLogger(__name__)


class Tasks:
    """Holds every running task, tells `failed` what went wrong in one, and can end them all."""

    def __init__(self, failed: Callable[[Error], None]) -> None:
        self.failed = failed
        self._running: set[asyncio.Task[None]] = set()
        self._kept: set[asyncio.Task[None]] = set()

    def spawn(
        self, work: Coroutine[object, object, None], name: str, *, kept: bool = False
    ) -> asyncio.Task[None]:
        """Starts `work`; what is `kept` is a thing the user was told is done, and no end of the
        program cancels it."""
        task = asyncio.get_running_loop().create_task(self._guard(work), name=name)
        self._running.add(task)
        if kept:
            self._kept.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(self._kept.discard)
        # cancelled before its first step, the work itself was never begun
        task.add_done_callback(lambda _: work.close())
        return task

    async def _guard(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except Fault as fault:
            log.warning("%s: %s %s", fault.kind, fault.message, fault.detail)
            self.failed(fault.as_error())
        except Exception as error:
            log.exception("a background task failed")
            self.failed(
                Error(
                    "failed", "Something failed inside Sightline; the log says what.", repr(error)
                )
            )

    async def end(self) -> None:
        """Cancels what runs, but for what is kept, and waits until all has ended."""
        for task in self._running - self._kept:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
