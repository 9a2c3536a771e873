"""A model of transformers with the weights of a folder, on its device and in its numbers; knows no
tokenizer and no processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
)
from transformers.utils import is_accelerate_available

from app.engine.local.generic import attention, lora
from app.engine.local.generic.packed import Way, fastest, pack
from app.engine.local.model import Loading
from app.engine.local.room import use_cores
from app.engine.models import read_config
from app.vocabulary import EngineFault


def sees(config: Any) -> bool:
    """Whether a configuration of transformers is that of a model that is shown pictures."""
    kind, written = type(config), (config.architectures or [""])[0]
    if kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return bool(written == MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[kind].__name__)
    brought = "AutoModelForImageTextToText" in (getattr(config, "auto_map", None) or {})
    return kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING or brought


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a model reckons with; `packed` puts its linear layers in fewer bits."""

    dtype: torch.dtype
    packed: bool = False


def quickest(loading: Loading, device: torch.device) -> Numbers:
    """The numbers asked for, or those in which the device is soonest done."""
    if device.type == "cuda":
        return Numbers(loading.dtype or torch.bfloat16)
    use_cores()
    if loading.dtype is not None:
        return Numbers(loading.dtype)
    way = fastest(_ways(loading))
    return Numbers(torch.float32 if way == "float32" else torch.bfloat16, way == "packed")


def open_model(
    loading: Loading, config: Any, device: torch.device, *, numbers: Numbers, trusted: bool
) -> Any:
    """The model, ready to be asked; `trusted` lets it run the code that it brings.

    Raises EngineFault("unsupported" | "damaged"), and what transformers raises.
    """
    _refuse_foreign(loading.name, config, trusted=trusted)
    place = _place(loading.gpus, device) if device.type == "cuda" else {}
    options = {"dtype": numbers.dtype, "trust_remote_code": trusted, **place}
    model = _weights(loading, config, **options)
    if device.type != "cuda":
        _attend(model)
    elif not place:
        model.to(device)
    if loading.adapter is not None:
        lora.apply(model, loading.adapter)
    if numbers.packed:
        pack(model)
    return model


def _refuse_foreign(name: str, config: Any, *, trusted: bool) -> None:
    kind = type(config)
    speaks = kind in MODEL_FOR_CAUSAL_LM_MAPPING or kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    if config.is_encoder_decoder or not (speaks or trusted):
        raise EngineFault(
            "unsupported",
            f"The model “{name}” is of the kind “{config.model_type}”, which does not go on with a "
            "text as a chat needs it; choose another model.",
        )


def _place(gpus: int | None, device: torch.device) -> dict[str, Any]:
    """Where transformers is to put the weights; nothing where it can only fill main memory."""
    if not is_accelerate_available():
        return {}
    if gpus is None or gpus < 2:
        return {"device_map": {"": device}}
    room = {number: torch.cuda.mem_get_info(number)[0] for number in range(gpus)}
    return {"device_map": "auto", "max_memory": room}


def _weights(loading: Loading, config: Any, **options: Any) -> Any:
    opener = AutoModelForImageTextToText if sees(config) else AutoModelForCausalLM
    model, report = opener.from_pretrained(
        loading.folder,
        config=config,
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
        **options,
    )
    missing = sorted(report["missing_keys"])
    if missing:  # transformers would go on with random numbers there
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        message = f"The weights of “{loading.name}” lack {missing[0]}{more}; download it again."
        raise EngineFault("damaged", message, f"{opener.__name__}")
    return model.eval()


def _attend(model: Any) -> None:
    """Let one new token be attended to in our way where it would be in torch's."""
    text = model.config.get_text_config()
    if text._attn_implementation == "sdpa":
        name = attention.register()
        composed = "text_config" in model.config.sub_configs
        model.set_attn_implementation({"text_config": name} if composed else name)


def _ways(loading: Loading) -> tuple[Way, ...]:
    came_in_four_bits = read_config(loading.folder).get("quantised_from") == "Q4_1"
    return ("float32", "bfloat16", "packed") if came_in_four_bits else ("float32", "bfloat16")
