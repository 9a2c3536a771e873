from __future__ import annotations

import pytest
import torch

from app.engine.local.kernels.expertise import Stack
from app.engine.local.kernels.grouped import Plan, mix, mix_reference, order

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
FP8, BF16 = torch.float8_e4m3fn, torch.bfloat16
KINDS = pytest.mark.parametrize("kind", [FP8, BF16])
# the interpreter multiplies float32; 16 bits of tokens and of what is between the products on a GPU
X_DTYPE = BF16 if DEVICE == "cuda" else torch.float32
PLANS = (Plan(16, 32, 32), Plan(16, 32, 32))


def _stack(kind: torch.dtype, *shape: int) -> Stack:
    numbers = torch.randn(shape) / shape[-1] ** 0.5
    if kind is not FP8:
        return Stack(numbers.to(DEVICE, kind), None)
    weight = (numbers * 400).clamp(-448, 448).to(FP8)
    return Stack(weight.to(DEVICE), (torch.rand(shape[:-1]) / 400 + 1e-3).to(DEVICE))


def _stacks(kind: torch.dtype, count: int, wide: int, width: int) -> tuple[Stack, Stack]:
    return _stack(kind, count, 2 * width, wide), _stack(kind, count, wide, width)


def _asked(
    tokens: int, count: int, each: int, wide: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chosen = torch.stack([torch.randperm(count)[:each] for _ in range(tokens)])
    x = torch.randn(tokens, wide)
    return x.to(DEVICE, X_DTYPE), chosen.to(DEVICE), torch.rand(tokens, each).to(DEVICE)


def _error(out: torch.Tensor, reference: torch.Tensor) -> float:
    return float((out.double() - reference).norm() / reference.norm())


@pytest.mark.parametrize(("tokens", "count", "each"), [(1, 5, 2), (7, 3, 1), (40, 9, 4)])
def test_pairs_are_ordered_by_expert_and_keep_their_order(
    tokens: int, count: int, each: int
) -> None:
    torch.manual_seed(tokens)
    _x, chosen, _weights = _asked(tokens, count, each, 8)
    made = order(chosen, count)
    flat = chosen.flatten()
    assert torch.equal(made.pairs.long(), flat.argsort(stable=True))
    assert torch.equal(made.pairs[made.back.long()].long(), torch.arange(len(flat), device=DEVICE))
    assert made.starts.diff().tolist() == flat.bincount(minlength=count).tolist()
    assert made.starts[0] == 0


@KINDS
@pytest.mark.parametrize(
    ("tokens", "count", "each", "wide", "width"),
    [(1, 5, 2, 64, 48), (23, 3, 2, 80, 48), (9, 6, 3, 48, 176), (40, 4, 1, 64, 32)],
)
def test_experts_for_many_tokens(
    kind: torch.dtype, tokens: int, count: int, each: int, wide: int, width: int
) -> None:
    torch.manual_seed(wide)
    given, stacks = _asked(tokens, count, each, wide), _stacks(kind, count, wide, width)
    assert _error(mix(*given, *stacks, plans=PLANS), mix_reference(*given, *stacks)) < 6e-3


@KINDS
def test_all_tokens_may_ask_one_expert(kind: torch.dtype) -> None:
    torch.manual_seed(1)
    x, chosen, weights = _asked(50, 4, 1, 64)
    given, stacks = (x, torch.full_like(chosen, 2), weights), _stacks(kind, 4, 64, 32)
    assert _error(mix(*given, *stacks, plans=PLANS), mix_reference(*given, *stacks)) < 6e-3


def test_no_token_asks_nobody() -> None:
    x, chosen, weights = _asked(1, 4, 2, 64)
    stacks = _stacks(FP8, 4, 64, 32)
    assert mix(x[:0], chosen[:0], weights[:0], *stacks).shape == (0, 64)


@KINDS
def test_the_same_tokens_give_the_same_bits(kind: torch.dtype) -> None:
    torch.manual_seed(2)
    given, stacks = _asked(21, 4, 2, 64), _stacks(kind, 4, 64, 32)
    once = mix(*given, *stacks, plans=PLANS)
    assert all(torch.equal(mix(*given, *stacks, plans=PLANS), once) for _ in range(2))


def test_a_token_gets_the_same_whatever_comes_with_it() -> None:
    torch.manual_seed(3)
    (x, chosen, weights), stacks = _asked(30, 4, 2, 64), _stacks(FP8, 4, 64, 32)
    together = mix(x, chosen, weights, *stacks, plans=PLANS)
    alone = mix(x[11:12], chosen[11:12], weights[11:12], *stacks, plans=PLANS)
    assert torch.equal(together[11:12], alone)


@pytest.mark.filterwarnings("ignore:overflow")  # of the interpreter
def test_large_numbers_between_the_products_are_kept() -> None:
    torch.manual_seed(4)
    (x, chosen, weights), stacks = _asked(5, 3, 2, 64), _stacks(FP8, 3, 64, 32)
    given = (x * 300, chosen, weights)
    assert mix_reference(*given, *stacks).abs().max() > 65504
    assert _error(mix(*given, *stacks, plans=PLANS), mix_reference(*given, *stacks)) < 6e-3
