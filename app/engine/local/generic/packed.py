"""Linear layers in fewer bits on a CPU, where reading the weights is what a token costs.

Uses torch's own kernels for weights in 4 and 8 bits. They are not part of its public face, so the
fastest way is found by trying each on this machine, and what is missing is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn
from torch.nn.functional import linear

Way = Literal["float32", "bfloat16", "packed"]

_GROUP = 32  # weights that share a scale and a least value, as in GGUF's Q4_1
_ROWS = 4096  # quantised at a time, so that the temporaries stay in the processor's cache
_SAMPLE = (1536, 576)  # the shape of the layer that is timed: [out, in]
_TRIES = 20


class Linear4(nn.Module):
    """Weights as 4-bit steps between the least and the greatest of each group of 32.

    Weights that came from GGUF's Q4_1 are on such steps already and lose nothing.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        steps, scales = _grouped(weight)
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(steps, 1)
        self.register_buffer("packed", packed, persistent=False)
        self.register_buffer("scales", scales, persistent=False)
        self.bias = bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [..., in] → [..., out]
        rows = x.reshape(-1, self.in_features)
        out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.packed, _GROUP, self.scales)
        shaped: torch.Tensor = out.view(*x.shape[:-1], self.out_features)
        return shaped if self.bias is None else shaped + self.bias


class Linear8(nn.Module):
    """Weights as bytes, with one scale a row."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        parts = [_rounded(part) for part in torch.split(weight, _ROWS)]
        self.register_buffer("packed", torch.cat([part for part, _ in parts]), persistent=False)
        self.register_buffer("scales", torch.cat([scale for _, scale in parts]), persistent=False)
        self.bias = bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [..., in] → [..., out]
        rows = x.reshape(-1, self.in_features)
        out = torch.ops.aten._weight_int8pack_mm(rows, self.packed, self.scales)
        shaped: torch.Tensor = out.view(*x.shape[:-1], self.out_features)
        return shaped if self.bias is None else shaped + self.bias


def _grouped(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Steps [out, in] and, for torch's kernel, scale and middle of each group [in/32, out, 2]."""
    groups = weight.to(torch.float32, copy=True).reshape(
        len(weight), -1, _GROUP
    )  # [out, in/32, 32]
    least, greatest = torch.aminmax(groups, dim=2, keepdim=True)
    scale = ((greatest - least) / 15).clamp_(min=1e-8)
    middle = least + 8 * scale  # the kernel counts steps from -8
    steps = groups.sub_(least).mul_(scale.reciprocal()).round_().to(torch.int32).flatten(1)
    return steps, torch.cat([scale, middle], 2).transpose(0, 1).bfloat16().contiguous()


def _rounded(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    weight = weight.float()
    scale = (weight.abs().amax(1) / 127).clamp_(min=1e-8)
    steps = (weight * scale.reciprocal()[:, None]).round_().to(torch.int8)
    return steps, scale.bfloat16()


def pack(model: nn.Module) -> None:
    """Replace a bfloat16 model's linear layers, the head in 8 bits and the others in 4."""
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and module.in_features % _GROUP == 0:
            form = Linear8 if name == "lm_head" else Linear4
            model.set_submodule(name, form(module.weight.detach(), module.bias))


@torch.inference_mode()
def fastest(ways: tuple[Way, ...]) -> Way:
    """The way in which this machine's CPU does a layer of one token soonest."""
    weight = torch.randn(_SAMPLE)
    timed = {way: _seconds(way, weight) for way in ways}
    return min(timed, key=lambda way: timed[way])


def _seconds(way: Way, weight: torch.Tensor) -> float:
    x = torch.randn(1, weight.shape[1], dtype=torch.float32)
    try:
        work = _work(way, weight, x)
        work()
    except (AttributeError, RuntimeError, NotImplementedError):
        return float("inf")  # this torch, or this processor, has no such kernel
    # the least of many tries: what else the machine does at the moment must not decide
    return min(_timed(work) for _ in range(_TRIES))


def _timed(work: Callable[[], torch.Tensor]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _work(way: Way, weight: torch.Tensor, x: torch.Tensor) -> Callable[[], torch.Tensor]:
    match way:
        case "packed":
            four, half = Linear4(weight), x.bfloat16()
            return lambda: four(half)
        case "bfloat16":
            short, half = weight.bfloat16(), x.bfloat16()
            return lambda: linear(half, short)
        case "float32":
            return lambda: linear(x, weight)
