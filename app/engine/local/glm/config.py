"""What config.json says of a GLM model's shape, as frozen values; knows no weights, no tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.vocabulary import EngineFault

Json = Mapping[str, Any]

_KINDS = {  # a family's language model where its config does not say
    "glm4v_moe": "glm4v_moe_text",
    "glm4v": "glm4v_text",
    "glm46v": "glm4v_text",
    "glm4_moe": "glm4_moe",
}
_SEEING = frozenset({"glm4v_moe", "glm4v", "glm46v"})
_SANDWICH = frozenset({"glm4v_text", "glm4v"})  # rotates pairs, four norms a layer
_EXPERTS = frozenset({"glm4v_moe_text", "glm4v_moe", "glm4_moe"})
_MOST = 8  # GPUs of one machine
_SECTIONS = (8, 12, 12)  # where a seeing model's config leaves them out, as transformers has it


@dataclass(frozen=True, slots=True)
class Rope:
    """Rotary positions: `width` leading dimensions of a head turn, `theta` is the slowest wave's
    base; with `sections` the frequencies are shared out among time, row and column; `interleaved`
    turns neighbours (GLM), else the first half against the second (NeoX)."""

    width: int
    theta: float
    sections: tuple[int, ...] = ()
    interleaved: bool = False


@dataclass(frozen=True, slots=True)
class ExpertsConfig:
    """A layer's experts: `count` of which `chosen` answer, within the `kept` best of `groups`."""

    count: int
    chosen: int
    shared: int
    groups: int
    kept: int
    scale: float
    normalised: bool
    first: int  # the layers before this one have no experts


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The language model."""

    words: int
    hidden: int
    layers: int
    heads: int
    key_heads: int
    width: int  # of a head
    eps: float
    context: int  # tokens
    rope: Rope
    experts: ExpertsConfig | None
    sandwich: bool  # a norm behind attention and network as well
    query_norm: bool
    tied: bool  # the head is the embedding table
    guessers: int = 0  # layers that guess a token further on (multi-token prediction)

    def runs_on(self, gpus: int) -> bool:
        """Whether so many GPUs can share out the heads; where there are fewer key heads, several
        GPUs keep the same one."""
        fewer, more = sorted((gpus, self.key_heads))
        return self.heads % gpus == 0 and more % fewer == 0

    def most_of(self, gpus: int) -> int:
        """As many of these GPUs as the model can run on."""
        return max(count for count in range(1, gpus + 1) if self.runs_on(count))

    def key_heads_of(self, gpus: int) -> int:
        """How many key heads each of so many GPUs keeps."""
        return max(self.key_heads // gpus, 1)


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """The vision tower."""

    depth: int
    hidden: int
    heads: int
    patch: int  # pixels
    frames: int  # in a patch
    channels: int
    merge: int  # patches a side that become one token
    out: int
    eps: float
    theta: float


@dataclass(frozen=True, slots=True)
class GlmConfig:
    """A whole model; `vision` is None for one that reads text only."""

    family: str  # model_type
    text: TextConfig
    vision: VisionConfig | None
    ends: tuple[int, ...]


def read(folder: Path) -> GlmConfig:
    """The configuration in `folder`.

    Raises EngineFault("damaged" | "unsupported").
    """
    file = folder / "config.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file} can't be read; download the model again."
        raise EngineFault("damaged", message, str(error)) from error
    if not isinstance(said, dict):
        raise EngineFault("damaged", f"{file} is not a JSON object; download the model again.")
    return understand(said)


def check_gpus(config: TextConfig, count: int) -> None:
    """Raises EngineFault("unsupported") for a number of GPUs that the model can't run on."""
    if config.runs_on(count):
        return
    *some, last = (str(number) for number in range(1, _MOST + 1) if config.runs_on(number))
    numbers = f"{', '.join(some)} or {last} GPUs" if some else "one GPU"
    message = f"This model runs on {numbers}, not on {count}; ask for such a number."
    raise EngineFault("unsupported", message)


def understand(said: Json) -> GlmConfig:
    """What a config.json says, in the nested form as in the flat one of older checkpoints.

    Raises EngineFault("damaged" | "unsupported").
    """
    family = str(said.get("model_type"))
    if family not in _KINDS:
        raise _unknown(f"of the kind “{family}”")
    try:
        text = {"model_type": _KINDS[family], **(said.get("text_config") or said)}
        vision = _vision(said["vision_config"]) if family in _SEEING else None
        return GlmConfig(family, _text(text, said), vision, _ends(text, said))
    except KeyError as missing:
        message = f"config.json lacks {missing}; download the model again."
        raise EngineFault("damaged", message) from missing
    except (TypeError, ValueError, AttributeError) as error:
        message = "config.json holds a value that makes no sense; download the model again."
        raise EngineFault("damaged", message, str(error)) from error


