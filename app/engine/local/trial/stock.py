"""The stock side of a trial: transformers' own classes with random weights, as its documentation
uses them; its layers one after the other on as many GPUs as there are."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import dispatch_model, init_empty_weights  # type: ignore[import-untyped]
from PIL import Image
from transformers import AutoConfig, AutoModelForImageTextToText, AutoTokenizer

from app.engine.local.trial.asked import QUESTION, SCREEN, picture, text
from app.engine.local.trial.tell import tell, timed, wait
from app.engine.local.weights.invented import SIGN

WHO = "transformers, bf16"

_SPREAD = 0.02  # standard deviation, as the family initialises its weights
_TOKENS = 32  # of the answer whose pace is measured

Inputs = dict[str, Any]


def measure(folder: Path, *, small: bool, runs: int) -> None:
    """First tokens behind texts and a picture, and the pace of what follows."""
    devices = _devices()
    torch.backends.cuda.enable_cudnn_sdp(True)  # as torch has it by itself; the engine does not
    made: list[Any] = []
    tell(WHO, "weights made", "s", [timed(lambda: made.append(_model(folder, devices)))])
    model = made.pop()
    model.generation_config.eos_token_id = None
    ask = _asking(model, AutoTokenizer.from_pretrained(folder), devices[0])
    lengths = (48, 80) if small else (256, 4096)
    for length in lengths:
        times = [timed(lambda r=run: ask(text(length, r), 1)) for run in range(runs + 1)]  # type: ignore[misc]  # noqa: B023
        tell(WHO, f"first token, {length} tokens", "s", times[1:])
    _see(folder, model, device=devices[0], runs=runs)
    count = 4 if small else _TOKENS
    for length in lengths:
        paces = [_pace(ask, text(length, 100 + run), count) for run in range(runs)]
        tell(WHO, f"decode at {length}", "tok/s", paces)


# --- the model ---------------------------------------------------------------------------------


def _devices() -> list[torch.device]:
    if not torch.cuda.is_available():
        return [torch.device("cpu")]
    return [torch.device("cuda", number) for number in range(torch.cuda.device_count())]


def _model(folder: Path, devices: list[torch.device]) -> Any:
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for ours in (SIGN, "quantization_config"):
        said.pop(ours, None)
    config = AutoConfig.for_model(said.pop("model_type"), **said)
    with init_empty_weights(include_buffers=False):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    places = _places(config.text_config.num_hidden_layers, devices)
    for name, parameter in list(model.named_parameters()):
        _fill(model, name, parameter.shape, _place(name, places))
    if len(devices) > 1:
        dispatch_model(model, places)
    return model.to(devices[0]).eval() if len(devices) == 1 else model.eval()


def _places(layers: int, devices: list[torch.device]) -> dict[str, torch.device]:
    """Which part goes where: as many layers on each device, the ends with their neighbours."""
    base = "model.language_model"
    places = {"model.visual": devices[0], f"{base}.embed_tokens": devices[0]}
    places[f"{base}.rotary_emb"] = devices[0]
    for layer in range(layers):
        places[f"{base}.layers.{layer}"] = devices[layer * len(devices) // layers]
    return {**places, f"{base}.norm": devices[-1], "lm_head": devices[-1]}


def _place(name: str, places: dict[str, torch.device]) -> torch.device:
    return next(device for part, device in places.items() if name.startswith(f"{part}."))


def _fill(model: Any, name: str, shape: torch.Size, device: torch.device) -> None:
    parent, _, last = name.rpartition(".")
    tensor = torch.empty(shape, dtype=torch.bfloat16, device=device)
    norm = "norm" in parent.rpartition(".")[2]
    filled = tensor.fill_(1) if norm else tensor.normal_(std=_SPREAD)
    setattr(model.get_submodule(parent), last, torch.nn.Parameter(filled, requires_grad=False))


# --- what it is asked ----------------------------------------------------------------------------


def _asking(model: Any, tokenizer: Any, device: torch.device) -> Callable[[str, int], None]:
    def ask(words: str, count: int) -> None:
        chat = [{"role": "user", "content": [{"type": "text", "text": words}]}]
        inputs = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        inputs.pop("token_type_ids", None)
        _generate(model, dict(inputs.to(device)), count)

    return ask


def _generate(model: Any, inputs: Inputs, count: int) -> None:
    with torch.inference_mode():
        model.generate(**inputs, do_sample=False, min_new_tokens=count, max_new_tokens=count)


def _see(folder: Path, model: Any, *, device: torch.device, runs: int) -> None:
    """A picture needs transformers' processor, and that needs torchvision."""
    try:
        from transformers import AutoProcessor  # noqa: PLC0415

        processor = AutoProcessor.from_pretrained(folder)
    except (ImportError, OSError, ValueError):
        return

    def ask(encoded: bytes) -> None:
        image = Image.open(io.BytesIO(encoded)).convert("RGB")
        parts = [{"type": "image", "image": image}, {"type": "text", "text": QUESTION}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": parts}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        inputs.pop("token_type_ids", None)
        _generate(model, dict(inputs.to(device)), 1)

    pictures = [picture(SCREEN, run) for run in range(runs + 1)]
    times = [timed(lambda p=shown: ask(p)) for shown in pictures]  # type: ignore[misc]
    tell(WHO, f"first token, a new screenshot of {SCREEN[0]}x{SCREEN[1]}", "s", times[1:])


def _pace(ask: Callable[[str, int], None], words: str, tokens: int) -> float:
    """Tokens a second, without what the first one takes."""
    ask(words, 1)
    wait()
    one = timed(lambda: ask(words, 1))
    return tokens / (timed(lambda: ask(words, 1 + tokens)) - one)
