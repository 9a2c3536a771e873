"""A rank that is told what to do: it has its own network, states and prompts, and does with them
what rank 0 does with its own. Knows no tokens and no server."""

from __future__ import annotations

import os
import pickle
import threading
from multiprocessing.connection import Connection
from typing import Any

import torch

from app.engine.local.network import Network
from app.engine.local.ranks.group import Group
from app.engine.local.ranks.loss import word_of
from app.engine.local.ranks.order import (
    NETWORK,
    WHOLE,
    Beat,
    Charge,
    Here,
    Order,
    Ready,
    Ref,
    Word,
    unpacked,
)
from app.engine.local.room import room_for


def follow(link: Connection) -> None:
    """Carry out what comes in until rank 0 says that it is over (an empty message).

    Raises EOFError or OSError where rank 0 is gone.
    """
    _Follower(link).run()


class _Follower:
    def __init__(self, link: Connection) -> None:
        self._link = link
        self._saying = threading.Lock()
        self._number = 0  # of the order that is being carried out
        self._things: dict[int, Any] = {}

    def run(self) -> None:
        charge = pickle.loads(self._link.recv_bytes())
        assert isinstance(charge, Charge)
        self._say(Here())
        threading.Thread(target=self._beat, args=(charge.beat,), daemon=True, name="beat").start()
        try:
            group = self._load(charge)
        except Exception as error:  # a process's entry: whatever it was, rank 0 is told
            self._say(word_of(error, NETWORK))
            return
        with torch.inference_mode():
            while data := self._link.recv_bytes():
                self._carry_out(unpacked(data))
        self._things.clear()
        group.close()

    def _load(self, charge: Charge) -> Group:
        device = device_of(charge.kind, charge.rank)
        group = Group.join(charge.rank, charge.count, device=device, address=charge.address)
        network: Network = charge.opener(charge.given, group, lambda *_: None)
        self._things[NETWORK] = network
        self._say(Ready(room_for(network.device)))
        return group

    def _carry_out(self, order: Order) -> None:
        self._number = order.number
        try:
            self._do(order)
        except Exception as error:  # a process's entry: whatever it was, rank 0 is told
            error = settled(error, self._things[NETWORK].device)
            self._say(word_of(error, order.number))
        self._number = 0

    def _do(self, order: Order) -> None:
        for number in order.dropped:
            self._things.pop(number, None)
        if order.brought is not None:
            number, thing = order.brought
            self._things[number] = thing
        args = [self._things[arg.number] if isinstance(arg, Ref) else arg for arg in order.args]
        made = getattr(self._things[order.target], order.name)(*args)
        if order.made:
            self._things[order.made] = made
        if order.name in WHOLE:
            at_rest(self._things[NETWORK].device)

    def _beat(self, seconds: float) -> None:
        """Say that this process lives, whatever it works on."""
        pause = threading.Event()
        while not pause.wait(seconds):
            try:
                self._say(Beat(self._number))
            except OSError:  # rank 0 is gone
                os._exit(0)

    def _say(self, word: Word) -> None:
        with self._saying:
            self._link.send(word)


def device_of(kind: str, rank: int) -> torch.device:
    return torch.device("cuda", rank) if kind == "cuda" else torch.device(kind)


def at_rest(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def settled(error: Exception, device: torch.device) -> Exception:
    """The error, or a worse one, once the device is at rest: as long as it waits there for another
    rank, this one is not in step and has nothing to say."""
    try:
        at_rest(device)
    except Exception as worse:  # the device can't go on, and says so in its own way
        return worse
    return error
