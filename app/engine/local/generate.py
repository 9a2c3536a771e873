"""One answer, step by step: read the prompt, then choose tokens and read them until an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import torch

from app.engine.local.job import Chosen, Finish, Job, Piece, Reason
from app.engine.local.memory import Held
from app.engine.local.model import Model
from app.engine.local.network import Chain
from app.engine.local.speculate import Guesses, Lookup
from app.engine.local.writing import Writing
from app.vocabulary import Usage

__all__ = ["Chosen", "Finish", "Job", "Piece", "Reason", "generate"]

Cancelled = Callable[[], bool]

_SOON, _LONG_REST = 4, 63  # tokens: a chain that ends so soon is left alone for a while
_AHEAD = 512  # tokens that the device may choose before it is told how again


def generate(model: Model, job: Job, cancelled: Cancelled) -> Generator[Piece | Finish, None, None]:
    """The answer in pieces, one a step, then one Finish. Between steps it heeds `cancelled`, can
    be closed, and another answer can go on.

    Raises EngineFault("out_of_memory"), and whatever the network does.
    """
    start = time.monotonic()
    with model.memory.hold(job.prompt, job.max_tokens) as held:
        writing = Writing(model, job, held.written)
        reason = yield from _Answer(model, job, held).steps(writing, cancelled)
        if reason != "cancelled" and (rest := writing.rest()).text:
            yield rest
    seconds = time.monotonic() - start
    usage = Usage(len(job.prompt.tokens), len(held.written), held.cached, seconds)
    yield Finish(reason, usage)


class _Answer:
    """Feeds the network with one conversation."""

    def __init__(self, model: Model, job: Job, held: Held) -> None:
        self._network, self._pace = model.network, model.pace
        self._job, self._held = job, held
        self._guesses = Guesses()
        self._rest = self._wait = 0  # tokens that are chosen here before the device tries again

    def steps(self, writing: Writing, cancelled: Cancelled) -> Generator[Piece, None, Reason]:
        """A piece after each step; returns why it ended."""
        rows = yield from self._prompt(cancelled)
        if rows is None:
            return "cancelled"
        guesses: tuple[int, ...] = ()
        while True:
            due = writing.due()
            if due:
                rows = self._write(writing, due, rows)
            else:
                writing.walk(rows, guesses)
                self._wind_back()
            yield writing.piece()
            if writing.reason:
                return writing.reason
            if cancelled():
                return "cancelled"
            if due:
                continue
            if reason := (yield from self._run_on(writing, cancelled)):
                return reason
            guesses = self._guess(writing)
            rows = self._step((writing.written[-1], *guesses))

    def _run_on(
        self, writing: Writing, cancelled: Cancelled
    ) -> Generator[Piece, None, Reason | None]:
        """Let the device go on by itself while it can; returns why the answer is over, None where
        the next token has to be chosen here."""
        chain = self._chain(writing)
        if chain is None:
            return None
        before = len(writing.written)
        try:
            while not writing.is_due and (token := chain.next()) is not None:
                writing.take(token)
                yield writing.piece()
                if writing.reason or cancelled():
                    return writing.reason or "cancelled"
        finally:
            chain.close()
            self._wind_back()
        # where all words are about as likely, the device finds too many to choose from
        lost = len(writing.written) - before < _SOON and not writing.is_due
        self._rest = self._wait = min(2 * self._rest + 1, _LONG_REST) if lost else 0
        return None

    def _chain(self, writing: Writing) -> Chain | None:
        if self._wait:
            self._wait -= 1
            return None
        drawing = None if self._job.lookup else writing.drawing(_AHEAD)
        if drawing is None:
            return None
        return self._network.chain(self._held.state, writing.written[-1], drawing)

    def _prompt(self, cancelled: Cancelled) -> Generator[Piece, None, torch.Tensor | None]:
        """Reads the prompt; the logits [1, V] behind it, None where it was cancelled first."""
        last = None
        for logits in self._parts():
            yield Piece("")
            if cancelled():
                return None
            last = logits[None]
        if self._job.draft:
            lookup = Lookup(self._job.prompt.keys, self._job.lookup) if self._job.lookup else None
            self._guesses = Guesses(lookup, self._network.drafter(self._held.state))
        return last

    def _parts(self) -> Iterator[torch.Tensor]:
        """Reads what is left of the prompt; the logits [V] behind each part."""
        state, prompt = self._held.state, self._job.prompt
        while (left := len(prompt.tokens) - state.length) > 0:
            start, before = time.perf_counter(), state.length
            logits = self._network.read(state, prompt, min(left, self._pace.part))
            if logits.is_cuda:
                torch.cuda.synchronize(logits.device)  # else only its start would be timed
            self._pace.note(state.length - before, time.perf_counter() - start)
            yield logits

    def _guess(self, writing: Writing) -> tuple[int, ...]:
        return () if writing.is_due else self._guesses.next(writing.written, writing.room - 1)

    def _step(self, tokens: tuple[int, ...]) -> torch.Tensor:
        return self._network.step(self._held.state, tokens)  # [T, V]

    def _write(self, writing: Writing, due: tuple[int, ...], rows: torch.Tensor) -> torch.Tensor:
        """Read tokens that must follow as if they had been chosen; the logits [1, V] behind."""
        after = self._step(due)
        writing.write(due, torch.cat([rows[-1:], after[:-1]]))
        return after[-1:]

    def _wind_back(self) -> None:
        """Take guesses that were wrong out of the state: the last token written is the next one
        to be read."""
        held = self._held
        length = len(self._job.prompt.tokens) + len(held.written) - 1
        if held.state.length > length and not held.state.keep(length):
            self._guesses.stop()
            self._read_again()

    def _read_again(self) -> None:
        held = self._held
        held.state = self._network.begin()
        for _ in self._parts():
            pass
        if len(held.written) > 1:
            self._step(tuple(held.written[:-1]))
