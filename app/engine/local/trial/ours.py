"""The engine's side of a trial: the very path that a request takes, without the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.model import Model
from app.engine.local.network import Prompt
from app.engine.local.sampler import Choice
from app.engine.local.trial.active import active
from app.engine.local.trial.asked import (
    LEAF,
    PAGE,
    SCREEN,
    going_on,
    pages,
    screenshot,
    spread,
    text,
)
from app.engine.local.trial.profile import launches
from app.engine.local.trial.size import Json, kind_of
from app.engine.local.trial.tell import tell, used
from app.engine.request.turn import Turn
from app.vocabulary import EngineFault

_GREEDY = Choice()
_SAMPLED = Choice(temperature=0.8, top_p=0.95, top_k=50, seed=1)
_LONGEST = 65536  # tokens of context, for memory

Turns: TypeAlias = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is measured, of what: `described` is the model's config.json, `bandwidth` what a
    device reads in bytes a second (0: unknown). `small` asks for less of everything."""

    model: str
    described: Json
    ranks: int
    runs: int
    bandwidth: float
    small: bool

    @property
    def tokens(self) -> int:
        """Of the answer whose pace is measured."""
        return 8 if self.small else 128

    @property
    def contexts(self) -> tuple[int, ...]:
        return (48, 80) if self.small else (256, 4096, 32768)


class Asker:
    """Asks a loaded model, and tells how long it took."""

    def __init__(self, model: Model, wanted: Wanted) -> None:
        self._model, self._wanted = model, wanted
        self._who = f"{wanted.model} on {wanted.ranks}"
        model.defaults = replace(model.defaults, ends=frozenset())  # random weights may write one

    def warm(self) -> None:
        """What a first request compiles and captures."""
        before = time.perf_counter()
        self._first((Turn("user", (text(100, 999),)),), 999)
        list(self._answer(self._prompt(100, 998), 8))
        self._tell("the first two answers of all", "s", [time.perf_counter() - before])

    # --- the parts -------------------------------------------------------------------------------

    def decode(self) -> None:
        for length in self._wanted.contexts:
            prompt = self._prompt(length, 100)
            self._pace(prompt, _GREEDY)  # reads the prompt; what follows goes on from there
            paces = [self._pace(prompt, _GREEDY) for _ in range(self._wanted.runs)]
            self._tell(f"decode at {length}", "tok/s", paces)
            self._tell_share(paces, length)
        prompt = self._prompt(self._wanted.contexts[0], 100)
        paces = [self._pace(prompt, _SAMPLED) for _ in range(self._wanted.runs + 1)]
        self._tell(f"decode at {self._wanted.contexts[0]}, sampled", "tok/s", paces[1:])

    def first(self) -> None:
        for length in self._wanted.contexts[:2]:
            turns = [(Turn("user", (text(length, run),)),) for run in range(self._wanted.runs + 1)]
            self._tell_firsts(f"first token, {length} tokens", turns)

    def picture(self) -> None:
        turns = [(screenshot(run, 200),) for run in range(self._wanted.runs + 1)]
        name = f"first token, a new screenshot of {SCREEN[0]}x{SCREEN[1]} and 200 tokens"
        self._tell_firsts(name, turns)

    def pages(self) -> None:
        count = 2 if self._wanted.small else 10
        turns = [(pages(count, PAGE, run),) for run in range(self._wanted.runs + 1)]
        self._tell_firsts(f"first token, {count} new pages of {PAGE[0]}x{PAGE[1]}", turns)

    def follow(self) -> None:
        count = 2 if self._wanted.small else 30
        turns: Turns = (pages(count, LEAF, 77),)
        self._tell(f"first token, {count} new pages", "s", [self._first(turns, None)])
        times: list[float] = []
        for run in range(self._wanted.runs + 1):
            turns = going_on(turns, run)
            times.append(self._first(turns, None))
        self._tell(f"first token, a question on {count} pages that were read", "s", times[1:])

    def memory(self) -> None:
        """With a conversation as long as the context."""
        longest = min(_LONGEST, self._model.defaults.context) - 16
        self._model.memory.clear()
        list(self._answer(self._prompt(400 if self._wanted.small else longest, 5), 8))
        self._tell(f"memory a GPU at {longest + 16} tokens", "GiB", [used() / 2**30])
        self._model.memory.clear()

    def kernels(self) -> None:
        """Where a decoded token's time goes, on the first GPU."""
        prompt = self._prompt(self._wanted.contexts[0], 100)
        list(self._answer(prompt, 8))
        count = self._wanted.tokens
        for row in launches(lambda: list(self._answer(prompt, count)), count):
            self._tell(f"kernel {row.name}, {row.calls:g} a token", "us", [row.micros])

    # --- one question ----------------------------------------------------------------------------

    def _prompt(self, length: int, run: int) -> Prompt:
        asked = Turn("user", (text(length, run),))
        return spread(self._model.chat.prompt((asked,), {}), run)

    def _tell_firsts(self, what: str, asked: Sequence[Turns]) -> None:
        times = [self._first(turns, run) for run, turns in enumerate(asked)]
        self._tell(what, "s", times[1:])  # the first one warms up

    def _first(self, turns: Turns, run: int | None) -> float:
        """Seconds from the words and the encoded pictures to the first token. The words become
        others in between, with the clock stopped, unless `run` is None."""
        began = time.perf_counter()
        prompt = self._model.chat.prompt(turns, {})
        taken = time.perf_counter() - began
        if run is not None:
            prompt = spread(prompt, run)
        first, *_ = self._answer(prompt, 1)  # to its end, so that what was read is kept
        return taken + first

    def _pace(self, prompt: Prompt, choice: Choice) -> float:
        """Tokens a second behind the first."""
        times = list(self._answer(prompt, 1 + self._wanted.tokens, choice))
        if len(times) <= self._wanted.tokens // 4:  # random weights may only repeat themselves
            raise EngineFault("engine_failed", "An answer ended before it was measured.")
        return (len(times) - 1) / (times[-1] - times[0])

    def _answer(self, prompt: Prompt, count: int, choice: Choice = _GREEDY) -> _Times:
        return _Times(self._model, Job(prompt, count, choice, draft=False))

    # --- what is told ----------------------------------------------------------------------------

    def _tell(self, what: str, unit: str, runs: Sequence[float]) -> None:
        tell(self._who, what, unit, runs)

    def _tell_share(self, paces: Sequence[float], context: int) -> None:
        wanted = self._wanted
        if not wanted.bandwidth:
            return
        size = active(wanted.described, kind_of(wanted.model), ranks=wanted.ranks, context=context)
        shares = [100 * size * pace / wanted.bandwidth for pace in paces]
        self._tell(f"decode at {context}, of the memory's bandwidth", "%", shares)


class _Times:
    """Seconds since the question at which each token of an answer came; goes on as it is asked."""

    def __init__(self, model: Model, job: Job) -> None:
        self._steps = generate(model, job, lambda: False)
        self._began = time.perf_counter()

    def __iter__(self) -> _Times:
        return self

    def __next__(self) -> float:
        for piece in self._steps:
            if not isinstance(piece, Finish) and piece.tokens:
                return time.perf_counter() - self._began
        raise StopIteration


PARTS: dict[str, Callable[[Asker], None]] = {
    "memory": Asker.memory,
    "decode": Asker.decode,
    "first": Asker.first,
    "picture": Asker.picture,
    "pages": Asker.pages,
    "follow": Asker.follow,
    "kernels": Asker.kernels,
}
