from __future__ import annotations

import pytest
import torch
from torch import nn

from app.engine.local.generic.packed import Linear4, Linear8, fastest, pack

needs_kernels = pytest.mark.skipif(
    not hasattr(torch.ops.aten, "_weight_int4pack_mm_for_cpu"), reason="this torch has no kernels"
)


def _four_bit_weights(rows: int, columns: int) -> torch.Tensor:
    """Weights that stand on 16 steps in each group of 32, as Q4_1 leaves them."""
    generator = torch.Generator().manual_seed(3)
    steps = torch.randint(0, 16, (rows, columns // 32, 32), generator=generator)
    steps[..., 0], steps[..., 1] = 0, 15
    return (steps * 0.0625 - 0.5).reshape(rows, columns).float()


@needs_kernels
def test_weights_of_four_bits_lose_nothing() -> None:
    weight = _four_bit_weights(64, 128)
    x = torch.randn(3, 128).bfloat16()
    exact = x.float() @ weight.T
    assert torch.allclose(Linear4(weight)(x).float(), exact, atol=0.1, rtol=0.02)


@needs_kernels
def test_weights_in_bytes_come_close() -> None:
    weight = torch.randn(64, 128)
    x = torch.randn(2, 5, 128).bfloat16()
    exact = x.float() @ weight.T
    found = Linear8(weight)(x).float()
    assert found.shape == (2, 5, 64)
    assert (found - exact).abs().mean() < 0.02 * exact.abs().mean() + 0.05


@needs_kernels
def test_a_bias_is_added() -> None:
    weight, bias = _four_bit_weights(64, 64), torch.ones(64).bfloat16()
    x = torch.zeros(1, 64).bfloat16()
    assert torch.equal(Linear4(weight, bias)(x), bias[None])


@needs_kernels
def test_packing_replaces_each_linear_layer_that_fits() -> None:
    model = nn.Sequential(nn.Linear(64, 32), nn.Linear(48, 16)).bfloat16()
    pack(model)
    assert [type(layer) for layer in model] == [Linear4, nn.Linear]


def test_the_fastest_way_is_one_of_those_offered() -> None:
    assert fastest(("float32",)) == "float32"
    assert fastest(("float32", "bfloat16")) in ("float32", "bfloat16")
