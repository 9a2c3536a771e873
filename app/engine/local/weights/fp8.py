"""Linear layers whose weights are 8-bit floats, with one scale a row or one a block.

Activations are not rounded to 8 bits, though both kinds of checkpoint allow for it (`FP8_DYNAMIC`
of llm-compressor rounds them a token, DeepSeek's block format a token and 128 columns): at batch 1
it saves nothing, for the weights are what is read, and without it the result is closer to the
model as it was trained, in bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import ClassVar, Self

import torch

from app.engine.local.weights.linear import Linear, grouped

_NO_SECOND_SIGN = -16385  # every bit of 16 but the second
_HALF_UNIT = 256.0  # 2 ** (15 - 7): the biases of the exponents of float16 and of E4M3


@dataclass(frozen=True, slots=True, eq=False)
class Fp8Channel(Linear):
    """E4M3 weights with one scale a row: W = weight · scale. As compressed-tensors writes them
    with the strategies `channel` and `tensor` (`X.weight`, `X.weight_scale`)."""

    ROWS_ALONG: ClassVar[Mapping[str, int]] = {"weight": -2, "scale": -2}
    weight: torch.Tensor  # 8-bit floats [..., out, in]
    scale: torch.Tensor  # float32 [..., out, 1]
    bias: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.weight.shape)

    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        numbers, unit = _numbers(self.weight[..., start:stop, :], torch.float32)
        return (numbers * (self.scale[..., start:stop, :] * unit)).to(dtype)

    def part(self, x: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Scaled behind the product, where there is less to scale."""
        if x.dtype is torch.float16:  # the product might be too large for it
            return x @ self.rows(start, stop, x.dtype).mT
        weight, scale = self.weight[..., start:stop, :], self.scale[..., start:stop, :]
        if x.is_cuda and weight.dim() == 2 and find_spec("triton") is not None:
            from app.engine.local.kernels.prefill import scaled, widened  # noqa: PLC0415

            return scaled(x @ widened(weight, x.dtype).mT, scale.flatten())
        numbers, unit = _numbers(weight, x.dtype)
        y = x @ numbers.mT  # [..., rows]
        return (y * (scale * unit).mT).to(x.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Fp8Block(Linear):
    """E4M3 weights with one scale a block of `block` rows and columns, the last of them perhaps
    partial: W = weight · scale. DeepSeek's format (`X.weight`, `X.weight_scale_inv`, which is
    multiplied in spite of its name).

    Where matrices of `split` rows each were laid one below the other, each has blocks of its own.
    """

    ROWS_ALONG: ClassVar[Mapping[str, int]] = {"weight": -2, "scale": -2}
    weight: torch.Tensor  # 8-bit floats [..., out, in]
    scale: torch.Tensor  # float32 [..., blocks of rows, blocks of columns]
    block: tuple[int, int]
    split: int
    bias: torch.Tensor | None = None

    @property
    def grain(self) -> tuple[int, ...]:
        return self.block

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.weight.shape)

    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        numbers, unit = _numbers(self.weight[..., start:stop, :], torch.float32)
        scale = self.scale.index_select(-2, self._places(start, stop)) * unit  # [..., rows, blocks]
        for view, groups in grouped(numbers, self.block[1]):
            view.mul_(scale[..., groups, None])
        return numbers.to(dtype)

    def below(self, layers: Sequence[Linear]) -> Self | None:
        """As long as each layer begins a block of the whole, or all of them are of one length."""
        found = super(Fp8Block, self).below(layers)  # a class with slots is made anew
        blocks = [layer for layer in layers if isinstance(layer, Fp8Block)]
        if found is None or {layer.split for layer in blocks} == {self.split}:
            return found
        single = all(layer.split == layer.out_features for layer in blocks)
        whole = all(layer.out_features % self.block[0] == 0 for layer in blocks[:-1])
        return replace(found, split=found.out_features) if single and whole else None

    def _places(self, start: int, stop: int) -> torch.Tensor:
        """The row of scales of each row of weights."""
        rows = torch.arange(start, stop, device=self.scale.device)
        high = self.block[0]
        blocks = -(-self.split // high)
        return rows // self.split * blocks + rows % self.split // high


def _numbers(weight: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, float]:
    """8-bit floats as new numbers of another type, and what these have to be multiplied by.

    torch's own conversion takes three times as long on a CPU. The bits of an E4M3 number, moved to
    their places in a float16, are the same number in another unit, the smallest ones included.
    """
    if weight.is_cuda or weight.dtype is not torch.float8_e4m3fn:
        return weight.to(dtype, copy=True), 1.0
    bits = weight.view(torch.int8).to(torch.int16)  # the sign fills the upper half
    bits <<= 7
    bits &= _NO_SECOND_SIGN
    return bits.view(torch.float16).to(dtype, copy=dtype is torch.float16), _HALF_UNIT
