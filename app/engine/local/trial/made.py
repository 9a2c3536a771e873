"""A checkpoint folder of a real size with random weights, as a hub would hold it; for timing, not
for answers. Knows nothing of the engine that will load it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedTokenizerFast

Json = dict[str, Any]

_SHARD = 4 * 10**9  # bytes
_SPREAD = 0.02  # standard deviation, as the family initialises its weights
_MARKS = {  # the vocabulary of GLM-4.1V-9B-Thinking from its first special token on
    151329: "<|endoftext|>",
    151331: "[gMASK]",
    151333: "<sop>",
    151335: "<|system|>",
    151336: "<|user|>",
    151337: "<|assistant|>",
    151338: "<|observation|>",
    151339: "<|begin_of_image|>",
    151340: "<|end_of_image|>",
    151341: "<|begin_of_video|>",
    151342: "<|end_of_video|>",
    151343: "<|image|>",
    151344: "<|video|>",
}
_TEMPLATE = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>\n"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text }}"
    "{% else %}<|begin_of_image|><|image|><|end_of_image|>{% endif %}{% endfor %}{% endif %}"
    "{% endfor %}<|assistant|>\n"
)


def write(folder: Path, *, small: bool = False) -> int:
    """Write a checkpoint with the shapes of GLM-4.1V-9B-Thinking in bfloat16; gives its bytes.

    `small` keeps the layout and the vocabulary, and makes everything else tiny.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = _described(_config(small))
    _json(folder / "config.json", config.to_dict())
    _json(folder / "generation_config.json", {"eos_token_id": [151329, 151336, 151338]})
    _json(folder / "preprocessor_config.json", _preprocessor())
    _tokenizer().save_pretrained(folder)
    return _save(folder, _weights(config))


def _config(small: bool) -> Json:
    wide = {"hidden_size": 128, "num_hidden_layers": 2, "intermediate_size": 256}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    tower = {"depth": 2, "hidden_size": 64, "num_heads": 2, "out_hidden_size": 128}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}
    rope["mrope_section"] = [2, 3, 3] if small else [8, 12, 12]
    return {
        "architectures": ["Glm4vForConditionalGeneration"],
        "model_type": "glm4v",
        "image_token_id": 151343,
        "video_token_id": 151344,
        "text_config": {
            "model_type": "glm4v_text",
            "vocab_size": 151552,
            "max_position_embeddings": 65536,
            "rope_parameters": rope,
            **(wide | heads if small else {}),
        },
        "vision_config": {
            "model_type": "glm4v_vision",
            **(tower | {"intermediate_size": 256} if small else {}),
        },
    }


def _preprocessor() -> Json:
    """As GLM-4.1V-9B-Thinking's, whose pixel budget is 6,144 tokens a picture."""
    return {
        "size": {"shortest_edge": 12544, "longest_edge": 9633792},
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "image_processor_type": "Glm4vImageProcessor",
        "processor_class": "Glm4vProcessor",
    }


def _tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, filled up to the first special token so that each has its own number."""
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    filled = [*bytes_, *(f"<filler {number}>" for number in range(len(bytes_), min(_MARKS)))]
    tokenizer = Tokenizer(BPE({text: number for number, text in enumerate(filled)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = [_MARKS.get(n, f"<|unused {n}|>") for n in range(min(_MARKS), max(_MARKS) + 1)]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", chat_template=_TEMPLATE
    )


def _weights(config: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of the architecture by its name on a hub, made where it is quickest."""
    with torch.device("meta"):
        shapes = AutoModelForImageTextToText.from_config(config).state_dict()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    random = torch.Generator(device).manual_seed(0)
    for name, like in shapes.items():
        tensor = torch.empty(like.shape, dtype=torch.bfloat16, device=device)
        is_norm = "norm" in name.split(".")[-2]
        yield name, (tensor.fill_(1) if is_norm else tensor.normal_(std=_SPREAD, generator=random))


def _described(config: Json) -> Any:
    given = {name: value for name, value in config.items() if name != "model_type"}
    return AutoConfig.for_model(config["model_type"], **given)


def _save(folder: Path, tensors: Iterator[tuple[str, torch.Tensor]]) -> int:
    """Shards, each written when it is full, and their index."""
    places: dict[str, str] = {}
    held: dict[str, torch.Tensor] = {}
    total = shard = 0

    def put() -> None:
        file = f"model-{shard:05}.safetensors"
        save_file(held, folder / file, metadata={"format": "pt"})
        places.update(dict.fromkeys(held, file))
        held.clear()

    for name, tensor in tensors:
        size = tensor.numel() * tensor.element_size()
        if held and sum(t.numel() * 2 for t in held.values()) + size > _SHARD:
            shard += 1
            put()
        held[name] = tensor.cpu()
        total += size
    shard += 1
    put()
    _json(
        folder / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": places},
    )
    return total


def _json(file: Path, value: Json) -> None:
    file.write_text(json.dumps(value), encoding="utf-8")
