"""One asker's place: what was asked, what has come of it, and how it gets from the thread that
works to the loop that asks."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TypeAlias

from app.engine.local.job import Finish, Job, Piece
from app.vocabulary import Fault

_SILENCE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job waits; `position` 1 is the next one to begin."""

    position: int


Given: TypeAlias = Piece | Waiting | Finish


class Ticket:
    """Made on the asker's loop. What is given waits there until it is fetched: a slow reader holds
    nobody up."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Given | Fault] = asyncio.Queue()
        self._gone = threading.Event()
        self._giving = threading.Lock()
        self._over = False
        self._told: int | None = None

    # --- the asker's side -------------------------------------------------------------------

    async def next(self) -> Given | Fault:
        """What comes next, an empty piece after two seconds without any."""
        try:
            async with asyncio.timeout(_SILENCE):
                return await self._pieces.get()
        except TimeoutError:
            return Piece("")

    def leave(self) -> None:
        self._gone.set()

    # --- the working thread's side, and that of whoever sees it stuck -------------------------

    @property
    def gone(self) -> bool:
        """Whether the asker has left."""
        return self._gone.is_set()

    def give(self, given: Given | Fault) -> None:
        """Finish or a Fault ends it: nothing that is given behind it arrives."""
        with self._giving:
            if self._over:
                return
            self._over = isinstance(given, Finish | Fault)
            try:
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, given)
            except RuntimeError:  # the loop is closed, and with it the asker
                self._gone.set()

    def stand(self, position: int) -> None:
        """Tell the place in line where it is news."""
        if position != self._told:
            self._told = position
            self.give(Waiting(position))
