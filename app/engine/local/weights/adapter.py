"""A LoRA adapter's folder as PEFT writes it (https://huggingface.co/docs/peft; so do ms-swift and
LLaMA-Factory): what it changes and by how much. Knows no model; refuses what can't be done."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from app.engine.headers import damaged, tensors
from app.engine.local.weights.names import Spelling
from app.engine.local.weights.shards import Shards
from app.vocabulary import EngineFault

_CONFIG, _FILE = "adapter_config.json", "adapter_model.safetensors"
_PICKLE = "adapter_model.bin"
_TOWER = "vit.safetensors"  # ms-swift: a vision tower that was trained beside the adapter
_PREFIX = "base_model.model."
_KEY = re.compile(r"(.+)\.lora_(embedding_)?([AB])(?:\.default)?(\.weight)?$")
_WRAPPERS = re.compile(r"\.(base_layer|modules_to_save(\.default)?)(?=\.)")
_STARTS = ("pissa", "olora", "corda", "loftq", "lora_ga")  # each of these changes the base as well
_REFUSED = {
    "use_dora": "is a DoRA adapter",
    "fan_in_fan_out": "is for layers that keep their weights turned (fan_in_fan_out)",
    "lora_bias": "has biases of its own (lora_bias)",
    "layer_replication": "repeats layers of the base model (layer_replication)",
    "trainable_token_indices": "trains single tokens (trainable_token_indices)",
    "alora_invocation_tokens": "works from certain tokens on only (aLoRA)",
    "use_qalora": "is a QALoRA adapter",
    "use_bdlora": "is a block-diagonal adapter (BD-LoRA)",
    "arrow_config": "chooses among several adapters (Arrow)",
    "kasa_config": "is a KaSA adapter",
    "monteclora_config": "is a MonteCLoRA adapter",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of adapter_config.json; the patterns give some modules others, by the end of
    their names as regular expressions."""

    rank: int
    alpha: float
    by_root: bool = False  # rsLoRA, https://arxiv.org/abs/2312.03732
    ranks: Mapping[str, int] | None = None
    alphas: Mapping[str, float] | None = None

    def scale(self, key: str, rank: int) -> float:
        """What B A is multiplied by for the module that PEFT calls `key`."""
        alpha = _matching(self.alphas, key, self.alpha)
        return float(alpha) / (math.sqrt(rank) if self.by_root else rank)

    def rank_of(self, key: str) -> int:
        return int(_matching(self.ranks, key, self.rank))


