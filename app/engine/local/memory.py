"""The conversations that a model has read, kept to go on with; knows no network's insides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.engine.local.network import Network, Prompt, State
from app.engine.local.room import Room, no_room

_WORTH = 64  # tokens: so many are worth a copy of what another conversation begins with
_ENDING = 16  # tokens that a template may change at the end of a prompt once it has an answer
_STRIDE = 1024  # keys that are compared at once


@dataclass(slots=True, eq=False)
class Held:
    """A conversation that one job works on: its state, `cached` tokens of its prompt that needed no
    reading, and the tokens written behind it. `need` is what it may come to take, in bytes."""

    state: State
    prompt: Prompt
    cached: int
    need: int
    written: list[int] = field(default_factory=list)

    @property
    def keys(self) -> tuple[int, ...]:
        """What the state has read."""
        behind = max(self.state.length - len(self.prompt.keys), 0)
        return (*self.prompt.keys[: self.state.length], *self.written[:behind])


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A conversation that nobody asks at the moment; `asked` of its keys are those of a prompt."""

    state: State
    keys: tuple[int, ...]
    asked: int


class Memory:
    """Hands out states and takes them back; for one thread, but the sizes can be asked by any.

    A prompt that goes on with a kept conversation continues it. One that only begins like it gets
    a copy of the beginning, so that the other conversation is still there when it goes on.
    """

    def __init__(self, network: Network, room: Room) -> None:
        self._network = network
        self._room = room
        self._kept: list[Kept] = []  # the one that was asked longest ago first
        self._held: list[Held] = []

    @property
    def kept(self) -> int:
        """Conversations that nobody asks at the moment."""
        return len(self._kept)

    @property
    def held(self) -> int:
        """Conversations that are being worked on."""
        return len(self._held)

    @property
    def bytes(self) -> int:
        """Memory of all of them, the working ones as large as they may come to be."""
        return self._idle + self._working

    @property
    def _idle(self) -> int:
        return sum(kept.state.bytes for kept in self._kept)

    @property
    def _working(self) -> int:
        return sum(held.need for held in self._held)

    def must_wait(self, tokens: int, others: int) -> bool:
        """Whether a conversation of so many tokens can't be held beside others of so many in all,
        and can alone."""
        return self.need(tokens) <= self._room.limit < self.need(tokens + others)

    @contextmanager
    def hold(self, prompt: Prompt, tokens: int) -> Iterator[Held]:
        """A state that holds as much as is known of the prompt, but its last token, which must be
        read to know what follows. It comes back here at the end, and is given up on an error.

        `tokens` is how many may be written. Raises EngineFault("out_of_memory") where prompt and
        answer can't fit.
        """
        held = self._take(prompt, self.need(len(prompt.keys) + tokens))
        self._held.append(held)
        whole = False
        try:
            yield held
            whole = True
        except GeneratorExit:  # the asker has gone; between two steps the state is whole
            whole = True
            raise
        finally:
            self._held.remove(held)
            if whole:
                self._keep(held)

    def clear(self) -> None:
        """Forget every conversation that nobody asks at the moment."""
        self._kept.clear()

    def need(self, tokens: int) -> int:
        """Memory that a conversation of so many tokens takes, in bytes."""
        return tokens * self._network.token_bytes

    def _take(self, prompt: Prompt, need: int) -> Held:
        if self._working + need > self._room.limit:
            free = max(self._room.limit - self._working, 0)
            raise no_room(need, free, f"{len(prompt.keys)} tokens in the prompt")
        for kept, same in self._alike(prompt.keys[:-1]):
            state = self._continued(kept, same) or self._branched(kept, same, need)
            if state is not None:
                self._make_room(need)
                return Held(state, prompt, same, need)
        self._make_room(need)
        return Held(self._network.begin(), prompt, 0, need)

    def _alike(self, keys: Sequence[int]) -> list[tuple[Kept, int]]:
        """The conversations that begin as `keys` do and for how long, the longest first. One that
        is being worked on can be copied from too."""
        busy = [Kept(held.state, held.keys, len(held.prompt.keys)) for held in self._held]
        found = [(kept, _common(kept.keys, keys)) for kept in (*reversed(self._kept), *busy)]
        return sorted((pair for pair in found if pair[1]), key=lambda pair: -pair[1])

    def _continued(self, kept: Kept, same: int) -> State | None:
        """The state itself, wound back, where this is its own conversation."""
        if kept.asked - same > min(_ENDING, kept.asked // 4):
            return None
        return self._taken(kept, same)

    def _taken(self, kept: Kept, same: int) -> State | None:
        if kept not in self._kept or not kept.state.keep(same):
            return None
        self._kept.remove(kept)
        return kept.state

    def _branched(self, kept: Kept, same: int, need: int) -> State | None:
        """A copy of the beginning; the state itself where there is no room for both."""
        if same < _WORTH:
            return None
        self._make_room(need, sparing=kept)
        if self._idle + self._working + need <= self._room.limit:
            return kept.state.copy(same)
        return self._taken(kept, same)

    def _make_room(self, need: int, *, sparing: Kept | None = None) -> None:
        """Forget what was asked longest ago until `need` bytes fit."""
        for kept in [kept for kept in self._kept if kept is not sparing]:
            if self._idle + self._working + need <= self._room.limit:
                return
            self._kept.remove(kept)

    def _keep(self, held: Held) -> None:
        keys = held.keys
        if not keys or len(keys) != held.state.length:
            return
        asked = min(len(held.prompt.keys), len(keys))
        self._kept.append(Kept(held.state, keys, asked))
        while len(self._kept) > 1 and self._idle > self._room.kept:
            del self._kept[0]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many numbers two sequences have in common at their beginning."""
    end = min(len(one), len(other))
    start = 0
    while start < end and one[start : start + _STRIDE] == other[start : start + _STRIDE]:
        start += _STRIDE
    for place in range(start, min(start + _STRIDE, end)):
        if one[place] != other[place]:
            return place
    return end
