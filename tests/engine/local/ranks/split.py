"""A small network that is really split over ranks: each has some columns of its matrix and some
rows of its head, so that every token needs all of them. And ways to make one of them fail."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from toy import TOKEN_BYTES, VOCABULARY, ToyChat, toy

from app.engine.local.model import Model
from app.engine.local.network import Drafter, Prompt, State
from app.engine.local.ranks.crew import Crew
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.ranks.limits import Limits
from app.engine.local.ranks.spread import Spread
from app.vocabulary import EndpointFault, EngineFault

WIDTH = 24  # divisible by 1, 2, 3, 4
QUICK = Limits(load=60, read=20, silence=2, beat=0.1, agree=1.5)

Mishap = Literal["memory", "bad", "stuck"]


@dataclass(frozen=True, slots=True)
class Given:
    """What every rank is told; `fails` is the rank that can't load."""

    seed: int = 0
    fails: int | None = None


class SplitState:
    """What was read: the hidden state [H] behind each token."""

    def __init__(self, hidden: Sequence[torch.Tensor] = ()) -> None:
        self.hidden = list(hidden)

    @property
    def length(self) -> int:
        return len(self.hidden)

    @property
    def bytes(self) -> int:
        return self.length * TOKEN_BYTES

    def keep(self, length: int) -> bool:
        del self.hidden[length:]
        return True

    def copy(self, length: int) -> SplitState:
        return SplitState(self.hidden[:length])


class Split:
    device = torch.device("cpu")
    token_bytes = TOKEN_BYTES

    def __init__(self, given: Given, group: Group) -> None:
        self._group = group
        chance = torch.Generator().manual_seed(given.seed)

        def part(rows: int, columns: int, dim: int) -> torch.Tensor:
            whole = torch.randn(rows, columns, generator=chance, dtype=torch.float64)
            return whole.tensor_split(group.count, dim)[group.rank]

        self._words = torch.randn(VOCABULARY, WIDTH, generator=chance, dtype=torch.float64)
        self._columns = part(WIDTH, WIDTH, 1) * WIDTH**-0.5
        self._head = torch.randn(VOCABULARY, WIDTH, generator=chance, dtype=torch.float64)
        self._mix = part(WIDTH, WIDTH, 0)  # rows of what is gathered, where V would not divide
        self._mishaps: dict[int, Mishap] = {}  # by the number of tokens until then
        self._read_so_far = 0
        self.pause = 0.0  # seconds that a token takes
        self.shown: list[Prompt] = []  # at each reading
        self.states: weakref.WeakSet[SplitState] = weakref.WeakSet()

    def begin(self) -> SplitState:
        state = SplitState()
        self.states.add(state)
        return state

    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        self.shown.append(prompt)
        return self._read(state, prompt.tokens[state.length :][:count])[-1]

    def step(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        return self._read(state, tokens)

    def drafter(self, state: State) -> Drafter | None:
        return None

    def chain(self, state: State, token: int, drawing: object) -> SplitChain | None:
        return SplitChain(self, state, token)

    # --- for the tests ------------------------------------------------------------------------

    def arm(self, mishap: Mishap, ranks: Sequence[int], after: int = 0) -> None:
        """Have the reading of a token go wrong on these ranks, `after` so many others."""
        if self._group.rank in ranks:
            self._mishaps[self._read_so_far + after] = mishap

    def slow(self, seconds: float) -> None:
        self.pause = seconds

    def lengths(self, state: State) -> list[int]:
        """What each rank's own state has read."""
        return self._group.gather(torch.tensor([state.length])).tolist()

    def prompts(self) -> list[int]:
        """How many prompts each rank was shown, each one counted once, since it was asked last."""
        count = len({id(prompt) for prompt in self.shown})
        self.shown.clear()
        return self._group.gather(torch.tensor([count])).tolist()

    def held(self) -> list[int]:
        """How many states, copies left out, each rank holds."""
        return self._group.gather(torch.tensor([len(self.states)])).tolist()

    def _read(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        assert isinstance(state, SplitState)
        hidden = state.hidden[-1] if state.hidden else torch.zeros(WIDTH, dtype=torch.float64)
        read, logits = [], []
        for token in tokens:
            time.sleep(self.pause)
            mine = (hidden + self._words[token]).tensor_split(self._group.count)[self._group.rank]
            mishap = self._mishaps.pop(self._read_so_far, None)
            self._read_so_far += 1
            if mishap is not None:
                _happen(mishap)
            hidden = torch.tanh(self._group.sum(self._columns @ mine))
            read.append(hidden)
            logits.append(self._head @ self._group.gather(self._mix @ hidden))
        state.hidden += read
        return torch.stack(logits).float()  # [T, V]


class SplitChain:
    """Chooses the likeliest token each time."""

    def __init__(self, network: Split, state: State, token: int) -> None:
        self._network, self._state, self._token = network, state, token

    def next(self) -> int | None:
        self._token = int(self._network.step(self._state, [self._token])[0].argmax())
        return self._token

    def close(self) -> None:
        pass


def _happen(mishap: Mishap) -> None:
    match mishap:
        case "memory":
            raise MemoryError("no room for keys")
        case "bad":
            raise EndpointFault("bad_request", "This picture is damaged.")
        case "stuck":
            time.sleep(600)


def open_split(given: Given, group: Group, say: Callable[..., None]) -> Split:
    say("loading", 0.5, f"rank {group.rank}")
    if given.fails == group.rank:
        raise EngineFault("damaged", "The weights are damaged.")
    return Split(given, group)


def alone() -> Split:
    """The same network in one piece."""
    return Split(Given(), ALONE)


def spread(count: int = 2, given: Given = Given(), limits: Limits = QUICK) -> Spread:
    crew = Crew(count, limits=limits)
    return Spread.open(open_split, given, count=count, kind="cpu", crew=crew)


def spread_model(network: Spread) -> Model:
    return toy(network, chat=ToyChat(), room=network.room)
