from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import GemmaConfig, MistralConfig

from app.engine.local.generic.cache import (
    GrowingLayer,
    empty,
    held_bytes,
    is_attention,
    is_plain,
    token_bytes,
)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_a_growing_layer_holds_what_was_put_in(counts: list[int]) -> None:
    layer, parts = GrowingLayer(), [torch.randn(1, 2, count, 4) for count in counts]
    for part in parts:
        keys, values = layer.update(part, -part)
    whole = torch.cat(parts, 2)
    assert torch.equal(keys, whole)
    assert torch.equal(values, -whole)
    assert layer.get_seq_length() == sum(counts)


def test_a_copy_has_its_own_numbers() -> None:
    layer, part = GrowingLayer(), torch.randn(1, 2, 5, 4)
    layer.update(part, -part)
    other = layer.copy(3)
    more = torch.randn(1, 2, 1, 4)
    keys, _ = other.update(more, more)
    assert torch.equal(keys, torch.cat([part[:, :, :3], more], 2))
    assert torch.equal(layer.keys, part)


def test_what_was_forgotten_is_written_over() -> None:
    layer, part = GrowingLayer(), torch.randn(1, 2, 5, 4)
    layer.update(part, part)
    layer.keep(2)
    keys, _ = layer.update(-part, part)
    assert torch.equal(keys, torch.cat([part[:, :, :2], -part], 2))


def test_plain_layers_grow_and_windows_stay_what_they_are() -> None:
    plain = empty(GemmaConfig(num_hidden_layers=2))
    window = empty(MistralConfig(num_hidden_layers=2, sliding_window=8))
    assert [type(layer) for layer in plain.layers] == [GrowingLayer, GrowingLayer]
    assert (is_plain(plain), is_plain(window)) == (True, False)
    assert (is_attention(plain), is_attention(window)) == (True, True)


def test_its_memory_is_counted() -> None:
    cache, part = empty(GemmaConfig(num_hidden_layers=2)), torch.randn(1, 2, 5, 4)
    cache.update(part, part, 0)
    assert token_bytes(cache) == 2 * 2 * 4 * 4  # keys and values, 2 heads of 4 numbers
    assert held_bytes(cache) >= token_bytes(cache) * 5
