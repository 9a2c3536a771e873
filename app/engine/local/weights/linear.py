"""Linear layers that keep their weights as the checkpoint's file does: the seam for all formats,
and the plain one. Knows no files and no model.

A layer may hold a whole stack of matrices [..., out, in]; `pick` takes one or some of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeAlias, cast

import torch
from torch.nn.functional import linear

from app.engine.local.weights.share import laid

_TEMPORARY = {"cpu": 2 << 20, "cuda": 128 << 20}  # bytes of numbers made of weights at a time
_STEP = 128  # rows at a time are a multiple of this: whole blocks, whole packed words

Which: TypeAlias = int | torch.Tensor
Layered: TypeAlias = Callable[[torch.Tensor], torch.Tensor]  # [..., in] → [..., out]


class Linear(ABC):
    """y = x Wᵀ + b, [..., in] → [..., out], in the numbers of x, while W stays as it is kept.

    `ROWS_ALONG` names its tensors, and the dimension of each along which the rows of W lie; `grain`
    is how many rows or columns share a scale, where these numbers are not in the shapes.
    """

    __slots__ = ()
    ROWS_ALONG: ClassVar[Mapping[str, int]]

    @property
    def grain(self) -> tuple[int, ...]:
        return ()

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """[..., out, in]"""

    @abstractmethod
    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        """Rows of W as numbers, [..., stop - start, in]; `start` is a multiple of 128."""

    @property
    def in_features(self) -> int:
        return self.shape[-1]

    @property
    def out_features(self) -> int:
        return self.shape[-2]

    @property
    def bytes(self) -> int:
        bias = self._bias()
        kept = [*self.tensors().values(), *([] if bias is None else [bias])]
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        parts = [self.part(x, start, stop) for start, stop in self._blocks(x)]
        y, bias = parts[0] if len(parts) == 1 else torch.cat(parts, -1), self._bias()
        return y if bias is None else y + bias.to(y.dtype)

    def part(self, x: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Columns `start` to `stop` of x Wᵀ."""
        return x @ self.rows(start, stop, x.dtype).mT

    def dense(self, dtype: torch.dtype) -> torch.Tensor:
        """All of W as numbers, [..., out, in]."""
        return self.rows(0, self.out_features, dtype)

    def tensors(self) -> dict[str, torch.Tensor]:
        """What it keeps of W, by name."""
        kept = {name: getattr(self, name) for name in self.ROWS_ALONG}
        return {name: tensor for name, tensor in kept.items() if tensor is not None}

    def pick(self, which: Which) -> Self:
        """One matrix of a stack (a view), or those of `which` [N] (copies); without the bias."""
        return self.holding({name: _take(t, which) for name, t in self.tensors().items()})

    def holding(self, tensors: Mapping[str, torch.Tensor]) -> Self:
        """The same kind of layer with these tensors, without the bias."""
        changed: dict[str, Any] = {**tensors, "bias": None}
        return cast(Self, replace(cast(Any, self), **changed))

    def with_bias(self, bias: torch.Tensor | None) -> Self:
        return cast(Self, replace(cast(Any, self), bias=bias))

    def below(self, layers: Sequence[Linear]) -> Self | None:
        """One matrix with those of `layers` laid one below the other, of which this is one; None
        where they are not all of one kind. Without biases."""
        if len({layer._kind() for layer in layers}) > 1:
            return None
        each = [layer.tensors() for layer in layers]
        along = self.ROWS_ALONG
        return self.holding({name: laid([t[name] for t in each], along[name]) for name in each[0]})

    def _kind(self) -> tuple[object, ...]:
        """What layers have in common that can be laid one below the other."""
        held = self.tensors().items()
        sizes = [(name, t.dtype, _but(t.shape, self.ROWS_ALONG[name])) for name, t in held]
        return (type(self), self.in_features, self.grain, *sizes)

    def _bias(self) -> torch.Tensor | None:
        return cast("torch.Tensor | None", getattr(self, "bias", None))

    def _blocks(self, x: torch.Tensor) -> Iterator[tuple[int, int]]:
        """Runs of rows whose numbers take little memory."""
        row = max(math.prod(self.shape[:-2]) * self.in_features * x.element_size(), 1)
        limit = _TEMPORARY["cuda" if x.is_cuda else "cpu"]
        step = max(limit // row // _STEP, 1) * _STEP
        for start in range(0, self.out_features, step):
            yield start, min(start + step, self.out_features)


@dataclass(frozen=True, slots=True, eq=False)
class Plain(Linear):
    """Weights as ordinary numbers."""

    ROWS_ALONG: ClassVar[Mapping[str, int]] = {"weight": -2}
    weight: torch.Tensor  # [..., out, in]
    bias: torch.Tensor | None = None  # [out]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.weight.shape)

    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        return self.weight[..., start:stop, :].to(dtype)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self.weight.dtype != x.dtype:
            return super(Plain, self).__call__(x)  # a class with slots is made anew: no bare super
        return linear(x, self.weight, self.bias) if self.weight.dim() == 2 else x @ self.weight.mT


@dataclass(frozen=True, slots=True, eq=False)
class Added(Linear):
    """A layer with a low-rank change on top: y + (x Aᵀ) Bᵀ (LoRA, https://arxiv.org/abs/2106.09685);
    the change's scale is in B."""

    ROWS_ALONG: ClassVar[Mapping[str, int]] = {}
    base: Linear
    down: torch.Tensor  # A: [..., r, in]
    up: torch.Tensor  # B: [..., out, r]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.base.shape

    @property
    def bytes(self) -> int:
        own = (self.down, self.up)
        return self.base.bytes + sum(tensor.numel() * tensor.element_size() for tensor in own)

    def rows(self, start: int, stop: int, dtype: torch.dtype) -> torch.Tensor:
        change = self.up[..., start:stop, :].to(dtype) @ self.down.to(dtype)
        return self.base.rows(start, stop, dtype) + change

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + (x @ self.down.to(x.dtype).mT) @ self.up.to(x.dtype).mT

    def below(self, layers: Sequence[Linear]) -> None:
        """Changes of several layers are not laid one below the other."""

    def pick(self, which: Which) -> Added:
        return Added(self.base.pick(which), _take(self.down, which), _take(self.up, which))


def beside(*layers: Linear) -> Layered:
    """Layers that read the same x as one that gives all their outputs side by side: one layer where
    they are of one kind, so that a single token is not held up by many small products."""
    return joined(layers) or (lambda x: torch.cat([layer(x) for layer in layers], -1))


def joined(layers: Sequence[Linear]) -> Linear | None:
    """One layer with the rows of all, and a bias of zeros for those that have none; None where they
    can't be laid one below the other."""
    below = layers[0].below(layers) if all(len(layer.shape) == 2 for layer in layers) else None
    there = [bias for layer in layers if (bias := layer._bias()) is not None]
    if below is None or not there:
        return below
    biases = [
        there[0].new_zeros(layer.out_features) if (bias := layer._bias()) is None else bias
        for layer in layers
    ]
    return below.with_bias(torch.cat(biases))


def grouped(numbers: torch.Tensor, width: int) -> Iterator[tuple[torch.Tensor, slice]]:
    """Views [..., G, width] of the columns of [..., rows, in], and the groups that each holds: all
    whole groups at once, then what is left of a last one."""
    rows, whole = numbers.shape[:-1], numbers.shape[-1] // width
    yield numbers[..., : whole * width].view(*rows, whole, width), slice(0, whole)
    if whole * width < numbers.shape[-1]:
        yield numbers[..., None, whole * width :], slice(whole, whole + 1)


def _take(tensor: torch.Tensor, which: Which) -> torch.Tensor:
    """Some of a stack; as bytes, for not every torch can index 8-bit floats everywhere."""
    if isinstance(which, torch.Tensor) and tensor.element_size() == 1:
        return tensor.view(torch.uint8)[which].view(tensor.dtype)
    return tensor[which]


def _but(shape: Sequence[int], dim: int) -> tuple[int, ...]:
    """All lengths but that of one dimension, counted from the last."""
    return tuple(length for place, length in enumerate(shape) if place != len(shape) + dim)
