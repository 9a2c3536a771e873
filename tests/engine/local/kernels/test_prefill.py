"""The kernels between the products, each against torch in 64 bits; on the CPU by Triton's
interpreter, which rounds to bfloat16 towards zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pytest
import torch

from app.engine.local.glm import fused
from app.engine.local.kernels.prefill import (
    add_norm,
    add_norm_reference,
    scaled,
    scaled_reference,
    silu_product,
    silu_product_reference,
    turn_and_store,
    turn_and_store_reference,
    turn_halves,
    turn_halves_reference,
    widened,
)

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
CLOSE = {torch.float32: 1e-6, torch.bfloat16: 1.2e-2, torch.float16: 2e-3}
EPS = 1e-5

P = ParamSpec("P")
T = TypeVar("T")


def poisoned(act: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """What `act` gives, when all memory that it is given anew is NaN at first."""
    torch.use_deterministic_algorithms(True, warn_only=True)  # it fills memory with NaN
    try:
        assert torch.empty(3).isnan().all()
        return act(*args, **options)
    finally:
        torch.use_deterministic_algorithms(False)


def random(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, device=DEVICE).to(dtype)


def close(out: torch.Tensor, wanted: torch.Tensor) -> bool:
    off = (out.double() - wanted).norm() / wanted.norm()
    return out.shape == wanted.shape and off.item() <= CLOSE[out.dtype]


@DTYPES
@pytest.mark.parametrize("shape", [(1, 2), (3, 70), (2, 3, 704), (5, 2736)])
def test_a_gate_is_one_pass(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    both = random(*shape, dtype=dtype)
    assert close(poisoned(silu_product, both), silu_product_reference(both.double()))


def test_a_gate_of_no_tokens_is_none() -> None:
    assert silu_product(random(0, 12)).shape == (0, 6)


@DTYPES
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("shape", [(1, 8), (5, 48), (3, 1536), (2, 3001)])
def test_a_sum_and_its_norm_are_one_pass(
    shape: tuple[int, int], first: bool, dtype: torch.dtype
) -> None:
    x, y = random(*shape, dtype=dtype), 3 * random(*shape, dtype=dtype)
    weight, inner = (1 + random(shape[1], dtype=dtype) / 5 for _ in range(2))
    kept = x.clone()
    total, normed = poisoned(add_norm, x, y, weight, EPS, first=(inner, EPS) if first else None)
    wanted = add_norm_reference(
        x.double(),
        y.double(),
        weight.double(),
        EPS,
        first=(inner.double(), EPS) if first else None,
    )
    assert close(total, wanted[0])
    assert close(normed, wanted[1])
    assert torch.equal(x, kept)


@DTYPES
@pytest.mark.parametrize(("count", "heads", "width"), [(1, 1, 2), (7, 3, 24), (5, 6, 128)])
def test_queries_and_keys_are_turned_in_place_and_values_stay(
    count: int, heads: int, width: int, dtype: torch.dtype
) -> None:
    joined = random(count, 3, heads, width, dtype=dtype)
    angles = random(count, width // 2)
    wanted = turn_halves_reference(joined[:, :2].double(), angles.cos(), angles.sin())
    values = joined[:, 2].clone()
    turned = turn_halves(joined[:, :2], angles.cos(), angles.sin())
    assert turned.data_ptr() == joined.data_ptr()
    assert close(turned, wanted.double())
    assert torch.equal(joined[:, 2], values)


@DTYPES
@pytest.mark.parametrize(
    ("count", "heads", "key_heads", "width", "start"),
    [(1, 3, 1, 8, 0), (5, 4, 2, 24, 3), (9, 24, 2, 128, 2), (3, 10, 5, 64, 4)],
)
def test_keys_and_values_go_where_they_belong_and_nowhere_else(
    count: int, heads: int, key_heads: int, width: int, start: int, dtype: torch.dtype
) -> None:
    rows = random(count, heads + 2 * key_heads, width, dtype=dtype)
    angles, swap = random(count, width), torch.randperm(width, device=DEVICE)
    cos, sin = angles.cos().to(dtype), angles.sin().to(dtype)
    nothing = torch.full((2, key_heads, start + count + 4, width), torch.nan, device=DEVICE)
    keys, values = nothing.to(dtype)
    query = poisoned(turn_and_store, rows, cos, sin, swap, keys, values, start)
    doubles = [tensor.double() for tensor in (rows, cos, sin)]
    wanted_keys, wanted_values = nothing.double()
    wanted = turn_and_store_reference(*doubles, swap, wanted_keys, wanted_values, start)
    assert close(query, wanted)
    for held, right in ((keys, wanted_keys), (values, wanted_values)):
        assert torch.equal(held.isnan(), right.isnan())
        assert close(held[:, start : start + count], right[:, start : start + count])


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (130, 70)])
def test_8_bit_floats_are_widened_to_the_same_numbers(shape: tuple[int, int]) -> None:
    weight = torch.randint(0, 255, shape, dtype=torch.uint8, device=DEVICE)
    weight[(weight & 127) == 127] = 0  # NaN
    weight = weight.view(torch.float8_e4m3fn)
    out = poisoned(widened, weight, torch.bfloat16)
    assert torch.equal(out, weight.to(torch.bfloat16))


@DTYPES
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(1, 3), (4, 7, 100), (3, 2500)])
def test_a_products_scales_and_bias_are_one_pass(
    shape: tuple[int, ...], bias: bool, dtype: torch.dtype
) -> None:
    y = random(*shape, dtype=dtype)
    scale, shift = random(shape[-1]).abs(), random(shape[-1], dtype=dtype) if bias else None
    wanted = scaled_reference(y.double(), scale, None if shift is None else shift.double())
    assert scaled(y, scale, shift) is y
    assert close(y, wanted)


@pytest.mark.skipif(DEVICE.type != "cuda", reason="needs a GPU")
def test_on_a_gpu_the_kernels_stand_in_for_torchs_operations() -> None:
    both = random(40, 704, dtype=torch.bfloat16)
    assert fused.quick(both)
    assert torch.equal(fused.gated(both), silu_product_reference(both))
    x, y, weight = (random(40, 4096, dtype=torch.bfloat16) for _ in range(3))
    ours = fused.added(x, y, weight[0], EPS)
    theirs = add_norm_reference(x, y, weight[0], EPS)
    assert torch.equal(ours[0], theirs[0])
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-2, atol=0)
