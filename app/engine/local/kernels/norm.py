"""RMSNorm of what a layer gives, added to the residual stream, for models that normalise behind
their layers as well as before them."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.launch import pdl as dependent


@triton.jit
def _add_norm(x, y, weight, eps, H: tl.constexpr, BLOCK: tl.constexpr, PDL: tl.constexpr):
    h = tl.arange(0, BLOCK)
    inside = h < H
    if PDL:
        gdc_launch_dependents()
    by = tl.load(weight + h, mask=inside, other=0.0).to(tl.float32)
    if PDL:
        gdc_wait()
    numbers = tl.load(y + h, mask=inside, other=0.0).to(tl.float32)
    before = tl.load(x + h, mask=inside, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(numbers * numbers, 0) / H + eps)
    normal = (numbers * scale * by).to(x.dtype.element_ty).to(tl.float32)
    tl.store(x + h, (before + normal).to(x.dtype.element_ty), mask=inside)


def add_norm(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, eps: float, *, pdl: bool = False
) -> None:
    """x [H] += rms_norm(y [H]) · weight [H], in place (https://arxiv.org/abs/1910.07467)."""
    size = x.numel()
    pdl = pdl and dependent(x)
    chosen = {"launch_pdl": True} if pdl else {}
    block = triton.next_power_of_2(size)
    _add_norm[(1,)](x, y, weight, eps, H=size, BLOCK=block, PDL=pdl, num_warps=16, **chosen)


def add_norm_reference(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, eps: float
) -> torch.Tensor:
    """What x is afterwards, in float64."""
    numbers = y.double()
    return x.double() + numbers * (numbers.square().mean() + eps).rsqrt() * weight.double()
