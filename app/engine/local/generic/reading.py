"""What a borrowed model has read of one conversation; knows no tokenizer and no processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from app.engine.local.generic.cache import held_bytes, is_plain


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that was read: its place in the conversation, and how far the positions of the
    tokens behind it are from their places."""

    start: int
    end: int
    delta: int = 0


@dataclass(slots=True, eq=False)
class Reading:
    """One conversation's memory. `open` says that it can go on where it ends.

    `facts` is what the model itself notes of a conversation while it reads; `carried` and `tokens`
    belong to one that is read as transformers' `generate` does it.
    """

    cache: DynamicCache
    open: bool = True
    length: int = 0
    seen: tuple[Seen, ...] = ()
    facts: tuple[Any, ...] = ()
    last: torch.Tensor | None = None  # the logits [V] behind the last token
    carried: dict[str, Any] | None = None
    tokens: list[int] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return held_bytes(self.cache)

    @property
    def next_position(self) -> int:
        return self.length + (self.seen[-1].delta if self.seen else 0)

    def keep(self, length: int) -> bool:
        if not self._winds(length):
            return length == self.length and (self.open or not length)
        for layer in self.cache.layers:
            layer.keep(length)
        self.length, self.last = length, None
        self.seen = self._before(length)
        return True

    def copy(self, length: int) -> Reading | None:
        if not self._winds(length):
            return None
        cache = DynamicCache()
        cache.layers = [layer.copy(length) for layer in self.cache.layers]
        return Reading(cache, length=length, seen=self._before(length), facts=self.facts)

    def clear(self, cache: DynamicCache) -> None:
        """Forget all, and begin anew in an empty cache."""
        self.cache, self.carried, self.last = cache, None, None
        self.length, self.seen, self.facts, self.tokens = 0, (), (), []

    def read(self, tokens: Sequence[int], logits: torch.Tensor) -> None:
        """Note what the cache has now; `logits` [V] stand behind the last of `tokens`."""
        self.length += len(tokens)
        self.last = logits

    def saw(self, start: int, end: int, position: int) -> None:
        """Note a picture, which is about to be read; `position` is that of the token behind it."""
        self.seen = (*self.seen, Seen(start, end, position - end))

    def _winds(self, length: int) -> bool:
        """Whether it can be had as it was when it had read `length` tokens."""
        through = any(seen.start < length < seen.end for seen in self.seen)
        whole = self.open and self.carried is None and not through
        return whole and length <= self.length and is_plain(self.cache)

    def _before(self, length: int) -> tuple[Seen, ...]:
        return tuple(seen for seen in self.seen if seen.end <= length)
