"""A network without weights, for what surrounds one: its logits depend on everything that was read,
so that a state which holds the wrong thing gives another answer."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from app.engine.local.model import Defaults, Model
from app.engine.local.network import Drafter, Prompt
from app.engine.local.room import Room
from app.engine.local.sampler import Choice, Drawing
from app.engine.request.turn import Tool, Turn

LETTERS = "abcdefghijklmnopqrstuvwxyz .,:;!?0123456789{}[]\"'\n"
THINK, END_THINK, ANSWER, END = (len(LETTERS) + place for place in range(4))
TAGS = {THINK: "<think>", END_THINK: "</think>", ANSWER: "<answer>", END: ""}
VOCABULARY = len(LETTERS) + 4
TOKEN_BYTES = 1000
MANY = Room(10**9, 10**9)


class ToyState:
    """What was read, as tokens and keys; `bytes` counts against the network's hard limit."""

    def __init__(self, network: ToyNetwork, read: Sequence[int] = ()) -> None:
        self._network = network
        self.read: list[int] = []
        network.states.add(self)
        self.add(read)

    @property
    def length(self) -> int:
        return len(self.read)

    @property
    def bytes(self) -> int:
        return len(self.read) * TOKEN_BYTES

    def add(self, tokens: Sequence[int]) -> None:
        if self._network.bytes + len(tokens) * TOKEN_BYTES > self._network.limit:
            raise MemoryError(f"{len(tokens)} more tokens do not fit")
        self.read.extend(tokens)

    def keep(self, length: int) -> bool:
        if self._network.windable:
            del self.read[length:]
        return self._network.windable or length == self.length

    def copy(self, length: int) -> ToyState | None:
        return ToyState(self._network, self.read[:length]) if self._network.windable else None


class ToyNetwork:
    """`limit` is its memory in bytes; `windable=False` makes states that can't be wound back."""

    device = torch.device("cpu")
    token_bytes = TOKEN_BYTES

    def __init__(self, *, limit: int = 10**12, windable: bool = True) -> None:
        self.limit, self.windable = limit, windable
        self.states: weakref.WeakSet[ToyState] = weakref.WeakSet()
        self.reads: list[int] = []  # how many tokens of a prompt each part had
        self.steps: list[int] = []  # how many tokens each step had
        self.drafter_for: Callable[[ToyState], Drafter | None] = lambda _: None
        self.favour: Mapping[int, float] = {}  # added to the logits of these tokens
        self.hook: Callable[[], None] = lambda: None  # called before each reading

    @property
    def bytes(self) -> int:
        return sum(state.bytes for state in self.states)

    def begin(self) -> ToyState:
        return ToyState(self)

    def read(self, state: ToyState, prompt: Prompt, count: int) -> torch.Tensor:
        self.hook()
        self.reads.append(count)
        assert tuple(state.read) == prompt.keys[: state.length]
        state.add(prompt.keys[state.length :][:count])
        return self._logits(state.read)

    def step(self, state: ToyState, tokens: Sequence[int]) -> torch.Tensor:
        self.hook()
        self.steps.append(len(tokens))
        start = state.length
        state.add(tokens)
        places = range(start + 1, state.length + 1)
        return torch.stack([self._logits(state.read[:place]) for place in places])

    def chain(self, state: ToyState, token: int, drawing: Drawing) -> None:
        """Chooses on the host."""

    def drafter(self, state: ToyState) -> Drafter | None:
        return self.drafter_for(state)

    def _logits(self, read: Sequence[int]) -> torch.Tensor:
        digest = hashlib.blake2b(repr(list(read)).encode(), digest_size=4).digest()
        random = torch.Generator().manual_seed(int.from_bytes(digest, "big"))
        logits = 3 * torch.randn(VOCABULARY, generator=random)
        logits[len(LETTERS) :] = -20.0  # no tags and no end of its own accord
        for token, more in self.favour.items():
            logits[token] += more
        return logits


class ToyChat:
    """A letter is a token. `close` is what closes the thinking."""

    thinks = sees = films = calls = False

    def __init__(self, *, thinks: bool = False, close: tuple[int, ...] = (END_THINK,)) -> None:
        self.thinks = thinks
        self.open_thought = (THINK,) if thinks else ()
        self.close_thought = close if thinks else ()

    def prompt(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool] = ()
    ) -> Prompt:
        return asked("".join(f"{turn.role}: {turn.text}\n" for turn in turns))

    def encode(self, text: str) -> list[int]:
        return [LETTERS.index(letter) for letter in text if letter in LETTERS]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(LETTERS[t] if t < len(LETTERS) else TAGS[t] for t in tokens)

    def written(self, token: int) -> bytes:
        return self.decode((token,)).encode()


def asked(text: str, tail: str = "") -> Prompt:
    """A prompt of letters; `tail` ends its text, as where a template opens the thinking."""
    tokens = tuple(LETTERS.index(letter) for letter in text if letter in LETTERS)
    return Prompt(text + tail, tokens, tokens)


def toy(
    network: ToyNetwork | None = None, *, chat: ToyChat | None = None, room: Room = MANY
) -> Model:
    """A model around a network without weights."""
    defaults = Defaults(Choice(), frozenset({END}), context=10_000, max_tokens=100)
    return Model(
        "toy",
        chat or ToyChat(),
        defaults=defaults,
        network=network or ToyNetwork(),
        room=room,
    )