@dataclass(frozen=True, slots=True)
class Pair:
    """The tensors A and B of one module: their names in the file, their shapes, and the name by
    which PEFT knows the module. An embedding's are turned."""

    key: str
    down: str  # A [r, in]
    up: str  # B [out, r]
    turned: bool
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def rank(self) -> int:
        return self.shapes[0][0]

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in) of the weight that it changes; of a convolution, flat."""
        down, up = self.shapes
        rest = math.prod(down[1:])
        return (rest, up[0]) if self.turned else (up[0], rest)


class Adapter:
    """An opened adapter. `pairs` holds the changes by module, several where parameters of one
    module are changed; `whole` the names of tensors that it brings in place of the base's."""

    def __init__(self, name: str, recipe: Recipe, shards: Shards, own: Spelling) -> None:
        self.name = name
        self.recipe = recipe
        self.pairs: dict[str, list[Pair]] = {}
        self.whole: dict[str, str] = {}
        self._shards = shards
        self._sort(own)

    @classmethod
    def open(cls, folder: Path, device: torch.device, own: Spelling) -> Self:
        """Raises EngineFault("damaged" | "unsupported" | "no_model"), with the reason."""
        recipe = _recipe(folder)
        if not (folder / _FILE).is_file() and (folder / _PICKLE).is_file():
            raise refused(folder.name, f"is a Python pickle ({_PICKLE}); save it as safetensors")
        if (folder / _TOWER).is_file():
            raise refused(folder.name, f"comes with a trained vision tower ({_TOWER}); merge both")
        return cls(folder.name, recipe, Shards(tensors(folder / _FILE), device), own)

    def shape(self, name: str) -> tuple[int, ...]:
        """Of one of `whole`."""
        return self._shards.held[self.whole[name]].shape

    def read(self, name: str) -> torch.Tensor:
        """One of `whole`."""
        return self._shards.read(self.whole[name])

    def factors(self, pair: Pair) -> tuple[torch.Tensor, torch.Tensor]:
        """A [r, in] and B [out, r] in float32, the scale in B."""
        down, up = (self._shards.read(name).float() for name in (pair.down, pair.up))
        up *= self.recipe.scale(pair.key, pair.rank)
        return (up.mT, down.mT) if pair.turned else (down.flatten(1), up.flatten(1))

    def stacks(self, pair: Pair, key: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A [count, r, in] and B [count, out, r] of a parameter that holds `count` matrices, and
        which PEFT calls `key`; the scale in B."""
        down, up = (self._shards.read(name).float() for name in (pair.down, pair.up))
        rank = pair.rank // count
        up *= self.recipe.scale(key, rank)
        inner = down.view(count, rank, -1)
        return inner, up.view(len(up), rank, count).permute(2, 0, 1)

    def close(self) -> None:
        self._shards.close()

    def _sort(self, own: Spelling) -> None:
        halves: dict[tuple[str, bool], dict[str, str]] = {}
        for name in self._shards.held:
            key = name.removeprefix(_PREFIX)
            found = _KEY.match(key)
            if found is None:
                self._keep_whole(name, own(_WRAPPERS.sub("", key)))
            else:
                module, turned, letter, _ = found.groups()
                halves.setdefault((module, turned is not None), {})[letter] = name
        for (module, turned), names in halves.items():
            self._keep_pair(module, turned, names, own)
        if not self.pairs and not self.whole:
            raise refused(self.name, "changes nothing: its file is empty", kind="damaged")

    def _keep_whole(self, name: str, own_name: str) -> None:
        if ".lora_" in name or ".token_adapter." in name:
            raise refused(self.name, f"holds {name}, which plain LoRA has not")
        self.whole[own_name] = name

    def _keep_pair(
        self, module: str, turned: bool, names: Mapping[str, str], own: Spelling
    ) -> None:
        if set(names) != {"A", "B"}:
            raise refused(self.name, f"has but half of the change of {module}", kind="damaged")
        held = self._shards.held
        key = re.sub(r"(\.base_layer)+$", "", module)
        shapes = held[names["A"]].shape, held[names["B"]].shape
        pair = Pair(key, names["A"], names["B"], turned, shapes)
        self._check(pair)
        self.pairs.setdefault(own(f"{key}.").removesuffix("."), []).append(pair)

    def _check(self, pair: Pair) -> None:
        down, up = pair.shapes
        if len(down) < 2 or len(up) < 2 or down[0] != up[1] or math.prod(up[2:]) != 1:
            message = f"has tensors for {pair.key} that don't fit together: {down} and {up}"
            raise refused(self.name, message, kind="damaged")


def _recipe(folder: Path) -> Recipe:
    file = folder / _CONFIG
    if not file.is_file():
        message = f"There is no LoRA adapter in {folder}: it has no {_CONFIG}."
        raise EngineFault("no_model", message)
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        _refuse(folder.name, said)
        rank, alpha = int(said["r"]), float(said["lora_alpha"])
        ranks, alphas = dict(said.get("rank_pattern") or {}), dict(said.get("alpha_pattern") or {})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(file, "can't be understood", repr(error)) from error
    return Recipe(rank, alpha, bool(said.get("use_rslora")), ranks, alphas)


def _refuse(name: str, said: Mapping[str, Any]) -> None:
    kind, bias = said.get("peft_type", "LORA"), said.get("bias", "none")
    if str(kind).upper() != "LORA":
        raise refused(name, f"is of the kind {kind}; only LoRA adapters can be used")
    if bias not in ("none", None):
        raise refused(name, f"changes the base model's biases (bias: {bias})")
    for field, what in _REFUSED.items():
        if said.get(field):
            raise refused(name, what)
    start = str(said.get("init_lora_weights")).lower()
    if start.startswith(_STARTS):
        what = f"was begun on changed base weights (init_lora_weights: {start})"
        raise refused(name, f"{what}; save it converted to plain LoRA")


def refused(name: str, why: str, *, kind: str = "unsupported") -> EngineFault:
    """The fault of an adapter: `why` goes on after its name."""
    message = f"The adapter “{name}” {why}."
    return EngineFault("damaged" if kind == "damaged" else "unsupported", message)


def _matching(patterns: Mapping[str, float] | None, key: str, other: float) -> float:
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", key):
            return value
    return other
