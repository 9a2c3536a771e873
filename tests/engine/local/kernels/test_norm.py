"""RMSNorm added to the residual stream."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton")

from app.engine.local.kernels.norm import add_norm, add_norm_reference

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.mark.parametrize("size", [33, 100, 1024, 4096])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_adds_the_normalised_output_in_place(size: int, dtype: torch.dtype) -> None:
    room = torch.full((size + 64,), torch.nan, device=DEVICE, dtype=dtype)
    x, y = room[:size], torch.randn(size, device=DEVICE).to(dtype)
    x.copy_(torch.randn(size, device=DEVICE))
    weight = (torch.randn(size, device=DEVICE) + 2).to(dtype)
    reference = add_norm_reference(x, y, weight, 1e-5)
    add_norm(x, y, weight, 1e-5)
    assert (x.double() - reference).norm() / reference.norm() < (
        1e-5 if dtype is torch.float32 else 2e-2  # the interpreter cuts what a GPU rounds
    )
    assert room[size:].isnan().all()
