"""The embedding of the token that was chosen last, taken on the device."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.launch import pdl as dependent

_BLOCK = 1024


@triton.jit
def _embed(table, token, x, H: tl.constexpr, BLOCK: tl.constexpr, PDL: tl.constexpr):
    h = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if PDL:
        gdc_launch_dependents()
        gdc_wait()
    row = tl.load(token).to(tl.int64)
    numbers = tl.load(table + row * H + h, mask=h < H, other=0.0)
    tl.store(x + h, numbers.to(x.dtype.element_ty), mask=h < H)


def embed(table: torch.Tensor, token: torch.Tensor, x: torch.Tensor, *, pdl: bool = False) -> None:
    """x [H] = table [V, H] at token int64 [1]."""
    size = x.numel()
    pdl = pdl and dependent(x)
    chosen = {"launch_pdl": True} if pdl else {}
    grid = (triton.cdiv(size, _BLOCK),)
    _embed[grid](table, token, x, H=size, BLOCK=_BLOCK, PDL=pdl, num_warps=4, **chosen)


def embed_reference(table: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    """[H]"""
    return table[int(token)]
