"""What every rank has of its own, as rank 0 sees it: states, chains, drafters. Knows no process."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from app.engine.local.network import Chain, Drafter, Prompt, State
from app.engine.local.ranks.order import NETWORK

T = TypeVar("T")


class All(Protocol):
    """All ranks, rank 0 among them."""

    @property
    def dropped(self) -> deque[int]:
        """Numbers that nobody needs any more; the others hear of it with the next order."""

    def do(self, target: Mirror[Any], name: str, *args: Any) -> Any:
        """Call a method on every rank; gives what rank 0's own gives. A Mirror among `args` is each
        rank's own."""

    def make(self, target: Mirror[Any], name: str, *args: Any) -> tuple[int, Any]:
        """The same, and every rank keeps what comes of it under this number."""


class Mirror(Generic[T]):
    """Something that has a number on every rank; `own` is rank 0's. When nobody has the mirror any
    more the others drop theirs."""

    def __init__(self, ranks: All, number: int, own: T) -> None:
        self.ranks = ranks
        self.number = number
        self.own = own
        if number != NETWORK:
            weakref.finalize(self, ranks.dropped.append, number).atexit = False


class MirroredState(Mirror[State]):
    """A state; `prompt` is the one that it is in the middle of."""

    prompt: Mirror[Prompt] | None = None

    @property
    def length(self) -> int:
        return self.own.length

    @property
    def bytes(self) -> int:
        """Of rank 0's share."""
        return self.own.bytes

    def keep(self, length: int) -> bool:
        return bool(self.ranks.do(self, "keep", length))

    def copy(self, length: int) -> State | None:
        number, own = self.ranks.make(self, "copy", length)
        return None if own is None else MirroredState(self.ranks, number, own)


class MirroredChain(Mirror[Chain]):
    def next(self) -> int | None:
        token: int | None = self.ranks.do(self, "next")
        return token

    def close(self) -> None:
        self.ranks.do(self, "close")


class MirroredDrafter(Mirror[Drafter]):
    def propose(self, written: Sequence[int]) -> Sequence[int]:
        guess: Sequence[int] = self.ranks.do(self, "propose", tuple(written))
        return guess
