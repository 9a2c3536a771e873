"""What a model takes of a machine: bytes of weights, bytes a token; knows no machine. For a model
that is here it is read from the headers of its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.engine.headers import Header, contents, tensors
from app.engine.models import InstalledModel, base_folder, read_config
from app.vocabulary import EngineFault

_PLAIN = ("BF16", "F16", "F32")  # dtypes that the engine may widen or narrow; others stay
_SIGHT = re.compile(r"(^|\.)(visual|vision\w*|multi_modal_projector)\.")
_EXPERT = re.compile(r"\.experts\.(\d+\.)?")
_LAYER = re.compile(r"\.layers\.(\d+)\.")
_EMBEDDING = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight")
# SmolLM2-135M, which comes as a file that is converted when it first runs
_CONVERTED = 2.9  # bytes of float16 safetensors for one of the four-bit file
_SMALL = {"num_hidden_layers": 30, "num_key_value_heads": 3, "head_dim": 64}


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of the weights in 16-bit numbers (`plain`) and of those kept smaller (`packed`); of
    each those that one written token reads; what a token of a conversation takes, in 16-bit
    numbers too; `here`: it is on this machine, else `get` names it on its hub, where one has it;
    `captured`: a GPU is told of a whole token at once (app.engine.local.glm)."""

    name: str
    plain: int
    packed: int
    active_plain: int
    active_packed: int
    token: int
    layers: int
    context: int
    here: bool = False
    get: str = ""
    captured: bool = False

    @property
    def weights(self) -> int:
        return self.plain + self.packed

    @property
    def active(self) -> int:
        return self.active_plain + self.active_packed


def need_of(model: InstalledModel) -> Need | None:
    """What an installed model needs; None for an adapter whose base is not here.

    Raises EngineFault("damaged" | "unsupported") as headers.contents.
    """
    if model.format == "gguf":
        size = round(model.bytes * _CONVERTED)
        return _need(model.name, _SMALL, plain=(size, size), packed=(0, 0))
    folder = model.path if model.format == "safetensors" else base_folder(model.path)
    if folder is None:
        return None
    config = read_config(folder)
    held = contents(folder)
    found = _need(
        model.name,
        _text(config),
        plain=_bytes(held, config, plain=True),
        packed=_bytes(held, config, plain=False),
    )
    extra = _adapter_bytes(model)
    return replace(
        found,
        plain=found.plain + extra,
        active_plain=found.active_plain + extra,
        captured=str(config.get("model_type")).startswith("glm4"),
    )


def _need(
    name: str, text: Mapping[str, Any], *, plain: tuple[int, int], packed: tuple[int, int]
) -> Need:
    layers = _number(text, "num_hidden_layers", "n_layer")
    heads = _number(text, "num_attention_heads", "n_head") or 1
    hidden = _number(text, "hidden_size", "n_embd")
    pairs = _number(text, "num_key_value_heads") or heads
    width = _number(text, "head_dim") or hidden // heads
    return Need(
        name=name,
        plain=plain[0],
        packed=packed[0],
        active_plain=plain[1],
        active_packed=packed[1],
        token=2 * layers * pairs * width * 2,
        layers=layers,
        context=_number(text, "max_position_embeddings", "n_positions") or 4096,
        here=True,
    )


def _bytes(
    held: Mapping[str, Header], config: Mapping[str, Any], *, plain: bool
) -> tuple[int, int]:
    """All the bytes of the tensors in wide numbers, or of the others; and those that one written
    token reads."""
    text = _text(config)
    chosen = _number(text, "num_experts_per_tok", "num_experts_per_token", "moe_topk")
    experts = _number(text, "n_routed_experts", "num_experts", "num_local_experts")
    layers = _number(text, "num_hidden_layers", "n_layer")
    tied = not any(name.endswith("lm_head.weight") for name in held)
    whole, active = 0, 0.0
    for name, header in held.items():
        if (header.dtype in _PLAIN) is not plain:
            continue
        size = header.bytes // 2 if header.dtype == "F32" else header.bytes
        whole += size
        share = chosen / experts if experts and _EXPERT.search(name) else 1.0
        active += size * share if _is_read(name, layers, tied=tied) else 0
    return whole, round(active)


def _is_read(name: str, layers: int, *, tied: bool) -> bool:
    """Whether writing a token reads this tensor at all."""
    layer = _LAYER.search(name)
    if _SIGHT.search(name) or (layer and int(layer[1]) >= layers > 0):
        return False
    return tied or not name.endswith(_EMBEDDING)


def _adapter_bytes(model: InstalledModel) -> int:
    if model.format != "adapter":
        return 0
    try:
        held = tensors(model.path / "adapter_model.safetensors")
    except EngineFault:
        return 0
    return sum(header.bytes for header in held.values())


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    text = config.get("text_config")
    return text if isinstance(text, dict) else config


def _number(said: Mapping[str, Any], *keys: str) -> int:
    """The first of these that is there; 0 where none is."""
    values = (said.get(key) for key in keys)
    return next((value for value in values if isinstance(value, int) and value > 0), 0)
