"""One rank's share of a matrix: which of its rows or columns it keeps. Knows no format, no files
and no other rank.

Tensor parallelism as in Megatron-LM (arXiv:1909.08053): a layer whose rows are cut gives each rank
some of its outputs; the layer that reads those is cut by its columns, and what comes out of it is
summed over the ranks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from app.vocabulary import EngineFault

Cut: TypeAlias = Literal["rows", "columns"]  # of W [out, in]
Place: TypeAlias = tuple[
    int, int
]  # a tensor's dimension, and how many of W lie in one of its steps

_ROUND = 8  # uneven shares are a multiple of this


@dataclass(frozen=True, slots=True)
class Share:
    """Share number `index` of `count`. Where they need not be `even`, the last get less, or
    nothing."""

    index: int = 0
    count: int = 1
    even: bool = True

    def each(self, length: int) -> int:
        """How much of `length` a share has, at most."""
        if length % self.count == 0:
            return length // self.count
        return -(-length // self.count // _ROUND) * _ROUND

    def runs(self, length: int, parts: int = 1) -> tuple[slice, ...]:
        """The share of each of `parts` that make up `length` together."""
        whole = length // parts
        each = self.each(whole)
        start, stop = (min(place * each, whole) for place in (self.index, self.index + 1))
        return tuple(slice(part * whole + start, part * whole + stop) for part in range(parts))

    def fits(self, length: int, parts: int = 1, word: int = 1) -> bool:
        """Whether it can be cut so, through no word of `word`."""
        equal = not self.even or length % (parts * self.count) == 0
        return equal and (self.count == 1 or self.each(length // parts) % word == 0)


@dataclass(frozen=True, slots=True)
class Slab:
    """What is kept of a tensor: runs along one of its dimensions, counted from the last."""

    dim: int
    runs: tuple[slice, ...]

    @property
    def length(self) -> int:
        return sum(run.stop - run.start for run in self.runs)


@dataclass(frozen=True, slots=True)
class Part:
    """What is kept of a matrix [out, in]: runs of its rows, laid one below the other, or of its
    columns; all of it where nothing is cut."""

    cut: Cut | None = None
    runs: tuple[slice, ...] = ()

    def slab(self, *, rows: Place | None = (-2, 1), columns: Place | None = (-1, 1)) -> Slab | None:
        """Of a tensor in which rows and columns lie so; None for all of it."""
        place = rows if self.cut == "rows" else columns if self.cut == "columns" else None
        if place is None:
            return None
        dim, step = place
        return Slab(dim, tuple(slice(run.start // step, -(-run.stop // step)) for run in self.runs))

    def length(self, cut: Cut, whole: int) -> int:
        """How many rows or columns are kept, of `whole`."""
        return sum(run.stop - run.start for run in self.runs) if cut == self.cut else whole

    def unit(self, cut: Cut, size: int) -> int:
        """The largest part of a block of `size` rows or columns that no run begins or ends in."""
        if cut != self.cut:
            return size
        return math.gcd(size, *(edge for run in self.runs for edge in (run.start, run.stop)))


WHOLE = Part()


def part_of(
    name: str,
    shape: tuple[int, ...],
    cut: Cut | None,
    share: Share,
    *,
    parts: int = 1,
    word: int = 1,
) -> Part:
    """The share of a matrix of `shape` [..., out, in], cut along `parts` of itself alike.

    Raises EngineFault("unsupported") where it can't be cut so, on every rank.
    """
    if cut is None or share.count == 1:
        return WHOLE
    length = shape[-2 if cut == "rows" else -1]
    if not share.fits(length, parts, word):
        words = f" of whole words of {word}" if word > 1 else ""
        raise EngineFault(
            "unsupported",
            f"This model can't be shared out among {share.count} GPUs: the {length} {cut} of "
            f"{name} don't make {share.count} equal parts{words}; ask for fewer GPUs.",
        )
    return Part(cut, share.runs(length, parts))


def take(tensor: torch.Tensor, slab: Slab | None) -> torch.Tensor:
    """A slab of a tensor in memory: a view where it is one run."""
    if slab is None:
        return tensor
    pieces = [tensor.narrow(slab.dim, run.start, run.stop - run.start) for run in slab.runs]
    return pieces[0] if len(pieces) == 1 else laid(pieces, slab.dim)


def laid(tensors: list[torch.Tensor], dim: int) -> torch.Tensor:
    """Tensors side by side; as bytes, for not every torch can join 8-bit floats everywhere."""
    first = tensors[0]
    if not first.is_floating_point() or first.element_size() > 1:
        return torch.cat(tensors, dim)
    return torch.cat([tensor.view(torch.uint8) for tensor in tensors], dim).view(first.dtype)
