"""Places as products of matrices, as a GPU has them, against torch's sampling."""

from __future__ import annotations

import pytest
import torch

from app.engine.local.glm.places import Places


@pytest.mark.parametrize("size", [(2, 2), (24, 24), (5, 9), (78, 138), (2, 400)])
def test_products_are_the_same_as_sampling(size: tuple[int, int]) -> None:
    places = Places(torch.randn(24 * 24, 5))
    cells = torch.cartesian_prod(*(torch.arange(side) for side in size))
    cells = cells[torch.randperm(len(cells))]
    sampled, multiplied = places._sampled(cells, size), places._multiplied(cells, size)
    torch.testing.assert_close(multiplied, sampled, atol=2e-5, rtol=1e-5)
