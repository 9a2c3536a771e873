"""Adapters that PEFT makes for small models of the GLM family, and what comes of both; a library
for the tests of adapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import checkpoints
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from app.engine.local.glm.config import read
from app.engine.local.glm.load import open_network

TOKENS = [5, 80, 97, 33, 200, 12, 64, 71, 99, 101, 32]
FILE = "adapter_model.safetensors"
LAYER = "model.language_model.layers.1"
SIMPLE = {"target_modules": ["q_proj", "qkv"], "modules_to_save": ["merger.proj"]}
WARNINGS = ("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")  # of PEFT

Tensors = dict[str, torch.Tensor]


class Tuned:
    """A model with an adapter that PEFT made, and what PEFT makes of both."""

    def __init__(self, folder: Path, adapter: Path, **config: Any) -> None:
        self.folder, self.adapter = folder, adapter
        torch.manual_seed(3)
        options = {"r": 4, "lora_alpha": 6, "init_lora_weights": False, **config}
        model: Any = get_peft_model(checkpoints.oracle(folder), LoraConfig(**options))
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if ".modules_to_save." in name:
                    weight.add_(torch.randn_like(weight) / 10)
            model.save_pretrained(adapter)
            self.logits: torch.Tensor = model(input_ids=torch.tensor([TOKENS])).logits[0]
            self.state: Tensors = model.merge_and_unload().state_dict()


def logits_of(folder: Path, adapter: Path | None) -> torch.Tensor:
    """The logits [T, V] of our own network behind each of TOKENS."""
    network = open_network(
        folder, read(folder), device=torch.device("cpu"), dtype=torch.float32, adapter=adapter
    )
    return network.step(network.begin(), TOKENS).clone()


def rewrite(adapter: Path, change: Callable[[Tensors], Tensors]) -> None:
    """Put other tensors into an adapter's file."""
    held = load_file(adapter / FILE)
    save_file({name: tensor.contiguous() for name, tensor in change(held).items()}, adapter / FILE)
