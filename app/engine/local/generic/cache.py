"""The keys and values of one conversation, in layers that grow; knows no tokens and no model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

# not every transformers has all of them
_ATTENTION = frozenset({"DynamicLayer", "GrowingLayer", "DynamicSlidingWindowLayer", "DummyLayer"})
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

    def copy(self, length: int) -> GrowingLayer:
        """Another layer that holds the first `length` tokens."""
        other = GrowingLayer()
        if self.is_initialized:
            other.update(self._keys[:, :, :length], self._values[:, :, :length])
        return other


def _grown(buffer: torch.Tensor, used: int, needed: int) -> torch.Tensor:
    heads, width = buffer.shape[1], buffer.shape[3]
    room = max(needed + _STEP, used * 3 // 2)
    grown = buffer.new_empty((1, heads, room, width))
    grown[:, :, :used] = buffer[:, :, :used]
    return grown


def empty(config: Any) -> DynamicCache:
    """A cache for a model of this configuration; in growing layers where it has plain ones."""
    cache = DynamicCache(config=config)
    if is_plain(cache):
        cache.layers = [GrowingLayer() for _ in cache.layers]
    return cache


def is_plain(cache: DynamicCache) -> bool:
    """Whether all of it is keys and values of every token, which can be wound back and copied."""
    return bool(cache.layers) and all(
        type(layer) in (DynamicLayer, GrowingLayer) for layer in cache.layers
    )


def is_attention(cache: DynamicCache) -> bool:
    """Whether all of it is keys and values, if only of a window, or another layer's: no layer has
    a running state."""
    return bool(cache.layers) and all(type(layer).__name__ in _ATTENTION for layer in cache.layers)


def held_bytes(cache: DynamicCache) -> int:
    """Memory that a cache of any kind holds."""
    storages = {}
    for layer in cache.layers:
        for tensor in _tensors(vars(layer).values()):
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def token_bytes(cache: DynamicCache) -> int:
    """What each token takes, by those that a cache holds."""
    held = [getattr(layer, name, None) for layer in cache.layers for name in ("keys", "values")]
    return sum(
        part.nbytes // part.shape[-2]
        for part in held
        if isinstance(part, torch.Tensor) and part.numel()
    )


def _tensors(values: Iterable[Any]) -> Iterable[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, dict):
            yield from _tensors(value.values())
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
