"""The tensors of the real models by their names on a hub: shapes and types, no numbers. Knows no
file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from app.engine.local.trial.shapes import Kind

Json: TypeAlias = Mapping[str, Any]
TEXT, TOWER = "model.language_model", "model.visual"


class Part(NamedTuple):
    """A tensor, its type as safetensors calls it."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "BF16"


def parts(config: Json, kind: Kind, *, group: int) -> Iterator[Part]:
    """All tensors of a checkpoint with this config.json, its layers' products in the format `kind`:
    in bf16 stay, as in real ones, head, table, router, norms and the tower."""
    text = config["text_config"]
    hidden, words = text["hidden_size"], text["vocab_size"]
    yield Part(f"{TEXT}.embed_tokens.weight", (words, hidden))
    for number in range(text["num_hidden_layers"]):
        yield from _layer(f"{TEXT}.layers.{number}", text, number, _Format(kind, group))
    yield Part(f"{TEXT}.norm.weight", (hidden,))
    yield Part("lm_head.weight", (words, hidden))
    yield from _tower(config["vision_config"])


class _Format:
    """How a layer's weight is kept: one tensor or several."""

    def __init__(self, kind: Kind, group: int) -> None:
        self._kind, self._group = kind, group

    def layer(self, name: str, rows: int, columns: int) -> Iterator[Part]:
        match self._kind:
            case "bf16":
                yield Part(f"{name}.weight", (rows, columns))
            case "fp8":
                yield Part(f"{name}.weight", (rows, columns), "F8_E4M3")
                yield Part(f"{name}.weight_scale", (rows, 1))
            case "int4":
                yield Part(f"{name}.weight_packed", (rows, columns // 8), "I32")
                yield Part(f"{name}.weight_scale", (rows, columns // self._group))
                yield Part(f"{name}.weight_shape", (2,), "I64")


def _layer(name: str, text: Json, number: int, form: _Format) -> Iterator[Part]:
    hidden, width = text["hidden_size"], text["head_dim"]
    queries, keys = (text[f"num_{who}_heads"] * width for who in ("attention", "key_value"))
    dense = "first_k_dense_replace" not in text
    norms = ("input", "post_attention", *(("post_self_attn", "post_mlp") if dense else ()))
    for norm in norms:
        yield Part(f"{name}.{norm}_layernorm.weight", (hidden,))
    for which, rows in (("q", queries), ("k", keys), ("v", keys)):
        yield from form.layer(f"{name}.self_attn.{which}_proj", rows, hidden)
        yield Part(f"{name}.self_attn.{which}_proj.bias", (rows,))
    yield from form.layer(f"{name}.self_attn.o_proj", hidden, queries)
    inner = text["intermediate_size"]
    if dense:
        yield from form.layer(f"{name}.mlp.gate_up_proj", 2 * inner, hidden)
        yield from form.layer(f"{name}.mlp.down_proj", hidden, inner)
    elif number < text["first_k_dense_replace"]:
        yield from _gated(f"{name}.mlp", inner, hidden, form)
    else:
        yield from _mixture(f"{name}.mlp", text, form)


def _mixture(name: str, text: Json, form: _Format) -> Iterator[Part]:
    count, hidden, thin = (
        text[key] for key in ("n_routed_experts", "hidden_size", "moe_intermediate_size")
    )
    yield Part(f"{name}.gate.weight", (count, hidden))
    yield Part(f"{name}.gate.e_score_correction_bias", (count,), "F32")
    for number in range(count):
        yield from _gated(f"{name}.experts.{number}", thin, hidden, form)
    yield from _gated(f"{name}.shared_experts", thin * text["n_shared_experts"], hidden, form)


def _gated(name: str, inner: int, hidden: int, form: _Format) -> Iterator[Part]:
    for which in ("gate", "up"):
        yield from form.layer(f"{name}.{which}_proj", inner, hidden)
    yield from form.layer(f"{name}.down_proj", hidden, inner)


def _tower(look: Json) -> Iterator[Part]:
    hidden, out, inner = (look[f"{key}_size"] for key in ("hidden", "out_hidden", "intermediate"))
    side, frames, merge = (
        look[key] for key in ("patch_size", "temporal_patch_size", "spatial_merge_size")
    )
    plain = _Format("bf16", 1)
    yield Part(f"{TOWER}.patch_embed.proj.weight", (hidden, 3, frames, side, side))
    yield Part(f"{TOWER}.patch_embed.proj.bias", (hidden,))
    places = (look["image_size"] // side) ** 2
    yield Part(f"{TOWER}.embeddings.position_embedding.weight", (places, hidden))
    for norm in ("post_conv_layernorm", "post_layernorm"):
        yield Part(f"{TOWER}.{norm}.weight", (hidden,))
    for number in range(look["depth"]):
        block = f"{TOWER}.blocks.{number}"
        for norm in ("norm1", "norm2"):
            yield Part(f"{block}.{norm}.weight", (hidden,))
        yield from plain.layer(f"{block}.attn.qkv", 3 * hidden, hidden)
        yield from plain.layer(f"{block}.attn.proj", hidden, hidden)
        yield from _gated(f"{block}.mlp", out, hidden, plain)  # as wide as what comes out
    yield Part(f"{TOWER}.downsample.weight", (out, hidden, merge, merge))
    yield Part(f"{TOWER}.downsample.bias", (out,))
    yield from plain.layer(f"{TOWER}.merger.proj", out, out)
    for part in ("weight", "bias"):
        yield Part(f"{TOWER}.merger.post_projection_norm.{part}", (out,))
    yield from _gated(f"{TOWER}.merger", inner, out, plain)
