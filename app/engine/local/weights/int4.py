"""Linear layers whose weights are 4-bit steps, eight to a 32-bit word, with a scale and perhaps a
zero for each group of columns: W = (step - zero) · scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from app.engine.local.weights.linear import Linear, grouped

_MIDDLE = 8  # the zero of symmetric steps
_WORD = 8  # steps


@dataclass(frozen=True, slots=True, eq=False)
class Awq(Linear):
    """The layout “gemm” of AutoAWQ (https://github.com/casper-hansen/AutoAWQ): input rows, output
    columns packed in the order 0 2 4 6 1 3 5 7 from the lowest bits up."""

    ROWS_ALONG: ClassVar[Mapping[str, int]] = {"qweight": -1, "qzeros": -1, "scales": -1}
    qweight: torch.Tensor  # int32 [..., in, out / 8]
    qzeros: torch.Tensor  # int32 [..., groups, out / 8]
    scales: torch.Tensor  # [..., groups, out]
    bias: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.qweight.shape[:-2], self.scales.shape[-1], self.qweight.shape[-2])

    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        words = slice(start // _WORD, -(-stop // _WORD))
        steps, zeros = _interleaved(self.qweight[..., words]), _interleaved(self.qzeros[..., words])
        scale = self.scales[..., start:stop].mT.float()
        group = self.in_features // self.scales.shape[-2]
        return _numbers(steps.mT, zeros.mT, scale, group).to(dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Linear):
    """The format “pack-quantized” of compressed-tensors in 4 bits
    (https://github.com/vllm-project/compressed-tensors): input columns packed in order, from the
    lowest bits up; without zeros the steps count from the middle."""

    ROWS_ALONG: ClassVar[Mapping[str, int]] = {"packed": -2, "scale": -2, "zero": -2}
    packed: torch.Tensor  # int32 [..., out, in / 8, rounded up]
    scale: torch.Tensor  # [..., out, groups]
    zero: torch.Tensor | None  # uint8 [..., out, groups]
    columns: int  # in
    group: int  # columns that share a scale
    bias: torch.Tensor | None = None

    @property
    def grain(self) -> tuple[int, ...]:
        return (self.group,)

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.packed.shape[:-1], self.columns)

    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        steps = nibbles(self.packed[..., start:stop, :])[..., : self.columns]
        zero = None if self.zero is None else self.zero[..., start:stop, :]
        scale = self.scale[..., start:stop, :].float()
        return _numbers(steps, zero, scale, self.group).to(dtype)


def nibbles(words: torch.Tensor) -> torch.Tensor:
    """int32 [..., N] → its 4-bit parts from the lowest up, uint8 [..., 8 N]."""
    halves = words.view(torch.uint8)
    return torch.stack((halves & 15, halves >> 4), -1).flatten(-2)


def _interleaved(words: torch.Tensor) -> torch.Tensor:
    """AWQ's int32 [..., N] → steps in their true order, uint8 [..., 8 N]: the even ones lie in a
    word's lower half, the odd ones in its upper."""
    return nibbles(words).view(*words.shape, 2, 4).mT.flatten(-3)


def _numbers(
    steps: torch.Tensor, zero: torch.Tensor | None, scale: torch.Tensor, group: int
) -> torch.Tensor:
    """float32 [..., rows, in] of steps of that shape, and zeros and scales [..., rows, groups]."""
    numbers = steps.float()
    for view, groups in grouped(numbers, group):
        view.sub_(_MIDDLE if zero is None else zero[..., groups, None])
        view.mul_(scale[..., groups, None])
    return numbers
