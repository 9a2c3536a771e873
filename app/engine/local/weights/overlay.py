"""Lays a LoRA adapter over layers that are being loaded: into plain weights for good, beside
quantised ones. Knows neither how an adapter is stored nor a network."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch

from app.engine.headers import Header
from app.engine.local.weights import formats
from app.engine.local.weights.adapter import Adapter, Pair, refused
from app.engine.local.weights.linear import Added, Linear, Plain
from app.engine.local.weights.shards import Shards
from app.engine.local.weights.share import WHOLE, Part, take

_EXPERT = re.compile(r"(.+)\.(\d+)\.(gate_proj|up_proj|down_proj)$")
_STORED = ("weight", "qweight", "weight_packed")  # what a layer's weights are called in a file
_HEAD = "lm_head."

Shape: TypeAlias = tuple[int, ...]
Change: TypeAlias = tuple[torch.Tensor, torch.Tensor]  # A [..., r, in] and B [..., out, r]


# --- before anything is read ------------------------------------------------------------------


def check(adapter: Adapter, base: Shards) -> None:
    """Refuse an adapter that isn't for this checkpoint, before its weights are read.

    Raises EngineFault("unsupported").
    """
    held = base.held
    if not any(name.startswith(_HEAD) for name in held):
        check_shared(adapter, (name.removesuffix(".weight") for name in held if "embed_" in name))
    for module, pairs in adapter.pairs.items():
        prefix = experts_prefix(module, held)
        if prefix is None:
            check_pair(adapter, pairs[0], _shape(adapter, module, base))
        elif prefix == module:
            check_stacks(adapter, pairs, stacks(prefix, base).values())
    for name in adapter.whole:
        check_whole(adapter, name, _whole_shape(adapter, name, base))


def check_pair(adapter: Adapter, pair: Pair, there: Iterable[int]) -> None:
    """`there` is the (out, in) of the layer to change."""
    if pair.shape != tuple(there):
        raise refused(adapter.name, _misfit(pair.key, there, pair.shape))
    if pair.rank != adapter.recipe.rank_of(pair.key):
        what = f"has rank {pair.rank} for {pair.key}, but another in its adapter_config.json"
        raise refused(adapter.name, what)


def check_stacks(adapter: Adapter, pairs: Iterable[Pair], there: Iterable[Shape]) -> None:
    """`there` are the stacks [E, out, in] of the experts' parameters."""
    for pair in pairs:
        if not any(fits(pair, shape) for shape in there):
            raise refused(adapter.name, _misfit(pair.key, next(iter(there), ()), pair.shape))


def fits(pair: Pair, stack: Shape) -> bool:
    """Whether the pair changes a stack [E, out, in] of that shape."""
    return pair.rank % stack[0] == 0 and pair.shape == tuple(stack[1:])


def check_whole(adapter: Adapter, name: str, there: Iterable[int]) -> None:
    if adapter.shape(name) != tuple(there):
        raise refused(adapter.name, _misfit(name, there, adapter.shape(name)))


def check_shared(adapter: Adapter, shared: Iterable[str]) -> None:
    """Refuse changes of a module that is another one as well: the embeddings that are the head."""
    changed = {name.rsplit(".", 1)[0] for name in adapter.whole} | set(adapter.pairs)
    for module in changed.intersection(shared):
        what = f"changes {module}, which this model uses for its embeddings and its head alike"
        raise refused(adapter.name, what)


def experts_prefix(module: str, held: Mapping[str, Header]) -> str | None:
    """The experts that a module stands for, or is one of, where they were merged; else None."""
    if f"{module}.gate_up_proj" in held:
        return module
    if any(f"{module}.0.gate_proj.{stored}" in held for stored in _STORED):
        return module
    found = _EXPERT.match(module)
    return found[1] if found and f"{found[1]}.gate_up_proj" in held else None


def _shape(adapter: Adapter, module: str, base: Shards) -> tuple[int, int]:
    if not any(f"{module}.{stored}" in base.held for stored in _STORED):
        raise lacking(adapter, module)
    return formats.shape_of(base, module)


def stacks(prefix: str, base: Shards) -> dict[str, Shape]:
    """The shapes of the experts' stacks by name, as they are in the file or as they will be."""
    names = ("gate_up_proj", "down_proj")
    if f"{prefix}.gate_up_proj" in base.held:
        return {name: base.held[f"{prefix}.{name}"].shape for name in names}
    first = f"{prefix}.0.gate_proj."
    stored = next(stored for stored in _STORED if f"{first}{stored}" in base.held)
    numbers = itertools.count()
    count = next(n for n in numbers if f"{prefix}.{n}.gate_proj.{stored}" not in base.held)
    wide, hidden = formats.shape_of(base, first[:-1])
    return dict(zip(names, [(count, 2 * wide, hidden), (count, hidden, wide)], strict=True))


