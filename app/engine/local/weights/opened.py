"""An opened checkpoint: its tensors and layers by name, in the format of its files, with an adapter
laid over; of layers that are shared out, this rank's part. Knows no network; a network asks it for
what it needs, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import torch

from app.engine.headers import contents
from app.engine.local.life import Say
from app.engine.local.weights import formats, overlay
from app.engine.local.weights.adapter import Adapter
from app.engine.local.weights.experts import Experts, stack
from app.engine.local.weights.invented import shards_for
from app.engine.local.weights.linear import Linear, Plain
from app.engine.local.weights.names import spelling
from app.engine.local.weights.shards import Progress, Shards
from app.engine.local.weights.share import WHOLE, Cut, Part, Share, Slab, part_of, take
from app.engine.models import read_config
from app.vocabulary import EngineFault

_EXACT = ("e_score_correction_bias",)  # of a router: a rounded one would choose other experts
_PARTS = {"gate_up_proj": ("gate_proj", "up_proj"), "down_proj": ("down_proj",)}
_ALL = Share()
_CUTS: dict[str, Cut] = {"gate_up_proj": "rows", "down_proj": "columns"}


class Weights:
    """For one thread. Names are today's (`model.language_model.*`, `model.visual.*`), whichever
    the file has. `close` it when the network is built."""

    def __init__(
        self,
        shards: Shards,
        dtype: torch.dtype,
        scheme: formats.Scheme,
        adapter: Adapter | None,
        share: Share = _ALL,
    ) -> None:
        self.dtype = dtype
        self.share = share
        self.device = shards.device
        self.names = frozenset(shards.held)
        self._shards = shards
        self._scheme = scheme
        self._adapter = adapter
        self._own = spelling(shards.held)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        device: torch.device,
        dtype: torch.dtype,
        say: Say,
        adapter: Path | None = None,
        share: Share = _ALL,
    ) -> Self:
        """Check the folder's files and the adapter's, before anything is read.

        Raises EngineFault("damaged" | "unsupported") that names the very file.
        """
        held = contents(folder)
        own = spelling(held)
        scheme = formats.read_scheme(read_config(folder))
        total = sum(header.bytes for header in held.values())
        progress = Progress(say, folder.name, total=total)
        shards = shards_for(folder)({own(name): held[name] for name in held}, device, progress)
        added = None if adapter is None else Adapter.open(adapter, device, own)
        weights = cls(shards, dtype, scheme, added, share)
        try:
            if added is not None:
                overlay.check(added, shards)
        except BaseException:
            weights.close()
            raise
        return weights

    def tensor(self, name: str, dtype: torch.dtype | None = None) -> torch.Tensor:
        """One tensor as numbers of `dtype`, else of the checkpoint's own way: floats as `dtype` of
        `open`, what has to be exact as it is. A quantised weight is unpacked.

        Raises EngineFault("damaged") where there is none.
        """
        own = self._own(name)
        prefix = own.removesuffix(".weight")
        if prefix != own and not self._plain(own):
            return self.linear(prefix).dense(dtype or self.dtype)
        tensor = self._read(own)
        if dtype is None and tensor.is_floating_point() and not own.endswith(_EXACT):
            dtype = self.dtype
        tensor = tensor if dtype is None else tensor.to(dtype)
        return tensor if self._adapter is None else overlay.merged(tensor, self._adapter, prefix)

    def linear(
        self, prefix: str, cut: Cut | None = None, *, parts: int = 1, share: Share | None = None
    ) -> Linear:
        """The layer whose weight is `prefix`.weight, whatever it is called in its format; of one
        that is `cut`, this rank's share, else `share`. Where `parts` matrices lie one below the
        other in it, each is cut. The bias of a layer cut by columns, whose results will be summed,
        is the first rank's.

        Raises EngineFault("damaged" | "unsupported").
        """
        own, share = self._own(prefix), share or self.share
        part = formats.cut(self._shards, own, cut, share, parts=parts)
        summed = cut == "columns" and share.index > 0
        bias = None if summed else self._bias(own, part)
        if self._adapter is None:
            return self._bare(own, part).with_bias(bias)
        weight = f"{own}.weight"
        if weight in self._adapter.whole:
            layer: Linear = Plain(self._read(weight, part.slab()).to(self.dtype))
        else:
            layer = self._bare(own, part)
        return overlay.over(layer.with_bias(bias), self._adapter, own, self.dtype, part)

    def experts(self, prefix: str, count: int) -> Experts:
        """The routed experts under `prefix`, one by one or merged in the file; of each, this rank's
        share.

        Raises EngineFault("damaged") where there are more or fewer than `count`.
        """
        own = self._own(prefix)
        self._check_count(own, count)
        return Experts(*(self._stack(own, name, count) for name in _PARTS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._shards.close()
        if self._adapter is not None:
            self._adapter.close()

    def _plain(self, name: str) -> bool:
        adapted = self._adapter is not None and name in self._adapter.whole
        prefix = name.removesuffix(".weight")
        return adapted or formats.kind_of(self._shards.held, prefix) == "plain"

    def _read(self, name: str, slab: Slab | None = None) -> torch.Tensor:
        if self._adapter is not None and name in self._adapter.whole:
            return take(self._adapter.read(name), slab).contiguous()
        if name not in self.names:
            raise formats.missing(name)
        return self._shards.read(name, slab)

    def _bare(self, prefix: str, part: Part = WHOLE) -> Linear:
        return formats.build(self._shards, prefix, dtype=self.dtype, scheme=self._scheme, part=part)

    def _bias(self, prefix: str, part: Part) -> torch.Tensor | None:
        name = f"{prefix}.bias"
        if name not in self.names:
            return None
        return take(self.tensor(name), part.slab(rows=(-1, 1), columns=None))

    def _stack(self, prefix: str, name: str, count: int) -> Linear:
        """The experts' `name` as a stack [count, out, in]."""
        merged = f"{prefix}.{name}" in self.names
        stack = self._merged(prefix, name) if merged else self._gathered(prefix, name, count)
        if self._adapter is None:
            return stack
        shape = overlay.stacks(prefix, self._shards)[name]
        place = overlay.Place(prefix, name, _PARTS[name], shape, self._part(prefix, name, shape))
        return overlay.over_experts(stack, self._adapter, place, self.dtype)

    def _part(self, prefix: str, name: str, shape: tuple[int, ...]) -> Part:
        """This rank's of a whole stack."""
        parts = len(_PARTS[name])
        return part_of(f"{prefix}.{name}", shape, _CUTS[name], self.share, parts=parts)

    def _gathered(self, prefix: str, name: str, count: int) -> Linear:
        """Experts kept one by one. Where not all are in one format, all become plain numbers."""
        rows = [[f"{prefix}.{number}.{part}" for part in _PARTS[name]] for number in range(count)]
        held = self._shards.held
        kinds = {formats.kind_of(held, layer): layer for row in rows for layer in row}
        for layer in kinds.values():  # the same part of all, or a format that can't be cut so
            part = formats.cut(self._shards, layer, _CUTS[name], self.share)
        return stack(self._each(rows, part, plain=len(kinds) > 1), count)

    def _each(
        self, rows: list[list[str]], part: Part, *, plain: bool
    ) -> Iterator[tuple[Linear, ...]]:
        for row in rows:
            layers = [self._bare(name, part) for name in row]
            yield tuple(Plain(layer.dense(self.dtype)) if plain else layer for layer in layers)

    def _merged(self, prefix: str, name: str) -> Linear:
        """Experts kept as one tensor [E, out, in]."""
        whole = f"{prefix}.{name}"
        header = self._shards.held[whole]
        part = self._part(prefix, name, header.shape)
        wide = header.bytes > math.prod(header.shape)
        if wide or (self._adapter is not None and whole in self._adapter.whole):
            return Plain(self._read(whole, part.slab()).to(self.dtype))
        grid, block = self._read(f"{whole}_scale_inv").float(), self._scheme.block
        return formats.blocked(self._shards, whole, grid, block=block, part=part)

    def _check_count(self, prefix: str, count: int) -> None:
        merged = self._shards.held.get(f"{prefix}.gate_up_proj")
        found = len(self._numbers.get(prefix, ())) if merged is None else merged.shape[0]
        if found != count:
            message = f"{prefix} has {found} experts, where config.json says {count}."
            raise EngineFault("damaged", message)

    @cached_property
    def _numbers(self) -> dict[str, set[str]]:
        """The numbers of the experts kept one by one, by the name of all those of a layer."""
        found: dict[str, set[str]] = {}
        for name in self.names:
            prefix, _, rest = name.rpartition(".experts.")
            number = rest.partition(".")[0]
            if number.isdigit():
                found.setdefault(f"{prefix}.experts", set()).add(number)
        return found
