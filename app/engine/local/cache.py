"""The keys and values of the tokens read so far, kept from one question to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_STEP = 512  # tokens of room that a full layer grows by at least


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers has no types
    """One layer's keys and values [1, H, T, D] in buffers with room to spare: the stock layer
    copies all of it for every new token."""

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.dtype, self.device = key_states.dtype, key_states.device
        self._keys = key_states.new_empty((*key_states.shape[:2], 0, key_states.shape[3]))
        self._values = value_states.new_empty((*value_states.shape[:2], 0, value_states.shape[3]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, end = self.length, self.length + key_states.shape[2]
        if end > self._keys.shape[2]:
            self._keys = _grown(self._keys, start, end)
            self._values = _grown(self._values, start, end)
        self._keys[:, :, start:end] = key_states
        self._values[:, :, start:end] = value_states
        self.length = end
        self.keys, self.values = self._keys[:, :, :end], self._values[:, :, :end]
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.length

    def keep(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        self.length = min(length, self.length)


def _grown(buffer: torch.Tensor, used: int, needed: int) -> torch.Tensor:
    heads, width = buffer.shape[1], buffer.shape[3]
    room = max(needed + _STEP, used * 3 // 2)
    grown = buffer.new_empty((1, heads, room, width))
    grown[:, :, :used] = buffer[:, :, :used]
    return grown


class Memory:
    """What the model has read: its cache, and the tokens that stand in it.

    A prompt that begins as the last one did is read from where it differs. A model whose layers
    keep something else than plain keys and values (a sliding window, a state) starts anew.
    """

    def __init__(self, config: Any) -> None:
        self._config = config
        self._clear()

    def recall(self, prompt: Sequence[int]) -> int:
        """Keep what `prompt` begins with and forget the rest; gives the tokens kept, always fewer
        than the prompt has, since its last one must be read to know what follows."""
        if not self._plain:
            self._clear()
            return 0
        same = _common(self._tokens, prompt[:-1])
        for layer in self.cache.layers:
            layer.keep(same)
        del self._tokens[same:]
        return same

    def add(self, tokens: Sequence[int]) -> None:
        """Note tokens that the model has read into the cache."""
        self._tokens.extend(tokens)

    def _clear(self) -> None:
        self.cache = DynamicCache(config=self._config)
        layers = self.cache.layers
        self._plain = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
        if self._plain:
            self.cache.layers = [GrowingLayer() for _ in layers]
        self._tokens: list[int] = []


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
