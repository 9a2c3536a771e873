"""The figures' model: its configuration, its first weights, and its folder as a hub has it. Knows
no lesson."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from checkpoints import save
from models.figures.lesson import LEAST, MEAN, MERGE, MOST, PATCH, SPREAD
from models.figures.words import Words
from torch import nn
from torch.nn import functional
from transformers import Glm4vMoeConfig, Glm4vMoeForConditionalGeneration

WIDTH, EXPERTS = 128, 8
_TOWER, _TABLE = 96, 12
_PIECES = 32  # the vocabulary is filled up to a multiple of this


class _FlatConv3d(nn.Conv3d):
    """A convolution whose kernel is as large as its input is a matrix, and a CPU multiplies by
    one three times as fast."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return functional.linear(pixels.flatten(1), self.weight.flatten(1), self.bias)


class _FlatConv2d(nn.Conv2d):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return functional.linear(pixels.flatten(1), self.weight.flatten(1), self.bias)


def configuration(words: Words) -> dict[str, Any]:
    """config.json."""
    marks = words.marks
    ends = [marks[mark] for mark in ("<|endoftext|>", "<|user|>", "<|observation|>")]
    return {
        "architectures": ["Glm4vMoeForConditionalGeneration"],
        "model_type": "glm4v_moe",
        "image_start_token_id": marks["<|begin_of_image|>"],
        "image_end_token_id": marks["<|end_of_image|>"],
        "video_start_token_id": marks["<|begin_of_video|>"],
        "video_end_token_id": marks["<|end_of_video|>"],
        "image_token_id": marks["<|image|>"],
        "video_token_id": marks["<|video|>"],
        "tie_word_embeddings": False,
        "text_config": _text(words, ends),
        "vision_config": _vision(),
    }


def _text(words: Words, ends: list[int]) -> dict[str, Any]:
    return {
        "model_type": "glm4v_moe_text",
        "dtype": "bfloat16",
        "pad_token_id": words.marks["<|endoftext|>"],
        "eos_token_id": ends,
        "vocab_size": math.ceil(words.count / _PIECES) * _PIECES,
        "hidden_size": WIDTH,
        "head_dim": 64,  # other than hidden_size / num_attention_heads, as in GLM-4.5V
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 3,
        "first_k_dense_replace": 1,
        "intermediate_size": 320,  # no multiple of 128, for FP8 in blocks
        "moe_intermediate_size": WIDTH,
        "n_routed_experts": EXPERTS,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": True,
        "routed_scaling_factor": 1.0,
        "attention_bias": True,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "partial_rotary_factor": 0.5,
        "rope_theta": 10000.0,
        "rope_scaling": {"rope_type": "default", "mrope_section": [4, 6, 6]},
        "max_position_embeddings": 4096,
        "initializer_range": 0.02,
        "use_cache": True,
        "use_qk_norm": False,
    }


def _vision() -> dict[str, Any]:
    return {
        "model_type": "glm4v_moe_vision",
        "depth": 3,
        "hidden_size": _TOWER,
        "num_heads": _TOWER // 32,
        "intermediate_size": 256,
        "out_hidden_size": WIDTH,
        "image_size": _TABLE * PATCH,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "in_channels": 3,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "initializer_range": 0.02,
    }


def beginner(config: dict[str, Any]) -> Any:
    """A model that has learned nothing yet, in float32."""
    # a copy, for transformers writes into it
    made = Glm4vMoeForConditionalGeneration._from_config(
        Glm4vMoeConfig(**copy.deepcopy(config)), dtype=torch.float32
    )
    made.set_experts_implementation("grouped_mm")
    tower = made.model.visual
    tower.patch_embed.proj.__class__ = _FlatConv3d
    tower.downsample.__class__ = _FlatConv2d
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "position_embedding" in name:
                weight.copy_(_waves(weight.shape[1]))
            elif weight.ndim > 1:
                weight.normal_(0, _scale(name, weight))
    return made


def _scale(name: str, weight: torch.Tensor) -> float:
    """Smaller than keeps the variance; half of that for what is added to the residual stream."""
    incoming = weight.shape[-1] if "experts" in name else weight[0].numel()
    adds = any(part in name for part in ("attn.proj", "o_proj", "down_proj"))
    return (0.4 if adds else 0.8) / math.sqrt(incoming)


def _waves(width: int) -> torch.Tensor:
    """The table of positions [144, width]: slow waves along the rows and along the columns."""
    places = (torch.arange(_TABLE) + 0.5) / _TABLE
    angles = places[:, None] * (torch.arange(width // 4) + 1) * math.pi / 4
    line = torch.cat((angles.sin(), angles.cos()), dim=-1)  # [12, width / 2]
    down = line[:, None].expand(_TABLE, _TABLE, -1)
    return 0.7 * torch.cat((down, line[None].expand_as(down)), dim=-1).flatten(0, 1)


def write_model(folder: Path, config: dict[str, Any], state: dict[str, torch.Tensor]) -> None:
    """The weights in bfloat16 under the names of the hub, and what goes with them."""
    save(folder, dict(_named(state)))
    text = config["text_config"]
    ends = {"eos_token_id": text["eos_token_id"], "pad_token_id": text["pad_token_id"]}
    _json(folder / "config.json", {**config, "transformers_version": "4.57.1"})
    _json(folder / "generation_config.json", {"do_sample": False, **ends})
    _json(folder / "preprocessor_config.json", _pixels("Image", LEAST, MOST))
    _json(folder / "video_preprocessor_config.json", _pixels("Video", LEAST, 8 * MOST))


def _named(state: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, tensor in state.items():
        if name.endswith("e_score_correction_bias"):
            yield name, tensor  # float32 on the hub too
        elif name.endswith("experts.gate_up_proj"):
            base = name.removesuffix(".gate_up_proj")
            for expert, both in enumerate(tensor.bfloat16()):
                gate, up = both.chunk(2)
                yield f"{base}.{expert}.gate_proj.weight", gate
                yield f"{base}.{expert}.up_proj.weight", up
        elif name.endswith("experts.down_proj"):
            base = name.removesuffix(".down_proj")
            for expert, down in enumerate(tensor.bfloat16()):
                yield f"{base}.{expert}.down_proj.weight", down
        else:
            yield name, tensor.bfloat16()


def _pixels(what: str, least: int, most: int) -> dict[str, Any]:
    return {
        "size": {"shortest_edge": least, "longest_edge": most},
        "do_rescale": True,
        "patch_size": PATCH,
        "temporal_patch_size": 2,
        "merge_size": MERGE,
        "image_mean": list(MEAN),
        "image_std": list(SPREAD),
        f"{what.lower()}_processor_type": f"Glm4v{what}Processor",
        "processor_class": "Glm4vProcessor",
    }


def _json(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
