"""What config.json of the real models says, and of tiny ones of the same kinds. Plain values; knows
no file."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from app.engine.local.trial.shapes import Kind
from app.engine.local.weights.invented import SIGN, STEADY

Json: TypeAlias = dict[str, Any]

MODELS = ("4.5v-fp8", "9b-bf16", "9b-fp8", "9b-int4")
_GROUP = 128  # columns that share a scale in four bits
_TINY_GROUP = 32

_BIG: Json = {
    "model_type": "glm4v_moe_text",
    "vocab_size": 151552,
    "hidden_size": 4096,
    "intermediate_size": 10944,
    "num_hidden_layers": 46,
    "num_attention_heads": 96,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "attention_bias": True,
    "use_qk_norm": False,
    "moe_intermediate_size": 1408,
    "n_routed_experts": 128,
    "num_experts_per_tok": 8,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 1.0,
    "first_k_dense_replace": 1,
}
_MIDDLE: Json = {
    "model_type": "glm4v_text",
    "vocab_size": 151552,
    "hidden_size": 4096,
    "intermediate_size": 13696,
    "num_hidden_layers": 40,
    "num_attention_heads": 32,
    "num_key_value_heads": 2,
    "head_dim": 128,
}
_TINY: Json = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}
_TINY_EXPERTS: Json = {
    "moe_intermediate_size": 64,
    "n_routed_experts": 16,
    "num_experts_per_tok": 2,
}
_TOWER: Json = {
    "depth": 24,
    "hidden_size": 1536,
    "num_heads": 12,
    "in_channels": 3,
    "image_size": 336,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "spatial_merge_size": 2,
    "out_hidden_size": 4096,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
}
_TINY_TOWER: Json = {
    "depth": 2,
    "hidden_size": 64,
    "num_heads": 2,
    "out_hidden_size": 128,
    "intermediate_size": 256,
}


def kind_of(model: str) -> Kind:
    return cast(Kind, model.rpartition("-")[2])


def has_experts(model: str) -> bool:
    return model.startswith("4.5v")


def group_of(*, small: bool) -> int:
    return _TINY_GROUP if small else _GROUP


def described(
    model: str, *, layers: int | None = None, small: bool = False, steady: bool = False
) -> Json:
    """The config.json of one of `MODELS`, cut to so many layers, at full width or tiny;
    `steady` is weights/invented.py's affair."""
    big = has_experts(model)
    text = {**(_BIG if big else _MIDDLE), **_common(small)}
    tower = {**_TOWER, "intermediate_size": 10944 if big else 13696}
    tower["model_type"] = "glm4v_moe_vision" if big else "glm4v_vision"
    if small:
        text |= _TINY | (_TINY_EXPERTS if big else {})
        tower |= _TINY_TOWER
    if layers is not None:
        text["num_hidden_layers"] = layers
    first = 151363 if big else 151343  # the numbers of the marks in the two vocabularies
    said = {
        "architectures": [f"Glm4v{'Moe' * big}ForConditionalGeneration"],
        "model_type": "glm4v_moe" if big else "glm4v",
        "image_token_id": first,
        "video_token_id": first + 1,
        "tie_word_embeddings": False,
        "text_config": text,
        "vision_config": tower,
        SIGN: STEADY if steady else True,
    }
    quantised = _quantised(kind_of(model), group_of(small=small))
    return said | ({"quantization_config": quantised} if quantised else {})


def _common(small: bool) -> Json:
    rope = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}
    return {
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 65536,
        "rope_parameters": {**rope, "mrope_section": [2, 3, 3] if small else [8, 12, 12]},
    }


def _quantised(kind: Kind, group: int) -> Json | None:
    """As compressed-tensors says it."""
    forms: dict[str, tuple[str, Json]] = {
        "fp8": ("float-quantized", {"num_bits": 8, "type": "float", "strategy": "channel"}),
        "int4": (
            "pack-quantized",
            {"num_bits": 4, "type": "int", "strategy": "group", "group_size": group},
        ),
    }
    if kind not in forms:
        return None
    form, weights = forms[kind]
    groups = {"group_0": {"targets": ["Linear"], "weights": {**weights, "symmetric": True}}}
    ignored = ["lm_head", "re:.*visual.*", "re:.*mlp.gate$"]
    said = {"quant_method": "compressed-tensors", "format": form, "ignore": ignored}
    return {**said, "quantization_status": "compressed", "config_groups": groups}
