"""How many bytes a decoded token makes each GPU read: weights of the layers that it goes through,
the head, and the keys and values before it. Arithmetic on config.json; knows no device."""

from __future__ import annotations

from app.engine.local.trial.shapes import Kind
from app.engine.local.trial.size import Json

_BYTES = {"bf16": 2.0, "fp8": 1.0, "int4": 0.5 + 2 / 128}


def active(config: Json, kind: Kind, *, ranks: int, context: int) -> float:
    """Bytes that each of `ranks` reads for a token behind `context` others."""
    text = config["text_config"]
    layers, hidden = text["num_hidden_layers"], text["hidden_size"]
    heads, width = text["num_attention_heads"], text["head_dim"]
    keys = max(text["num_key_value_heads"] / ranks, 1)
    attention = (2 * heads / ranks + 2 * keys) * width * hidden
    kept = 2 * keys * width * context * 2
    layer = (attention + _inside(text, ranks)) * _BYTES[kind] + _routing(text) + kept
    dense = text.get("first_k_dense_replace", 0)
    first = 3 * hidden * text["intermediate_size"] / ranks * _BYTES[kind]
    instead = dense * (first - _inside(text, ranks) * _BYTES[kind] - _routing(text))
    head = text["vocab_size"] * hidden * 2 / ranks
    return float(layers * layer + instead + head)


def _inside(text: Json, ranks: int) -> float:
    """Weights behind attention that a token meets in a layer."""
    if "n_routed_experts" not in text:
        return float(3 * text["hidden_size"] * text["intermediate_size"] / ranks)
    answering = text["num_experts_per_tok"] + text["n_shared_experts"]
    return float(3 * answering * text["hidden_size"] * text["moe_intermediate_size"] / ranks)


def _routing(text: Json) -> float:
    """Bytes of a router, which is in 32 bits and whole on each rank."""
    return float(4 * text.get("n_routed_experts", 0) * text["hidden_size"])
