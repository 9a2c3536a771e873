from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from app.engine.local.cache import GrowingLayer
from app.engine.local.generic import Model


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_a_growing_layer_holds_what_was_put_in(counts: list[int]) -> None:
    layer, parts = GrowingLayer(), [torch.randn(1, 2, count, 4) for count in counts]
    for part in parts:
        keys, values = layer.update(part, -part)
    whole = torch.cat(parts, 2)
    assert torch.equal(keys, whole)
    assert torch.equal(values, -whole)
    assert layer.get_seq_length() == sum(counts)


def test_a_prompt_that_goes_on_is_read_from_where_it_differs(tiny: Model) -> None:
    tiny.recall([1, 2, 3, 4])
    list(tiny.read([1, 2, 3, 4]))
    assert tiny.recall([1, 2, 3, 9, 9]) == 3


def test_the_last_token_is_always_read_again(tiny: Model) -> None:
    tiny.recall([1, 2, 3])
    list(tiny.read([1, 2, 3]))
    assert tiny.recall([1, 2, 3]) == 2


def test_what_is_recalled_gives_the_same_logits(tiny: Model) -> None:
    prompt = [5, 6, 7, 8, 9, 10]
    tiny.recall(prompt)
    fresh = list(tiny.read(prompt))[-1]
    tiny.recall([5, 6, 7, 1, 1, 1, 1])
    list(tiny.read([1, 1, 1, 1]))
    kept = tiny.recall(prompt)
    again = list(tiny.read(prompt[kept:]))[-1]
    assert kept == 3
    assert torch.allclose(fresh.float(), again.float(), atol=1e-2)


def test_reading_in_parts_gives_what_reading_at_once_does(tiny: Model) -> None:
    prompt = list(range(90))
    tiny.recall(prompt)
    in_parts = list(tiny.read(prompt))[-1]
    tiny.recall([200])
    at_once = tiny.step(prompt)
    assert torch.allclose(in_parts.float(), at_once.float(), atol=1e-2)