def _whole_shape(adapter: Adapter, name: str, base: Shards) -> tuple[int, ...]:
    if name in base.held:
        return base.held[name].shape
    return _shape(adapter, name.removesuffix(".weight"), base)


def lacking(adapter: Adapter, module: str) -> Exception:
    return refused(adapter.name, f"is for another model: it changes {module}, which this one lacks")


def _misfit(what: str, there: Iterable[int], here: Iterable[int]) -> str:
    return f"is for another model: {what} has {tuple(there)} there and {tuple(here)} here"


# --- over layers ------------------------------------------------------------------------------


def merged(weight: torch.Tensor, adapter: Adapter, module: str, part: Part = WHOLE) -> torch.Tensor:
    """A plain weight of any shape [out, …], or a part of one, with what the adapter changes."""
    for pair in adapter.pairs.get(module, ()):
        down, up = _cut(adapter.factors(pair), part)
        weight = (weight.float() + (up @ down).view(weight.shape)).to(weight.dtype)
    return weight


def over(
    layer: Linear, adapter: Adapter, module: str, dtype: torch.dtype, part: Part = WHOLE
) -> Linear:
    """A layer, or a part of it, with what the adapter changes of it, kept as `dtype` where it can't
    be merged."""
    if isinstance(layer, Plain):
        return replace(layer, weight=merged(layer.weight, adapter, module, part))
    for pair in adapter.pairs.get(module, ()):
        down, up = _cut(adapter.factors(pair), part)
        layer = Added(layer, down.to(dtype), up.to(dtype))
    return layer


def _cut(change: Change, part: Part) -> Change:
    """What is changed of a part: rows of B, or columns of A."""
    if part.cut is None:
        return change
    down, up = change
    kept = take(down, part.slab(rows=None)), take(up, part.slab(rows=(-2, 1), columns=None))
    return kept[0].contiguous(), kept[1].contiguous()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack of experts belongs: the name of all of them, of the parameter that holds them
    where they are merged, and of the parts of each, in their order, where they are not. Of a stack
    that is `part` of a larger one, the `shape` of that."""

    prefix: str
    merged: str
    parts: tuple[str, ...]
    shape: Shape | None = None
    part: Part = WHOLE


def over_experts(stack: Linear, adapter: Adapter, place: Place, dtype: torch.dtype) -> Linear:
    """A stack [E, out, in] with what the adapter changes of it, whether it was made for experts one
    by one or for merged parameters."""
    shape = place.shape or stack.shape
    for pair in adapter.pairs.get(place.prefix, ()):
        if fits(pair, shape):
            change = adapter.stacks(pair, f"{pair.key}.{place.merged}", shape[0])
            stack = _changed(stack, _cut(change, place.part), dtype)
    single = {
        (int(match[2]), place.parts.index(match[3])): pairs[0]
        for module, pairs in adapter.pairs.items()
        if (match := _EXPERT.match(module)) and match[1] == place.prefix and match[3] in place.parts
    }
    if not single:
        return stack
    change = _laid(adapter, single, shape, shape[1] // len(place.parts))
    return _changed(stack, _cut(change, place.part), dtype)


def _laid(
    adapter: Adapter, pairs: Mapping[tuple[int, int], Pair], shape: Shape, rows: int
) -> Change:
    """Single experts' changes as one of a stack of that shape, whose parts have `rows` each; else
    zeros."""
    count, out, columns = shape
    rank = max(pair.rank for pair in pairs.values())
    total = rank * (out // rows)
    down = up = None
    for (expert, part), pair in pairs.items():
        if expert >= count:
            raise lacking(adapter, pair.key)
        check_pair(adapter, pair, (rows, columns))
        inner, outer = adapter.factors(pair)
        if down is None or up is None:
            down, up = inner.new_zeros(count, total, columns), outer.new_zeros(count, out, total)
        at = slice(part * rank, part * rank + pair.rank)
        down[expert, at] = inner
        up[expert, part * rows : (part + 1) * rows, at] = outer
    assert down is not None and up is not None
    return down, up


def _changed(stack: Linear, change: Change, dtype: torch.dtype) -> Linear:
    down, up = change
    if not isinstance(stack, Plain):
        return Added(stack, down.to(dtype), up.to(dtype))
    for weight, inner, outer in zip(stack.weight, down, up, strict=True):
        weight.copy_(weight.float() + outer @ inner)
    return stack
