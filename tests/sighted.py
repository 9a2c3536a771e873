"""Small checkpoints of families that see pictures, with their processors' files; for `others`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers
from small import THINKS, save, text_config, write_json, write_tokenizer

_QWEN = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
_TILES = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
_SMOL = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *_TILES]
_GEMMA = ["<start_of_image>", "<end_of_image>", "<image_soft_token>", "<bos>"]


def _qwen2_vl(folder: Path) -> None:
    mark = "<|vision_start|><|image_pad|><|vision_end|>"
    ids = write_tokenizer(folder, [*_QWEN, *THINKS], mark)
    text = text_config(ids, rope_parameters={"rope_type": "default", "mrope_section": [1, 1, 2]})
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "patch_size": 4}
    config = transformers.Qwen2VLConfig(
        text_config=text,
        vision_config={**vision, "mlp_ratio": 2, "spatial_merge_size": 2},
        **_qwen_ids(ids),
    )
    save(folder, "Qwen2VLForConditionalGeneration", config)
    _qwen_pictures(folder, "Qwen2VLProcessor", "Qwen2VLImageProcessor")


def _qwen3_vl(folder: Path) -> None:
    mark = "<|vision_start|><|image_pad|><|vision_end|>"
    ids = write_tokenizer(folder, [*_QWEN, *THINKS], mark)
    text = text_config(ids, rope_parameters={"rope_type": "default", "mrope_section": [2, 1, 1]})
    config = transformers.Qwen3VLConfig(
        text_config=text,
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 4,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        **_qwen_ids(ids),
    )
    save(folder, "Qwen3VLForConditionalGeneration", config)
    _qwen_pictures(folder, "Qwen3VLProcessor", "Qwen2VLImageProcessorFast")


def _qwen_ids(ids: dict[str, int]) -> dict[str, Any]:
    return {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "tie_word_embeddings": False,
    }


def _qwen_pictures(folder: Path, processor: str, pictures: str) -> None:
    said = {
        "image_processor_type": pictures,
        "processor_class": processor,
        "min_pixels": 64,
        "max_pixels": 4096,
        "patch_size": 4,
        "temporal_patch_size": 2,
        "merge_size": 2,
    }
    write_json(folder, "preprocessor_config.json", said)


def _idefics3(folder: Path) -> None:
    ids = write_tokenizer(folder, _SMOL, "<image>")
    config = transformers.Idefics3Config(**_smol(ids))
    save(folder, "Idefics3ForConditionalGeneration", config)
    _smol_pictures(folder, "Idefics3")


def _smolvlm(folder: Path) -> None:
    ids = write_tokenizer(folder, _SMOL, "<image>")
    config = transformers.SmolVLMConfig(**_smol(ids))
    save(folder, "SmolVLMForConditionalGeneration", config)
    _smol_pictures(folder, "SmolVLM")


def _smol(ids: dict[str, int]) -> dict[str, Any]:
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    return {
        "text_config": {"model_type": "llama", **text_config(ids)},
        "vision_config": {
            **vision, "num_attention_heads": 2, "image_size": 32, "patch_size": 8
        },
        "scale_factor": 2,
        "image_token_id": ids["<image>"],
        "pad_token_id": ids["<|endoftext|>"],
    }  # fmt: skip


def _smol_pictures(folder: Path, family: str) -> None:
    pictures = {
        "image_processor_type": f"{family}ImageProcessor",
        "processor_class": f"{family}Processor",
        "size": {"longest_edge": 64},
        "max_image_size": {"longest_edge": 32},
        "do_image_splitting": True,
    }
    write_json(folder, "preprocessor_config.json", pictures)
    processor = {"processor_class": f"{family}Processor", "image_seq_len": 4}
    write_json(folder, "processor_config.json", processor)


def _llava(folder: Path) -> None:
    ids = write_tokenizer(folder, ["<image>"], "<image>\n")
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    config = transformers.LlavaConfig(
        text_config={"model_type": "llama", **text_config(ids)},
        vision_config={
            "model_type": "clip_vision_model",
            **vision,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        image_token_index=ids["<image>"],
        image_seq_length=16,
    )
    save(folder, "LlavaForConditionalGeneration", config)
    pictures = {
        "image_processor_type": "CLIPImageProcessor",
        "processor_class": "LlavaProcessor",
        "size": {"shortest_edge": 32},
        "crop_size": {"height": 32, "width": 32},
    }
    write_json(folder, "preprocessor_config.json", pictures)
    said = {"patch_size": 8, "vision_feature_select_strategy": "default"}
    said |= {"processor_class": "LlavaProcessor", "num_additional_image_tokens": 1}
    write_json(folder, "processor_config.json", said)


def _gemma3(folder: Path) -> None:
    """Reads a picture's pieces in both directions, and has windows: all in one go."""
    names = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    names |= {"image_token": "<image_soft_token>"}
    ids = write_tokenizer(
        folder, _GEMMA, "<start_of_image>", bos_token="<bos>", extra_special_tokens=names
    )
    config = transformers.Gemma3Config(
        text_config=text_config(
            ids,
            num_hidden_layers=3,
            sliding_window=16,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        ),
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        mm_tokens_per_image=4,
        boi_token_index=ids["<start_of_image>"],
        eoi_token_index=ids["<end_of_image>"],
        image_token_index=ids["<image_soft_token>"],
        tie_word_embeddings=False,
    )
    save(folder, "Gemma3ForConditionalGeneration", config)
    pictures = {
        "image_processor_type": "Gemma3ImageProcessor",
        "processor_class": "Gemma3Processor",
        "size": {"height": 32, "width": 32},
    }
    write_json(folder, "preprocessor_config.json", pictures)
    said = {"processor_class": "Gemma3Processor", "image_seq_length": 4}
    write_json(folder, "processor_config.json", said)


