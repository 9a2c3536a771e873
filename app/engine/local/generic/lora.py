"""Merges a LoRA adapter into a stock network of transformers; knows no files and no family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import torch
from torch import nn

from app.engine.local.weights.adapter import Adapter, refused
from app.engine.local.weights.linear import Plain
from app.engine.local.weights.names import spelling
from app.engine.local.weights.overlay import (
    Place,
    check_pair,
    check_shared,
    check_stacks,
    check_whole,
    lacking,
    merged,
    over_experts,
)

_PARTS = {"gate_up_proj": ("gate_proj", "up_proj"), "down_proj": ("down_proj",)}


@torch.no_grad()
def apply(network: nn.Module, folder: Path) -> None:
    """Merge the adapter in `folder` into the weights of `network`.

    Raises EngineFault("damaged" | "unsupported" | "no_model") with the reason; the network is not
    to be used then.
    """
    own = spelling(f"{name}." for name, _ in network.named_modules())
    adapter = Adapter.open(folder, next(network.parameters()).device, own)
    try:
        _Merger(network, adapter, {own(f"{n}.")[:-1]: m for n, m in network.named_modules()}).run()
    finally:
        adapter.close()


class _Merger:
    """One merging; `modules` are the network's by the names that the adapter has for them."""

    def __init__(
        self, network: nn.Module, adapter: Adapter, modules: Mapping[str, nn.Module]
    ) -> None:
        self._network, self._adapter, self._modules = network, adapter, modules

    def run(self) -> None:
        check_shared(self._adapter, self._shared())
        for name in self._adapter.whole:
            parameter = self._parameter(*name.rsplit(".", 1))
            check_whole(self._adapter, name, parameter.shape)
            parameter.copy_(self._adapter.read(name))
        experts = {name: self._experts(name) for name in self._adapter.pairs}
        for prefix in sorted({prefix for prefix in experts.values() if prefix}):
            self._merge_experts(prefix)
        for name in (name for name, prefix in experts.items() if prefix is None):
            parameter = self._parameter(name, "weight")
            pair = self._adapter.pairs[name][0]
            check_pair(self._adapter, pair, (len(parameter), parameter[0].numel()))
            parameter.copy_(merged(parameter, self._adapter, name))

    def _parameter(self, module: str, name: str) -> nn.Parameter:
        found = getattr(self._modules.get(module), name, None)
        if not isinstance(found, nn.Parameter):
            raise lacking(self._adapter, module)
        if not found.is_floating_point() or found.element_size() == 1:
            what = f"changes {module}, whose weights are quantised in a way that can't be merged"
            raise refused(self._adapter.name, what)
        return found

    def _experts(self, name: str) -> str | None:
        """The module of merged experts that `name` is, or is one of."""
        for prefix in (name, name.rsplit(".", 2)[0]):
            if hasattr(self._modules.get(prefix), "gate_up_proj"):
                return prefix
        return None

    def _merge_experts(self, prefix: str) -> None:
        module = self._modules[prefix]
        if getattr(module, "is_transposed", False) or not hasattr(module, "down_proj"):
            raise refused(self._adapter.name, f"changes {prefix}, whose experts lie another way")
        stacks = {name: Plain(self._parameter(prefix, name).data) for name in _PARTS}
        pairs = self._adapter.pairs.get(prefix, ())
        check_stacks(self._adapter, pairs, [stack.shape for stack in stacks.values()])
        for parameter, parts in _PARTS.items():
            stack = stacks[parameter]
            place = Place(prefix, parameter, parts)
            over_experts(stack, self._adapter, place, stack.weight.dtype)  # in place

    def _shared(self) -> Iterator[str]:
        """The names of the embeddings and of the head where they are one and the same."""
        ways = ("get_input_embeddings", "get_output_embeddings")
        if not all(hasattr(self._network, way) for way in ways):
            return
        both = [cast("nn.Module | None", getattr(self._network, way)()) for way in ways]
        if None in both or both[0].weight is not both[1].weight:  # type: ignore[union-attr]
            return
        yield from (name for name, module in self._modules.items() if module in both)
