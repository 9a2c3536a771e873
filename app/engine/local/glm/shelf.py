"""A small memory of things by name, from which those go that were not used for longest. Knows
nothing of what they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """Holds things up to `most` in all, by their `weight` each; for any thread."""

    def __init__(self, most: int, weight: Callable[[T], int] = lambda _: 1) -> None:
        self._most = most
        self._weight = weight
        self._held = 0
        self._things: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> T | None:
        """The thing of that name, which stays; None where there is none."""
        with self._lock:
            if name not in self._things:
                return None
            self._things.move_to_end(name)
            return self._things[name]

    def put(self, name: str, thing: T) -> None:
        """Keep a thing; one that is heavier than the whole shelf is not kept."""
        with self._lock:
            if name in self._things:
                self._held -= self._weight(self._things.pop(name))
            self._things[name] = thing
            self._held += self._weight(thing)
            while self._held > self._most:
                self._held -= self._weight(self._things.popitem(last=False)[1])