def _mllama(folder: Path) -> None:
    """Looks at its pictures from beside the text, in layers of their own."""
    ids = write_tokenizer(
        folder, ["<|image|>", "<|python_tag|>"], "<|image|>", bos_token="<|endoftext|>"
    )
    config = transformers.MllamaConfig(
        text_config=text_config(ids, num_hidden_layers=3, cross_attention_layers=[1])
        | {"bos_token_id": ids["<|endoftext|>"]},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": 2,
            "vision_output_dim": 64,
            "image_size": 32,
            "patch_size": 8,
            "intermediate_layers_indices": [1],
        },
        image_token_index=ids["<|image|>"],
    )
    save(folder, "MllamaForConditionalGeneration", config)
    pictures = {
        "image_processor_type": "MllamaImageProcessor",
        "processor_class": "MllamaProcessor",
        "size": {"height": 32, "width": 32},
        "max_image_tiles": 4,
    }
    write_json(folder, "preprocessor_config.json", pictures)


def _hunyuan(folder: Path) -> None:
    """Counts positions in a way of its own."""
    names = {
        "image_token": "<image>",
        "image_start_token": "<image_start>",
        "image_end_token": "<image_end>",
    }
    ids = write_tokenizer(
        folder, [*names.values()], "<image_start><image><image_end>", extra_special_tokens=names
    )
    config = transformers.HunYuanVLConfig(
        text_config=text_config(
            ids, rope_parameters={"rope_type": "default", "mrope_section": [1, 1, 1, 1]}
        ),
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "out_hidden_size": 32,
            "text_hidden_size": 32,
            "patch_size": 4,
            "max_image_size": 128,
        },
        image_token_id=ids["<image>"],
        image_start_token_id=ids["<image_start>"],
        image_end_token_id=ids["<image_end>"],
        tie_word_embeddings=False,
    )
    save(folder, "HunYuanVLForConditionalGeneration", config)
    pictures = {
        "image_processor_type": "HunYuanVLImageProcessor",
        "processor_class": "HunYuanVLProcessor",
        "min_pixels": 256,
        "max_pixels": 4096,
        "patch_size": 4,
        "temporal_patch_size": 1,
        "merge_size": 2,
    }
    write_json(folder, "preprocessor_config.json", pictures)


SIGHTED: dict[str, Callable[[Path], None]] = {
    "qwen2_vl": _qwen2_vl,
    "qwen3_vl": _qwen3_vl,
    "idefics3": _idefics3,
    "smolvlm": _smolvlm,
    "llava": _llava,
    "gemma3": _gemma3,
    "mllama": _mllama,
    "hunyuan_vl": _hunyuan,
}
