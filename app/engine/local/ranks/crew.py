"""The processes of the other ranks, as rank 0 has them: starts them, hears them, watches that none
of them dies or hangs, and ends them. Knows no network."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.engine.local.ranks import loss
from app.engine.local.ranks.limits import LIMITS, TICK, Clock, Limits
from app.engine.local.ranks.order import (
    Beat,
    Charge,
    Failed,
    Here,
    Opener,
    Order,
    Ready,
    Word,
    packed,
)
from app.engine.local.ranks.peer import Peer, started
from app.engine.local.room import Room, is_no_memory
from app.vocabulary import EngineFault, Fault

Told = Callable[[EngineFault], None]


class Crew:
    """Ranks 1 to `count` - 1. Once one of them is lost all are: they are killed, `fault` says why,
    and whoever is told by `tell` hears of it on the watching thread."""

    def __init__(self, count: int, *, limits: Limits = LIMITS) -> None:
        self.count = count
        self.limits = limits
        self._folder = TemporaryDirectory(prefix="ranks-")  # where they meet: ours alone
        self.fault: EngineFault | None = None
        self._changed = threading.Condition()  # guards `fault` and what the watch hears
        self._peers: list[Peer] = []
        self._told: list[Told] = []
        self._sent = 0  # orders
        self._under_way: tuple[int, str, float] | None = None  # rank 0's own: number, name, limit
        self._ending, self._grace = threading.Event(), 0.0
        self._clock = Clock()
        # the kernel ends a rank with the thread that started it, so it is one that lives as long
        self._watching = threading.Thread(target=self._watch, name="ranks", daemon=True)

    # --- rank 0's side ------------------------------------------------------------------------

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(peer.process.pid for peer in self._peers)

    def tell(self, told: Told) -> None:
        """Have `told` called, once, when the ranks are lost; at once where they are already."""
        with self._changed:
            self._told.append(told)
            fault = self.fault
        if fault is not None:
            told(fault)

    def begin(self) -> None:
        """Start the processes and come back at once. It takes them seconds to import torch, in
        which there may be something else to do; who gives up meanwhile calls `close`."""
        self._watching.start()

    def charge(self, kind: str, opener: Opener, given: Any) -> Path:
        """Tell each process what it is for; comes back when all are up and go on to the file where
        they meet. Raises EngineFault."""
        if self._watching.ident is None:
            self.begin()
        address = Path(self._folder.name) / "store"
        beat = self.limits.beat
        charges = [
            pickle.dumps(Charge(rank, self.count, kind, address, beat, opener, given))
            for rank in range(1, self.count)
        ]
        self._until(lambda: len(self._peers) == len(charges))
        for peer, charge in zip(self._peers, charges, strict=True):
            self._send(peer, charge)
        self._until(lambda: all(peer.here for peer in self._peers))
        return address

    def rooms(self) -> list[Room]:
        """Wait until all have loaded their networks; the room that each has left.

        Raises EngineFault.
        """
        self._until(lambda: all(peer.room is not None for peer in self._peers))
        return [peer.room for peer in self._peers if peer.room is not None]

    def send(self, order: Order) -> None:
        """Tell all ranks what to do; nobody waits for their answer. Raises EngineFault."""
        if self.fault is not None:
            raise self.fault
        data = packed(order)
        self._sent = order.number
        for peer in self._peers:
            self._send(peer, data)

    @contextmanager
    def working(self, number: int, name: str, limit: float) -> Iterator[None]:
        """While rank 0 sends an order and carries it out, for no longer than `limit` seconds."""
        self._under_way = number, name, self._clock.now + limit
        try:
            yield
        finally:
            self._under_way = None

    def settle(self, error: Exception, number: int) -> Exception:
        """What to raise after rank 0 failed at an order that it is `working` at, and its device is
        at rest: the error itself where it was met on every rank and all are at rest, for they are
        in step then; else why the ranks are lost."""
        own = loss.word_of(error, number)
        with self._changed:
            self._changed.wait_for(lambda: self._agreed(number), self.limits.agree)
            heard = [peer.failures.pop(number, None) for peer in self._peers]
        words = [own, *(one[0] for one in heard if one is not None)]
        if len(words) < self.count or not all(loss.is_harmless(word) for word in words):
            self._lose(loss.failed(own, 0))
        return self.fault or error

    def blamed(self, error: Exception) -> Exception:
        """Why it could not start: `error` or, where that only shows that a rank is lost, why."""
        if not isinstance(error, Fault) and not is_no_memory(error):
            with self._changed:
                self._changed.wait_for(lambda: self.fault is not None, self.limits.agree)
        return self.fault or error

    def dismiss(self) -> None:
        """Tell the others that it is over; they leave the group and end."""
        self._grace = self.limits.end
        self._ending.set()
        if self.fault is None:
            for peer in self._peers:
                with suppress(OSError):
                    peer.line.send_bytes(b"")

    def close(self) -> None:
        """Comes back when the processes have ended; they are killed, those that were dismissed
        after a while."""
        self._ending.set()
        if self._watching.is_alive():
            self._watching.join()
        self._folder.cleanup()

    def _agreed(self, number: int) -> bool:
        return self.fault is not None or all(number in peer.failures for peer in self._peers)

    def _until(self, true: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.fault is not None or true(), self.limits.load)
            there = true()
        if not there and self.fault is None:
            self._lose(loss.hangs("while it loaded"))
        if self.fault is not None:
            raise self.fault

    def _send(self, peer: Peer, data: bytes) -> None:
        try:
            peer.line.send_bytes(data)
        except OSError:
            self._lose(loss.died(peer.rank, self.count, peer.code()))
        if self.fault is not None:
            raise self.fault

    def _lose(self, fault: EngineFault) -> None:
        """Give up: kill what is left, and tell."""
        with self._changed:
            if self.fault is not None or self._ending.is_set():
                return
            self.fault = fault
            told = tuple(self._told)
            self._changed.notify_all()
        for peer in self._peers:
            peer.process.kill()
        for one in told:
            one(fault)

    # --- on the watching thread ---------------------------------------------------------------

    def _watch(self) -> None:
        try:
            for rank in range(1, self.count):
                self._add(started(rank))
        except OSError as error:
            self._lose(loss.not_started(error))
        while not self._ending.is_set() and self.fault is None:
            self._hear()
            self._judge()
        for peer in self._peers:
            peer.bury(0 if self.fault else self._grace)

    def _add(self, peer: Peer) -> None:
        with self._changed:
            self._peers.append(peer)
            self._changed.notify_all()

    def _hear(self) -> None:
        lines = {peer.line: peer for peer in self._peers}
        for line in wait(list(lines), TICK):
            assert isinstance(line, Connection)
            self._take(lines[line])
        self._clock.look()

    def _take(self, peer: Peer) -> None:
        try:
            word: Word = peer.line.recv()
        except (EOFError, OSError):
            self._lose(loss.died(peer.rank, self.count, peer.code()))
            return
        with self._changed:
            peer.heard = self._clock.now
            match word:
                case Here():
                    peer.here = True
                case Ready(room):
                    peer.room = room
                case Beat(number):
                    peer.at = number
                case Failed(number):
                    peer.failures[number] = word, self._clock.now
            self._changed.notify_all()

    def _judge(self) -> None:
        """Whether someone is out of step, silent or too slow."""
        now, under_way = self._clock.now, self._under_way
        for peer in self._peers:
            for word, when in tuple(peer.failures.values()):
                if now - when > self._patience(word):
                    self._lose(loss.failed(word, peer.rank))
            if peer.room is not None and now - peer.heard > self.limits.silence:
                self._lose(loss.hangs(f"rank {peer.rank} is silent; {self._where()}"))
        if under_way is not None and now > under_way[2]:
            self._lose(loss.hangs(f"“{under_way[1]}” takes too long; {self._where()}"))

    def _patience(self, word: Failed) -> float:
        """How long it may be that one rank has failed before all have."""
        if word.broken or not word.number:
            return -1.0
        under_way = self._under_way
        at_it = under_way is not None and under_way[0] == word.number
        return self.limits.agree if at_it else TICK

    def _where(self) -> str:
        own = self._under_way
        places = [f"rank 0 at {own[0]}" if own else f"rank 0 between {self._sent} and the next"]
        places += [f"rank {peer.rank} at {peer.at or 'rest'}" for peer in self._peers]
        return ", ".join(places)
