"""What rank 0 tells the other ranks and what they tell it: values, and how they travel. Knows no
process and no network."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from app.engine.local.life import Say
from app.engine.local.network import Network
from app.engine.local.ranks.group import Group
from app.engine.local.room import Room
from app.vocabulary import FaultKind

Opener: TypeAlias = Callable[[Any, Group, Say], Network]

NETWORK = 0  # the number of what is there from the beginning
WHOLE = frozenset({"read", "step"})  # every rank waits until its device is done with these


class Ref(NamedTuple):
    """Something that every rank has of its own: a state, a prompt, a chain."""

    number: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What a rank is for. `opener` is found by its name in its module, `given` is what it takes;
    `kind` is cpu or cuda, `address` where the ranks meet, `beat` the seconds between two signs of
    life."""

    rank: int
    count: int
    kind: str
    address: Path
    beat: float
    opener: Opener
    given: Any


@dataclass(frozen=True, slots=True)
class Order:
    """Call the method `name` of what has the number `target`, and keep what comes of it as number
    `made`. Before that take in what was `brought` (a number and a value) and forget what was
    `dropped`. In `args` a Ref stands for a rank's own."""

    number: int
    target: int
    name: str
    args: tuple[Any, ...] = ()
    made: int = 0
    brought: tuple[int, Any] | None = None
    dropped: tuple[int, ...] = ()


# --- what the others say ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Here:
    """The process is up and about to meet the others."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The network is loaded, and this is the room that it leaves."""

    room: Room


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life. `number` is that of the order that is being carried out, 0 of none."""

    number: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Order `number` failed, 0: the loading. `message` is empty where there are no words for a
    person. What the device had to do is done, unless `broken`: it can't go on then."""

    number: int
    kind: FaultKind
    message: str
    detail: str
    broken: bool = False


Word: TypeAlias = Here | Ready | Beat | Failed


def packed(order: Order) -> bytes:
    """An order as it travels: a bare tuple, which takes a tenth of the time of a dataclass."""
    bare = (
        order.number,
        order.target,
        order.name,
        order.args,
        order.made,
        order.brought,
        order.dropped,
    )
    return pickle.dumps(bare, pickle.HIGHEST_PROTOCOL)


def unpacked(data: bytes) -> Order:
    return Order(*pickle.loads(data))
