"""The embedding of one token."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton")

from app.engine.local.kernels.embed import embed, embed_reference

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.mark.parametrize("size", [3, 100, 1024, 2500])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gives_the_row_of_the_token(size: int, dtype: torch.dtype) -> None:
    table = torch.randn(7, size, device=DEVICE).to(dtype)
    for chosen in (0, 3, 6):
        token = torch.tensor([chosen], device=DEVICE)
        room = torch.full((size + 64,), torch.nan, device=DEVICE, dtype=dtype)
        embed(table, token, room[:size])
        assert torch.equal(room[:size], embed_reference(table, token))
        assert room[size:].isnan().all()
