"""The memory that a checkpoint needs once it is loaded, and whether its device, or each of several,
has that much free: asked before anything is loaded, from the headers of the files and config.json.
An honest estimate; knows no network."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.engine.headers import Header, contents
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.room import free_bytes, gigabytes
from app.engine.models import read_config
from app.vocabulary import EngineFault

_FLOATS = frozenset({"F64", "F32", "BF16", "F16"})
_PACKED = ("qweight", "weight_packed")  # 4-bit weights in words of 32 bits
_SCALES = ("weight_scale", "weight_scale_inv", "e_score_correction_bias")  # float32 once loaded
_PART = 4096  # tokens of a prompt that are read at once, at most
_PICTURE = 4_000_000  # pixels of the picture that is reckoned with: a large screenshot
_SHARED = re.compile(r"\.([qkvo]|gate|up|gate_up|down)_proj(\.|_|$)|(^|\.)lm_head\.")
_WHOLE = re.compile(r"(^|\.)visual\.")
LEAST = 2048  # tokens of a conversation that is worth loading a model for

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes: of the weights, of what is kept of each token of a conversation, and of what reading a
    part of a prompt or a picture takes in passing."""

    weights: int
    token: int
    working: int

    def total(self, context: int) -> int:
        """Bytes with a conversation of `context` tokens."""
        return self.weights + self.working + self.token * context

    def longest(self, free: int) -> int:
        """Tokens of a conversation for which `free` bytes are enough; 0 where none fit."""
        left = free - self.weights - self.working
        return max(left, 0) // self.token if self.token else 0


def estimate(folder: Path, *, dtype: torch.dtype, keeps: bool = True, ranks: int = 1) -> Estimate:
    """What the checkpoint in `folder` needs with numbers of `dtype`, on each of `ranks` devices
    that share it out.

    Quantised weights stay so, unless `keeps` is False: then they become plain numbers, as most of
    transformers' models make of them. Raises as `app.engine.headers.contents`.
    """
    width, config = dtype.itemsize, read_config(folder)
    text = {**config, **(config.get("text_config") or {})}
    weights = sum(
        _loaded(name, header, width, keeps) // _ranks(name, header, text, ranks)
        for name, header in contents(folder).items()
    )
    tower, look = config.get("vision_config") or {}, _read(folder / "preprocessor_config.json")
    seeing = _seeing(tower, look, width) if tower else 0
    return Estimate(weights, _token(text, width, ranks), max(_reading(text, width, ranks), seeing))


def context_for(
    name: str,
    needed: Estimate,
    device: torch.device,
    *,
    most: int,
    asked: int | None = None,
    ranks: int = 1,
    group: Group = ALONE,
) -> int:
    """Tokens of context for which the device has room beside the model: as many as `asked`, else
    what fits, up to the model's `most`. Of several `ranks` each is asked for what it `needed`; a
    `group` of them comes to one answer.

    Raises EngineFault("out_of_memory") with the numbers, where `asked` don't fit or too few would.
    """
    ranks = max(ranks, group.count)
    free = group.min(free_bytes(device)) // (1 if device.type == "cuda" else ranks)
    least = min(asked or LEAST, most)
    if needed.total(least) > free:
        raise _too_large(name, needed, _where(device, ranks), context=least, free=free)
    return min(asked or needed.longest(free) or most, most)


def _where(device: torch.device, ranks: int) -> str:
    if device.type != "cuda":
        return "this computer" if ranks == 1 else f"each of {ranks} ranks"
    return "the GPU" if ranks == 1 else f"each of {ranks} GPUs"


def _too_large(name: str, needed: Estimate, where: str, *, context: int, free: int) -> EngineFault:
    parts = (
        f"{gigabytes(needed.weights)} for its weights, "
        f"{gigabytes(needed.token * context)} for a context of {context} tokens, "
        f"{gigabytes(needed.working)} to work with"
    )
    fits = needed.longest(free)
    remedy = f"ask for a context of {fits} tokens" if fits >= LEAST else "choose a smaller model"
    if "GPU" not in where:
        remedy = f"close other programs, or {remedy}"
    return EngineFault(
        "out_of_memory",
        f"The model “{name}” needs {gigabytes(needed.total(context))} of memory ({parts}), and "
        f"{where} has {gigabytes(free)} free; {remedy}.",
        f"needs {needed.total(context)} bytes, free: {free} bytes",
    )


# --- what takes it ----------------------------------------------------------------------------


def _loaded(name: str, header: Header, width: int, keeps: bool) -> int:
    kind, count = name.rpartition(".")[2], math.prod(header.shape)
    if kind in _SCALES:
        return count * 4
    if header.dtype in _FLOATS and kind != "scales":
        return count * width
    if keeps:
        return header.bytes
    return count * width * (8 if kind in _PACKED else 1)


def _ranks(name: str, header: Header, text: Json, ranks: int) -> int:
    """How many ranks share a tensor of a language model out; the rest each of them holds."""
    found = _SHARED.search(name)
    if found is None or _WHOLE.search(name):
        return 1
    if found[1] in ("k", "v"):
        return min(ranks, _keys(text))
    a_row = header.shape[-1:] == (1,) and found[1] in ("o", "down")  # cut by columns
    return 1 if a_row else ranks


def _token(text: Json, width: int, ranks: int) -> int:
    """Keys and values of all layers."""
    layers = _number(text, "num_hidden_layers", "n_layer")
    return 2 * layers * -(-_keys(text) // ranks) * _head(text) * width


def _reading(text: Json, width: int, ranks: int) -> int:
    """The tensors that a part of a prompt goes through in its widest layer."""
    hidden, wide = _number(text, "hidden_size", "n_embd"), _number(text, "intermediate_size")
    chosen = _number(text, "num_experts_per_tok")
    inner = 3 * (wide or 4 * hidden) // ranks
    if chosen:
        each = 3 * _number(text, "moe_intermediate_size") // ranks
        inner = max(inner, chosen * (2 * hidden + each))
    attention = 4 * _heads(text) * _head(text) // ranks
    words = 2 * 4 * _number(text, "vocab_size")  # the logits of one token, in float32
    return _PART * width * (4 * hidden + max(inner, attention)) + words


def _seeing(tower: Json, look: Json, width: int) -> int:
    """The tensors that a picture goes through."""
    side, frames = _number(tower, "patch_size") or 14, _number(tower, "temporal_patch_size") or 1
    size = look.get("size")
    most = _number(size, "longest_edge") if isinstance(size, dict) else 0
    pixels = min(most // frames or _PICTURE, _PICTURE)
    hidden = _number(tower, "hidden_size", "embed_dim")
    inner = min(_number(tower, "intermediate_size") or 4 * hidden, 4 * hidden)
    patch = 2 * 4 * 3 * frames * side * side  # its pixels in float32, twice
    return pixels // (side * side) * (width * (8 * hidden + 3 * inner) + patch)


def _heads(text: Json) -> int:
    return _number(text, "num_attention_heads", "n_head")


def _keys(text: Json) -> int:
    return _number(text, "num_key_value_heads") or max(_heads(text), 1)


def _head(text: Json) -> int:
    hidden = _number(text, "hidden_size", "n_embd")
    return _number(text, "head_dim") or hidden // max(_heads(text), 1)


def _number(said: Json, *names: str) -> int:
    """The first of these that is a whole number; 0 where none is, as for lists a layer."""
    found = (said.get(name) for name in names)
    return next((value for value in found if isinstance(value, int) and value > 0), 0)


def _read(file: Path) -> Json:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
