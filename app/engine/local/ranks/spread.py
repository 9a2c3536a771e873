"""A network that is spread over ranks, as rank 0 has it: what is asked of it is told to the other
ranks, and done here at the same time. Knows no family of models."""

from __future__ import annotations

import itertools
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import torch

from app.engine.local.life import Say
from app.engine.local.network import Chain, Drafter, Network, Prompt, State
from app.engine.local.ranks.crew import Crew
from app.engine.local.ranks.follower import at_rest, device_of, settled
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.ranks.mirror import Mirror, MirroredChain, MirroredDrafter, MirroredState
from app.engine.local.ranks.order import NETWORK, WHOLE, Opener, Order, Ref
from app.engine.local.room import Room, room_for
from app.engine.local.sampler import Drawing
from app.vocabulary import EngineFault

Bare: TypeAlias = Callable[[Prompt], Prompt]

_SHORT = frozenset({"step", "next"})  # orders of one token


class Spread:
    """The network. For one thread. Everything here raises EngineFault once a rank is lost; those
    who are told by `crew.tell` hear of it at once, whatever that thread is stuck in.

    An error that all ranks meet alike, such as a picture that can't be decoded, leaves them in
    step and is raised as it is. One that a rank meets alone is the end of all ranks.
    """

    def __init__(
        self, network: Network, group: Group, crew: Crew, *, room: Room, bare: Bare
    ) -> None:
        self.own = network
        self.crew = crew
        self.room = room  # of the rank that has least
        self.dropped: deque[int] = deque()
        self._bare = bare
        self._group = group
        self._limits = crew.limits
        self._network = Mirror(self, NETWORK, network)
        self._orders, self._numbers = itertools.count(1), itertools.count(NETWORK + 1)
        self._known: set[str] = set()  # what was done before, and so compiles nothing any more

    @classmethod
    def open(
        cls,
        opener: Opener,
        given: Any,
        *,
        count: int,
        kind: str,
        say: Say = lambda *_: None,
        bare: Bare = lambda prompt: prompt,
        crew: Crew | None = None,
    ) -> Self:
        """Have `opener(given, group, say)` called on `count` ranks: one a GPU where `kind` is cuda,
        else all on the CPU. Opener and given go through pickle; only rank 0's `say` says anything.
        `bare` leaves of a prompt what the others need, where rank 0 brings them the rest; `crew`
        is one of `count` that has begun, and is ended here where this fails.

        Raises EngineFault, and whatever the opener does on rank 0.
        """
        if sys.platform == "win32":
            raise EngineFault("unsupported", "A model runs on one GPU under Windows.")
        crew = crew or Crew(count)
        group = ALONE
        try:
            address = crew.charge(kind, opener, given)
            group = Group.join(0, count, device=device_of(kind, 0), address=address)
            network = opener(given, group, say)
            rooms = [room_for(network.device), *crew.rooms()]
        except Exception as error:
            why = crew.blamed(error)
            crew.close()
            _leave(group)
            raise why from None
        return cls(network, group, crew, room=_least(rooms, kind), bare=bare)

    def close(self) -> None:
        """End the other ranks; comes back when they are gone. May be called twice."""
        self.crew.dismiss()
        if self.crew.fault is None:
            self._group.close()  # as the others do at this time
        self.crew.close()
        _leave(self._group)

    @property
    def device(self) -> torch.device:
        return self.own.device

    @property
    def token_bytes(self) -> int:
        """On each rank."""
        return self.own.token_bytes

    def begin(self) -> State:
        return MirroredState(self, *self.make(self._network, "begin"))

    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        state = _mirrored(state)
        brought = None
        if state.prompt is None or state.prompt.own is not prompt:
            state.prompt = Mirror(self, next(self._numbers), prompt)
            brought = (state.prompt.number, self._bare(prompt))
        logits: torch.Tensor = self._all(
            "read", self._network, (state, state.prompt, count), brought=brought
        )
        if state.length >= len(prompt.tokens):
            state.prompt = None  # nobody needs its pictures any more
        return logits

    def step(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        logits: torch.Tensor = self.do(self._network, "step", _mirrored(state), tuple(tokens))
        return logits

    def chain(self, state: State, token: int, drawing: Drawing) -> Chain | None:
        number, own = self.make(self._network, "chain", _mirrored(state), token, drawing)
        return None if own is None else MirroredChain(self, number, own)

    def drafter(self, state: State) -> Drafter | None:
        number, own = self.make(self._network, "drafter", _mirrored(state))
        return None if own is None else MirroredDrafter(self, number, own)

    def call(self, name: str, *args: Any, limit: float | None = None) -> Any:
        """Call any method of the network on every rank; gives what rank 0's own gives. A state
        among `args` is each rank's own, the rest goes through pickle; `limit` is in seconds."""
        return self._all(name, self._network, args, limit=limit)

    # --- what all ranks do --------------------------------------------------------------------

    def do(self, target: Mirror[Any], name: str, *args: Any) -> Any:
        return self._all(name, target, args)

    def make(self, target: Mirror[Any], name: str, *args: Any) -> tuple[int, Any]:
        number = next(self._numbers)
        own = self._all(name, target, args, made=number)
        if own is None:
            self.dropped.append(number)
        return number, own

    def _all(
        self,
        name: str,
        target: Mirror[Any],
        args: Sequence[Any],
        *,
        made: int = 0,
        brought: tuple[int, Any] | None = None,
        limit: float | None = None,
    ) -> Any:
        """The others are told first, so that they are at it while rank 0 is."""
        number, told = next(self._orders), tuple(_told(arg) for arg in args)
        gone = self._no_longer_needed()
        with self.crew.working(number, name, limit or self._limit(name)):
            self.crew.send(Order(number, target.number, name, told, made, brought, gone))
            try:
                done = getattr(target.own, name)(*(_own(arg) for arg in args))
                if name in WHOLE:
                    at_rest(self.device)
            except Exception as error:  # whatever it was: are the others still in step?
                raise self.crew.settle(settled(error, self.device), number) from None
        self._known.add(name)
        return done

    def _limit(self, name: str) -> float:
        short = name in _SHORT and name in self._known
        return self._limits.step if short else self._limits.read

    def _no_longer_needed(self) -> tuple[int, ...]:
        gone = []
        while self.dropped:
            gone.append(self.dropped.popleft())
        return tuple(gone)


def _leave(group: Group) -> None:
    """After the others: on a GPU that may wait for ever, and the process is about to end."""
    if group.device.type == "cpu":
        group.close()


def _told(arg: Any) -> Any:
    return Ref(arg.number) if isinstance(arg, Mirror) else arg


def _own(arg: Any) -> Any:
    return arg.own if isinstance(arg, Mirror) else arg


def _mirrored(state: State) -> MirroredState:
    if not isinstance(state, MirroredState):
        raise TypeError(f"{type(state).__name__} is not a state of this network")
    return state


def _least(rooms: Sequence[Room], kind: str) -> Room:
    """What every rank has; on the CPU they share what there is."""
    share = 1 if kind == "cuda" else len(rooms)
    limit = min(room.limit for room in rooms) // share
    return Room(limit, min(min(room.kept for room in rooms) // share, limit))
