"""An opened checkpoint: its tensors and layers by name, in the format of its files, with an adapter
laid over. Knows no network; a network asks it for what it needs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import torch

from app.engine.headers import contents
from app.engine.local.life import Say
from app.engine.local.weights import formats, overlay
from app.engine.local.weights.adapter import Adapter
from app.engine.local.weights.experts import Experts, stack
from app.engine.local.weights.linear import Linear, Plain
from app.engine.local.weights.names import spelling
from app.engine.local.weights.shards import Progress, Shards
from app.engine.models import read_config
from app.vocabulary import EngineFault

_EXACT = ("e_score_correction_bias",)  # of a router: a rounded one would choose other experts
_PARTS = {"gate_up_proj": ("gate_proj", "up_proj"), "down_proj": ("down_proj",)}


class Weights:
    """For one thread. Names are today's (`model.language_model.*`, `model.visual.*`), whichever
    the file has. `close` it when the network is built."""

    def __init__(
        self, shards: Shards, dtype: torch.dtype, scheme: formats.Scheme, adapter: Adapter | None
    ) -> None:
        self.dtype = dtype
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
    ) -> Self:
        """Check the folder's files and the adapter's, before anything is read.

        Raises EngineFault("damaged" | "unsupported") that names the very file.
        """
        held = contents(folder)
        own = spelling(held)
        scheme = formats.read_scheme(read_config(folder))
        total = sum(header.bytes for header in held.values())
        progress = Progress(say, folder.name, total=total)
        shards = Shards({own(name): held[name] for name in held}, device, progress)
        added = None if adapter is None else Adapter.open(adapter, device, own)
        weights = cls(shards, dtype, scheme, added)
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

    def linear(self, prefix: str) -> Linear:
        """The layer whose weight is `prefix`.weight, whatever it is called in its format."""
        own = self._own(prefix)
        weight, bias = f"{own}.weight", f"{own}.bias"
        offset = self.tensor(bias) if bias in self.names else None
        if self._adapter is not None and weight in self._adapter.whole:
            return Plain(self.tensor(weight), offset)
        layer = self._bare(own).with_bias(offset)
        if self._adapter is None:
            return layer
        return overlay.over(layer, self._adapter, own, self.dtype)

    def experts(self, prefix: str, count: int) -> Experts:
        """The routed experts under `prefix`, one by one or merged in the file.

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

    def _read(self, name: str) -> torch.Tensor:
        if self._adapter is not None and name in self._adapter.whole:
            return self._adapter.read(name)
        if name not in self.names:
            raise formats.missing(name)
        return self._shards.read(name)

    def _bare(self, prefix: str) -> Linear:
        return formats.build(self._shards, prefix, dtype=self.dtype, scheme=self._scheme)

    def _stack(self, prefix: str, name: str, count: int) -> Linear:
        """The experts' `name` as a stack [count, out, in]."""
        one = f"{prefix}.{name}"
        stack = self._merged(one) if one in self.names else self._gathered(prefix, name, count)
        if self._adapter is None:
            return stack
        place = overlay.Place(prefix, name, _PARTS[name])
        return overlay.over_experts(stack, self._adapter, place, self.dtype)

    def _gathered(self, prefix: str, name: str, count: int) -> Linear:
        """Experts kept one by one. Where not all are in one format, all become plain numbers."""
        rows = [[f"{prefix}.{number}.{part}" for part in _PARTS[name]] for number in range(count)]
        kinds = {formats.kind_of(self._shards.held, layer) for row in rows for layer in row}
        return stack(self._each(rows, plain=len(kinds) > 1), count)

    def _each(self, rows: list[list[str]], *, plain: bool) -> Iterator[tuple[Linear, ...]]:
        for row in rows:
            layers = [self._bare(name) for name in row]
            yield tuple(Plain(layer.dense(self.dtype)) if plain else layer for layer in layers)

    def _merged(self, name: str) -> Linear:
        """Experts kept as one tensor [E, out, in]."""
        weight = self._read(name)
        if weight.element_size() > 1:
            return Plain(weight.to(self.dtype))
        grid = self._read(f"{name}_scale_inv").float()
        return formats.blocked(weight, grid, prefix=name, block=self._scheme.block)

    def _check_count(self, prefix: str, count: int) -> None:
        merged = self._shards.held.get(f"{prefix}.gate_up_proj")
        numbers = {_expert(name, prefix) for name in self.names} - {None}
        found = len(numbers) if merged is None else merged.shape[0]
        if found != count:
            message = f"{prefix} has {found} experts, where config.json says {count}."
            raise EngineFault("damaged", message)


def _expert(name: str, prefix: str) -> str | None:
    """The number of the expert that a tensor belongs to."""
    inner = name.removeprefix(f"{prefix}.")
    number = inner.split(".", 1)[0]
    return number if inner != name and number.isdigit() else None
