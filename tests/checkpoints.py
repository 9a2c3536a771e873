"""Small checkpoints with random weights, in the very layout in which each family of models stands
on a hub; and the stock transformers model of a folder, to compare with. A library for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenisers import Kind, numbers, write_tokeniser
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

Tensors = Iterator[tuple[str, torch.Tensor]]
Json = dict[str, Any]

_SHARDS = 3
KINDS: dict[str, Kind] = {
    "glm4v_moe": "glm-4.5v",
    "glm4v": "glm-4.1v",
    "glm4_moe": "glm-4.5",
    "glm4_moe-mtp": "glm-4.5",
}
ROWS = tuple(KINDS)
_CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
_CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


def write(folder: Path, row: str, *, seed: int = 0, text: Mapping[str, Any] | None = None) -> Path:
    """Write the checkpoint of `row` (one of ROWS) into `folder`, which is made; gives `folder`.

    `text` changes values of the language model's configuration. The model writes printable ASCII
    only: the rows of its head for all other tokens are zero.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = _config(row, text or {})
    kind = KINDS[row]
    write_tokeniser(folder, kind)
    _json(folder / "config.json", config)
    _json(folder / "generation_config.json", _generation(config))
    if "vision_config" in config:
        _json(folder / "preprocessor_config.json", _preprocessor("image", kind))
        _json(folder / "video_preprocessor_config.json", _preprocessor("video", kind))
    save(folder, dict(_Random(config, seed).tensors()))
    return folder