def _text(text: Json, whole: Json) -> TextConfig:
    kind = str(text.get("model_type"))
    if kind not in _SANDWICH | _EXPERTS:
        raise _unknown(f"with a language model of the kind “{kind}”")
    if text.get("hidden_act", "silu") != "silu":
        raise _unknown(f"with the activation “{text['hidden_act']}”")
    heads, hidden = int(text["num_attention_heads"]), int(text["hidden_size"])
    width = int(text.get("head_dim") or hidden // heads)
    return TextConfig(
        words=int(text["vocab_size"]),
        hidden=hidden,
        layers=int(text["num_hidden_layers"]),
        heads=heads,
        key_heads=int(text.get("num_key_value_heads") or heads),
        width=width,
        eps=float(text.get("rms_norm_eps", 1e-5)),
        context=int(text["max_position_embeddings"]),
        rope=_rope(text, width, kind),
        experts=_experts(text) if kind in _EXPERTS else None,
        sandwich=kind in _SANDWICH,
        query_norm=bool(text.get("use_qk_norm", False)),
        tied=bool(whole.get("tie_word_embeddings") or text.get("tie_word_embeddings")),
        guessers=int(text.get("num_nextn_predict_layers") or 0),
    )


def _rope(text: Json, width: int, kind: str) -> Rope:
    """The newer `rope_parameters` hold all of it, the older `rope_scaling` only a part."""
    said = {**(text.get("rope_scaling") or {}), **(text.get("rope_parameters") or {})}
    form = said.get("rope_type", said.get("type", "default"))
    if form not in ("default", "mrope"):
        raise _unknown(f"with rotary positions of the kind “{form}”")
    share = said.get("partial_rotary_factor", text.get("partial_rotary_factor"))
    usual = 0.5 if kind in _EXPERTS else 1.0
    turned = int(width * float(usual if share is None else share))
    sections: tuple[int, ...] = ()
    if kind != "glm4_moe":
        sections = tuple(int(part) for part in said.get("mrope_section") or _SECTIONS)
        if sum(sections) * 2 != turned:
            raise _unknown(f"whose rotary sections {list(sections)} don't make {turned // 2}")
    theta: Any = said.get("rope_theta", text.get("rope_theta", 10000.0))
    return Rope(turned, float(theta), sections, interleaved=kind in _SANDWICH)


def _experts(text: Json) -> ExpertsConfig:
    return ExpertsConfig(
        count=int(text.get("n_routed_experts") or text["num_local_experts"]),
        chosen=int(text["num_experts_per_tok"]),
        shared=int(text.get("n_shared_experts") or 0),
        groups=int(text.get("n_group") or 1),
        kept=int(text.get("topk_group") or 1),
        scale=float(text.get("routed_scaling_factor", 1.0)),
        normalised=bool(text.get("norm_topk_prob", True)),
        first=int(text.get("first_k_dense_replace", 1)),
    )


def _vision(said: Json) -> VisionConfig:
    if said.get("hidden_act", "silu") != "silu":
        raise _unknown(f"with a vision tower of the activation “{said['hidden_act']}”")
    rope = said.get("rope_parameters") or {}
    return VisionConfig(
        depth=int(said["depth"]),
        hidden=int(said["hidden_size"]),
        heads=int(said["num_heads"]),
        patch=int(said["patch_size"]),
        frames=int(said.get("temporal_patch_size", 2)),
        channels=int(said.get("in_channels", 3)),
        merge=int(said.get("spatial_merge_size", 2)),
        out=int(said["out_hidden_size"]),
        eps=float(said.get("rms_norm_eps", 1e-5)),
        theta=float(rope.get("rope_theta", 10000.0)),
    )


def _ends(text: Json, whole: Json) -> tuple[int, ...]:
    said = text.get("eos_token_id", whole.get("eos_token_id"))
    return (said,) if isinstance(said, int) else tuple(said or ())


def _unknown(what: str) -> EngineFault:
    message = f"This engine does not know GLM models {what}; choose another model."
    return EngineFault("unsupported", message)
