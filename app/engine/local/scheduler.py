"""Whose turn it is: up to four answers at once, step by step on one thread; the others wait."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from dataclasses import dataclass

import torch

from app.engine.local.generate import Finish, Job, Piece, generate
from app.engine.local.model import Model
from app.engine.local.room import free_bytes, is_no_memory, ran_out
from app.engine.local.ticket import Given, Ticket, Waiting
from app.vocabulary import EngineFault, Fault

__all__ = ["Count", "Given", "Scheduler", "Waiting"]

AT_ONCE = 4  # answers that take turns
LINE = 64  # jobs that may wait
_PATIENCE = 0.5  # seconds for a thread that may never come back


@dataclass(frozen=True, slots=True)
class Count:
    """What the engine does: answers on their way, jobs in line, tokens written since it began."""

    running: int
    waiting: int
    tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """An answer on its way."""

    ticket: Ticket
    steps: Generator[Piece | Finish, None, None]


class Scheduler:
    """Runs jobs on the model, in the order in which they came; those that run take turns step by
    step. `broken` is told, on the working thread, of a device that can't go on."""

    def __init__(
        self,
        model: Model,
        *,
        at_once: int = AT_ONCE,
        line: int = LINE,
        broken: Callable[[EngineFault], None] = lambda _: None,
    ) -> None:
        self._model = model
        self._at_once, self._most_waiting = at_once, line
        self._broken = broken
        self._changed = threading.Condition()  # guards what follows
        self._waiting: list[Ticket] = []
        self._running: list[_Turn] = []
        self._closing = False
        self._lost: EngineFault | None = None
        self._tokens = 0
        self._thread = threading.Thread(target=self._work, name="generate")

    async def run(self, job: Job) -> AsyncGenerator[Given, None]:
        """Where the job stands in line while it waits, then the pieces of the answer, an empty one
        after each two seconds without any, then Finish. Closing it stops the work before its next
        step.

        Raises Fault: "rate_limited" where the line is full, "out_of_memory", "engine_failed", or
        what is wrong with the prompt.
        """
        ticket = Ticket(job)
        self._join(ticket)
        try:
            while True:
                given = await ticket.next()
                if isinstance(given, Fault):
                    raise given
                yield given
                if isinstance(given, Finish):
                    return
        finally:
            ticket.leave()
            self._wake()

    @property
    def count(self) -> Count:
        with self._changed:
            return Count(len(self._running), len(self._waiting), self._tokens)

    @property
    def unfinished(self) -> int:
        """Jobs that wait or run; one that was stopped counts until its last step is done."""
        count = self.count
        return count.running + count.waiting

    def fail(self, fault: EngineFault) -> None:
        """End every job with `fault`, now and from any thread: the working one may be stuck in a
        step for ever. Those that come later end with it too."""
        with self._changed:
            self._closing, self._lost = True, fault
            left = [*self._waiting, *(turn.ticket for turn in self._running)]
            self._changed.notify()
        for ticket in left:
            ticket.give(fault)

    def close(self) -> None:
        """Stop all work; the jobs that are left fail. After `fail` nobody waits for the end of a
        step."""
        with self._changed:
            self._closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(None if self._lost is None else _PATIENCE)

    def _join(self, ticket: Ticket) -> None:
        with self._changed:
            if self._closing:
                raise self._lost or _ended()
            if len(self._waiting) >= self._most_waiting:
                raise _line_is_full(len(self._waiting))
            if not self._thread.is_alive():
                self._thread.start()
            self._waiting.append(ticket)
        self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    # --- on the thread ----------------------------------------------------------------------

    def _work(self) -> None:
        with torch.inference_mode():
            while self._go_on():
                for turn in tuple(self._running):
                    self._step(turn)
            for turn in tuple(self._running):
                self._end(turn, _ended())
        for ticket in self._waiting:
            ticket.give(_ended())
        self._waiting = []

    def _go_on(self) -> bool:
        """Wait for something to do and let in the next; False once it is closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._running or self._line() or self._closing)
            while self._line() and self._fits(self._waiting[0]):
                ticket = self._waiting.pop(0)
                steps = generate(self._model, ticket.job, lambda: False)
                self._running.append(_Turn(ticket, steps))
            for place, ticket in enumerate(self._waiting, 1):
                ticket.stand(place)
            return not self._closing

    def _line(self) -> list[Ticket]:
        """Those who wait and are still there."""
        self._waiting = [ticket for ticket in self._waiting if not ticket.gone]
        return self._waiting

    def _fits(self, ticket: Ticket) -> bool:
        if len(self._running) >= self._at_once:
            return False
        others = sum(turn.ticket.job.tokens for turn in self._running)
        return not self._model.memory.must_wait(ticket.job.tokens, others)

    def _step(self, turn: _Turn) -> None:
        if turn.ticket.gone:
            self._end(turn)
            return
        memory_ran_out = False
        try:
            given: Piece | Finish | Fault = next(turn.steps)
        except Exception as error:  # the end of a stream: whatever it was, the asker is told
            memory_ran_out = is_no_memory(error)
            given = self._fault(error, turn.ticket.job)
        if memory_ran_out:  # and the error is gone, with all that its frames held
            self._release()
        if not isinstance(given, Piece):
            self._end(turn, given)
            return
        self._tokens += given.tokens
        if given.text or given.chosen:
            turn.ticket.give(given)

    def _end(self, turn: _Turn, last: Finish | Fault | None = None) -> None:
        """Take it out, with its state given back, and only then tell its asker."""
        with suppress(Fault):  # of ranks that are lost, and said so
            turn.steps.close()
        with self._changed:
            self._running.remove(turn)
        if last is not None:
            turn.ticket.give(last)

    def _release(self) -> None:
        """Make room after memory ran out: the guess of how much there is was too high."""
        self._model.memory.clear()
        if self._model.network.device.type == "cuda":
            torch.cuda.empty_cache()

    def _fault(self, error: Exception, job: Job) -> Fault:
        if isinstance(error, Fault):
            return error.with_traceback(None)
        detail = f"{type(error).__name__}: {error}"
        if is_no_memory(error):
            left = free_bytes(self._model.network.device)
            return ran_out(self._model.memory.need(job.tokens), left, detail)
        if not isinstance(error, torch.AcceleratorError):
            return EngineFault("engine_failed", "The engine failed while it answered.", detail)
        fault = EngineFault(
            "engine_failed", "The GPU failed; the engine has to start anew.", detail
        )
        self._broken(fault)
        return fault


def _ended() -> EngineFault:
    return EngineFault("engine_failed", "The engine was ended; start it again.")


def _line_is_full(count: int) -> EngineFault:
    return EngineFault(
        "rate_limited", f"{count} questions are waiting already; ask again in a while."
    )