def save(folder: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Shards and their index, as the hub has them; those that were there before go."""
    for old in folder.glob("model*.safetensors*"):
        old.unlink()
    places: dict[str, str] = {}
    names = list(tensors)
    for shard in range(_SHARDS):
        file = f"model-{shard + 1:05}-of-{_SHARDS:05}.safetensors"
        part = names[shard * len(names) // _SHARDS : (shard + 1) * len(names) // _SHARDS]
        places |= dict.fromkeys(part, file)
        held = {name: tensors[name].contiguous() for name in part}
        save_file(held, folder / file, metadata={"format": "pt"})
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": places}
    _json(folder / "model.safetensors.index.json", index)


def oracle(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The stock transformers model of `folder`, on the CPU."""
    disable_progress_bar()
    set_verbosity_error()  # it lists the weights of layers that it leaves out
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    auto = AutoModelForImageTextToText if "vision_config" in config else AutoModelForCausalLM
    return auto.from_pretrained(folder, dtype=dtype, local_files_only=True).eval()


def _json(file: Path, value: Json) -> None:
    file.write_text(json.dumps(value, indent=2), encoding="utf-8")


# --- what the folders say ---------------------------------------------------------------------


def _config(row: str, text: Mapping[str, Any]) -> Json:
    marks = numbers(KINDS[row])
    match row:
        case "glm4v_moe":
            return _sees("Glm4vMoeForConditionalGeneration", "glm4v_moe", marks) | {
                "text_config": {**_moe(marks), "model_type": "glm4v_moe_text", **text},
                "vision_config": _vision("glm4v_moe", out=144),
            }
        case "glm4v":
            return _sees("Glm4vForConditionalGeneration", "glm4v", marks) | {
                "text_config": {**_dense(marks), **text},
                "vision_config": _vision("glm4v", out=128),
            }
        case "glm4_moe":  # as GLM-4.5: norms on queries and keys
            changed = {"use_qk_norm": True, "n_group": 2, "topk_group": 1, "mrope": False}
            return _reads(marks) | _moe(marks, **changed) | text
        case "glm4_moe-mtp":  # as GLM-4.5-Air
            return _reads(marks) | _moe(marks, mrope=False) | {"num_nextn_predict_layers": 1} | text
    raise ValueError(row)


def _sees(architecture: str, model_type: str, marks: Mapping[str, int]) -> Json:
    return {
        "architectures": [architecture],
        "model_type": model_type,
        "image_start_token_id": marks["<|begin_of_image|>"],
        "image_end_token_id": marks["<|end_of_image|>"],
        "video_start_token_id": marks["<|begin_of_video|>"],
        "video_end_token_id": marks["<|end_of_video|>"],
        "image_token_id": marks["<|image|>"],
        "video_token_id": marks["<|video|>"],
        "tie_word_embeddings": False,
        "transformers_version": "4.57.1",
    }


def _reads(marks: Mapping[str, int]) -> Json:
    return {
        "architectures": ["Glm4MoeForCausalLM"],
        "model_type": "glm4_moe",
        "num_nextn_predict_layers": 0,
        "tie_word_embeddings": False,
        "transformers_version": "4.54.0",
    }


def _moe(
    marks: Mapping[str, int],
    *,
    use_qk_norm: bool = False,
    n_group: int = 1,
    topk_group: int = 1,
    mrope: bool = True,
) -> Json:
    sections = {"rope_type": "default", "mrope_section": [1, 2, 3]}
    return {
        "pad_token_id": marks["<|endoftext|>"],
        "vocab_size": 320,
        "eos_token_id": _ends(marks),
        "head_dim": 24,
        "attention_bias": True,
        "attention_dropout": 0.0,
        "first_k_dense_replace": 1,
        "hidden_act": "silu",
        "hidden_size": 144,  # other than heads * head_dim, no multiple of 128
        "initializer_range": 0.02,
        "intermediate_size": 200,
        "max_position_embeddings": 8192,
        "moe_intermediate_size": 72,
        "n_group": n_group,
        "n_routed_experts": 8,
        "n_shared_experts": 1,
        "norm_topk_prob": True,
        "num_attention_heads": 4,
        "num_experts_per_tok": 2,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-05,
        "dtype": "bfloat16",
        "rope_scaling": sections if mrope else None,
        "rope_theta": 10000.0,
        "routed_scaling_factor": 1.0 if mrope else 2.5,
        "topk_group": topk_group,
        "use_cache": True,
        "use_qk_norm": use_qk_norm,
    }


def _dense(marks: Mapping[str, int]) -> Json:
    return {
        "model_type": "glm4v_text",
        "pad_token_id": marks["<|endoftext|>"],
        "vocab_size": 320,
        "eos_token_id": _ends(marks),
        "attention_bias": True,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "hidden_size": 128,
        "initializer_range": 0.02,
        "intermediate_size": 256,
        "max_position_embeddings": 8192,
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {"type": "default", "mrope_section": [2, 3, 3]},
        "rope_theta": 10000.0,
        "torch_dtype": "bfloat16",
        "use_cache": True,
    }


def _vision(model_type: str, *, out: int) -> Json:
    return {
        "model_type": model_type,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "depth": 2,
        "hidden_act": "silu",
        "hidden_size": 32,
        "image_size": 70,  # a table of 5 x 5 positions
        "in_channels": 3,
        "initializer_range": 0.02,
        "intermediate_size": 56,
        "num_heads": 2,
        "out_hidden_size": out,
        "patch_size": 14,
        "rms_norm_eps": 1e-05,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
    }


def _ends(marks: Mapping[str, int]) -> list[int]:
    ends = ("<|endoftext|>", "<|user|>", "<|observation|>", "</answer>")
    return [marks[mark] for mark in ends if mark in marks]


def _generation(config: Json) -> Json:
    text = config.get("text_config", config)
    said = {"eos_token_id": text["eos_token_id"], "pad_token_id": text["pad_token_id"]}
    return {"_from_model_config": True, "do_sample": False, **said}


def _preprocessor(what: str, kind: Kind) -> Json:
    longest = 9633792 if kind == "glm-4.1v" and what == "image" else 47040000
    return {
        "size": {"shortest_edge": 12544, "longest_edge": longest},
        "do_rescale": True,
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": _CLIP_MEAN,
        "image_std": _CLIP_STD,
        f"{what}_processor_type": f"Glm4v{what.capitalize()}Processor",
        "processor_class": "Glm4vProcessor",
    }


# --- what they hold ---------------------------------------------------------------------------


class _Random:
    """The weights: large enough that every part of the network shows in what it writes."""

    def __init__(self, config: Json, seed: int) -> None:
        self._config = config
        self._text: Json = config.get("text_config", config)
        self._chance = torch.Generator().manual_seed(seed)
        self._base = "model.language_model" if "text_config" in config else "model"

    def tensors(self) -> Tensors:
        text, base = self._text, self._base
        hidden, words = text["hidden_size"], text["vocab_size"]
        four_norms = "moe_intermediate_size" not in text  # there a layer adds more
        embedding = self._normal(words, hidden, scale=1.0 if four_norms else 0.5)
        head = self._normal(words, hidden, scale=1 / hidden**0.5)
        head[:32] = head[127:] = 0  # printable ASCII only
        yield f"{base}.embed_tokens.weight", embedding
        for layer in range(text["num_hidden_layers"]):
            yield from self._layer(f"{base}.layers.{layer}", layer)
        yield f"{base}.norm.weight", self._norm(hidden)
        for extra in range(text.get("num_nextn_predict_layers") or 0):
            layer = text["num_hidden_layers"] + extra
            yield from self._guesser(f"{base}.layers.{layer}", layer, embedding, head)
        yield "lm_head.weight", head
        if "vision_config" in self._config:
            yield from self._tower("model.visual", self._config["vision_config"])

    def _layer(self, name: str, layer: int) -> Tensors:
        text = self._text
        hidden, dense = text["hidden_size"], "moe_intermediate_size" not in text
        yield from self._attention(f"{name}.self_attn")
        yield f"{name}.input_layernorm.weight", self._norm(hidden)
        yield f"{name}.post_attention_layernorm.weight", self._norm(hidden)
        if dense:
            wide = text["intermediate_size"]
            yield f"{name}.post_self_attn_layernorm.weight", self._norm(hidden)
            yield f"{name}.post_mlp_layernorm.weight", self._norm(hidden)
            yield f"{name}.mlp.gate_up_proj.weight", self._matrix(2 * wide, hidden)
            yield f"{name}.mlp.down_proj.weight", self._matrix(hidden, wide)
        elif layer < text["first_k_dense_replace"]:
            yield from self._mlp(f"{name}.mlp", hidden, text["intermediate_size"])
        else:
            yield from self._experts(f"{name}.mlp")

    def _attention(self, name: str) -> Tensors:
        text = self._text
        hidden, heads = text["hidden_size"], text["num_attention_heads"]
        width = text.get("head_dim") or hidden // heads
        gain = 1.5 if "moe_intermediate_size" in text else 2.0
        for letter, count in (("q", heads), ("k", text["num_key_value_heads"])):
            yield f"{name}.{letter}_proj.weight", self._matrix(count * width, hidden, gain=gain)
            yield f"{name}.{letter}_proj.bias", self._normal(count * width, scale=0.5)
        values = text["num_key_value_heads"] * width
        yield f"{name}.v_proj.weight", self._matrix(values, hidden)
        yield f"{name}.v_proj.bias", self._normal(values, scale=0.2)
        yield f"{name}.o_proj.weight", self._matrix(hidden, heads * width)
        if text.get("use_qk_norm"):
            yield f"{name}.q_norm.weight", self._norm(width) * 1.5
            yield f"{name}.k_norm.weight", self._norm(width) * 1.5

    def _experts(self, name: str) -> Tensors:
        text = self._text
        hidden, wide, count = (
            text["hidden_size"],
            text["moe_intermediate_size"],
            text["n_routed_experts"],
        )
        for expert in range(count):
            yield from self._mlp(f"{name}.experts.{expert}", hidden, wide)
        yield f"{name}.gate.weight", self._matrix(count, hidden, gain=1.5)
        bias = torch.rand(count, generator=self._chance) * 0.6 - 0.3
        yield f"{name}.gate.e_score_correction_bias", bias  # float32 on the hub too
        yield from self._mlp(f"{name}.shared_experts", hidden, wide * text["n_shared_experts"])

    def _mlp(self, name: str, hidden: int, wide: int, gain: float = 1.5) -> Tensors:
        yield f"{name}.gate_proj.weight", self._matrix(wide, hidden, gain=gain)
        yield f"{name}.up_proj.weight", self._matrix(wide, hidden, gain=gain)
        yield f"{name}.down_proj.weight", self._matrix(hidden, wide, gain=gain)

    def _guesser(
        self, name: str, layer: int, embedding: torch.Tensor, head: torch.Tensor
    ) -> Tensors:
        """The layer that guesses one token more; its embeddings and head are copies, as there."""
        hidden = self._text["hidden_size"]
        yield f"{name}.eh_proj.weight", self._matrix(hidden, 2 * hidden)
        yield f"{name}.enorm.weight", self._norm(hidden)
        yield f"{name}.hnorm.weight", self._norm(hidden)
        yield f"{name}.embed_tokens.weight", embedding.clone()
        yield f"{name}.shared_head.norm.weight", self._norm(hidden)
        yield f"{name}.shared_head.head.weight", head.clone()
        yield from self._layer(name, layer)

    def _tower(self, name: str, vision: Json) -> Tensors:
        width, out, patch = vision["hidden_size"], vision["out_hidden_size"], vision["patch_size"]
        volume = (vision["in_channels"], vision["temporal_patch_size"], patch, patch)
        merge, places = vision["spatial_merge_size"], (vision["image_size"] // patch) ** 2
        yield f"{name}.patch_embed.proj.weight", self._normal(width, *volume, scale=0.03)
        yield f"{name}.patch_embed.proj.bias", self._normal(width, scale=0.1)
        yield f"{name}.post_conv_layernorm.weight", self._norm(width)
        yield f"{name}.embeddings.position_embedding.weight", self._normal(places, width, scale=0.5)
        for block in range(vision["depth"]):
            yield from self._block(f"{name}.blocks.{block}", width, out)
        yield f"{name}.post_layernorm.weight", self._norm(width)
        down = self._normal(out, width, merge, merge, scale=0.5 / width**0.5)
        yield f"{name}.downsample.weight", down
        yield f"{name}.downsample.bias", self._normal(out, scale=0.1)
        yield f"{name}.merger.proj.weight", self._matrix(out, out)
        yield f"{name}.merger.post_projection_norm.weight", self._norm(out)
        yield f"{name}.merger.post_projection_norm.bias", self._normal(out, scale=0.1)
        yield from self._mlp(f"{name}.merger", out, vision["intermediate_size"], gain=1.2)

    def _block(self, name: str, width: int, wide: int) -> Tensors:
        yield f"{name}.norm1.weight", self._norm(width)
        yield f"{name}.norm2.weight", self._norm(width)
        yield f"{name}.attn.qkv.weight", self._matrix(3 * width, width)
        yield f"{name}.attn.proj.weight", self._matrix(width, width)
        yield from self._mlp(f"{name}.mlp", width, wide, gain=1.0)

    def _matrix(self, rows: int, columns: int, gain: float = 1.0) -> torch.Tensor:
        return self._normal(rows, columns, scale=gain / columns**0.5)

    def _norm(self, width: int) -> torch.Tensor:
        return (1 + self._normal(width, scale=0.2).float()).bfloat16()

    def _normal(self, *shape: int, scale: float) -> torch.Tensor:
        return (torch.randn(shape, generator=self._chance) * scale).bfloat16()
