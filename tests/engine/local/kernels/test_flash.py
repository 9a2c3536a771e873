"""Attention in one kernel against torch in 64 bits. The interpreter multiplies no 16-bit numbers
rightly, so on the CPU they have 32; a GPU is tried with those it is for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.engine.local.kernels.flash import PLANS, Plan, flash, flash_reference

GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
DTYPE = torch.bfloat16 if GPU else torch.float32
WIDTH = 128 if GPU else 16
CLOSE = 6e-3 if GPU else 1e-5
SMALL = Plan(rows=64 if GPU else 16, columns=64 if GPU else 32, warps=4)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, WIDTH, device=DEVICE).to(DTYPE)


def close(out: torch.Tensor, wanted: torch.Tensor) -> bool:
    return ((out.double() - wanted).norm() / wanted.norm()).item() <= CLOSE


def agrees(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool, plan: Plan = SMALL
) -> bool:
    wanted = flash_reference(query.double(), key.double(), value.double(), causal=causal)
    torch.use_deterministic_algorithms(True, warn_only=True)  # it fills new memory with NaN
    try:
        out = flash(query, key, value, causal=causal, plan=plan)
    finally:
        torch.use_deterministic_algorithms(False)
    assert out.shape == query.shape
    return close(out, wanted)


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 40), st.integers(0, 70), st.booleans(), st.sampled_from([1, 3]))
@example(16, 0, True, 1)
@example(1, 31, True, 3)
@example(17, 64, False, 1)
def test_any_lengths_agree_with_torch(length: int, more: int, causal: bool, each: int) -> None:
    query, key, value = random(2, 2 * each, length), *random(2, 2, 2, length + more)
    assert agrees(query, key, value, causal=causal)


def test_queries_of_a_tower_are_read_where_they_stand() -> None:
    """Heads beside each other, and rows of three of them."""
    joined = random(2, 37, 3, 2)  # [B, L, 3, N, D]
    query, key, value = joined.permute(2, 0, 3, 1, 4)
    assert agrees(query, key, value, causal=False)


def test_what_lies_behind_the_keys_is_not_read() -> None:
    """A memory with room to spare holds anything there, NaN too."""
    room = torch.full((2, 2, 90, WIDTH), torch.nan, device=DEVICE, dtype=DTYPE)
    room[:, :, :50] = random(2, 2, 50)
    keys, values = room[:, :, :50].unbind()
    assert agrees(random(1, 4, 20), keys[None], values[None], causal=True)


@pytest.mark.skipif(not GPU, reason="needs a GPU")
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("causal", [False, True])
def test_every_plan_agrees_at_a_prompts_size(plan: Plan, causal: bool) -> None:
    query, key, value = random(1, 12, 1000), *random(2, 1, 2, 3333)
    assert agrees(query, key, value, causal=causal, plan=plan)
