"""The small operations between a layer's products: one kernel each on a GPU, torch's own elsewhere.
Knows no layer and no format of weights."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import torch
from torch.nn import functional


def quick(x: torch.Tensor) -> bool:
    """Whether there are kernels for it."""
    return x.is_cuda and _triton()


@cache
def _triton() -> bool:
    return find_spec("triton") is not None


def gated(both: torch.Tensor) -> torch.Tensor:
    """[..., 2I], the gate beside what it lets through, → silu(gate) · up, [..., I]."""
    if quick(both):
        from app.engine.local.kernels.prefill import silu_product  # noqa: PLC0415

        return silu_product(both)
    gate, up = both.chunk(2, -1)
    return functional.silu(gate) * up


def added(
    x: torch.Tensor,
    y: torch.Tensor,
    weight: torch.Tensor,
    eps: float,
    *,
    first: tuple[torch.Tensor, float] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """x + y and the norm of that sum, [T, H] each; `first` (weight, eps) is a norm that y has
    before it is added. Root mean square norms (arXiv:1910.07467), reckoned in 32 bits."""
    if quick(x):
        from app.engine.local.kernels.prefill import add_norm  # noqa: PLC0415

        return add_norm(x, y, weight, eps, first=first)
    if first is not None:
        y = functional.rms_norm(y, first[0].shape, *first)
    x = x + y
    return x, functional.rms_norm(x, weight.shape, weight, eps)


def turned_halves(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Heads x [P, M, N, D] turned by angles [P, D/2], the first half of each against the second,
    in 32 bits. May be written over x."""
    if quick(x):
        from app.engine.local.kernels.prefill import turn_halves  # noqa: PLC0415

        return turn_halves(x, cos, sin)
    one, other = x.float().chunk(2, -1)
    cos, sin = cos[:, None, None], sin[:, None, None]  # [P, 1, 1, D/2]
    return torch.cat((one * cos - other * sin, other * cos + one * sin), -1).to(x.dtype)
