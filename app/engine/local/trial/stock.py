"""The stock side of a trial: transformers' own classes, as its documentation uses them."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoTokenizer

from app.engine.local.trial.asked import QUESTION, SCREEN, screenshot, text
from app.engine.local.trial.tell import held, tell, timed, wait

WHO = "transformers"

Inputs = dict[str, Any]


def measure(folder: Path, lengths: Sequence[int], *, runs: int, tokens: int) -> None:
    """The same figures as the engine's."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.enable_cudnn_sdp(True)  # as torch has it by itself; the engine does not
    began = time.perf_counter()
    model = AutoModelForImageTextToText.from_pretrained(
        folder, dtype=torch.bfloat16, local_files_only=True
    ).to(device)
    model.generation_config.eos_token_id = None
    wait()
    tell(WHO, "load", "s", [time.perf_counter() - began])
    tell(WHO, "memory after load", "GB", [held()])
    ask = _asking(model, AutoTokenizer.from_pretrained(folder), device)
    for length in lengths:
        times = [timed(lambda r=run: ask(text(length, r), 1)) for run in range(runs + 1)]  # type: ignore[misc]  # noqa: B023
        tell(WHO, f"first token, {length} tokens", "s", times[1:])
    _see(folder, model, device=device, runs=runs)
    paces = [_pace(ask, run, tokens) for run in range(runs)]
    tell(WHO, "tokens", "1/s", paces)


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

    def ask(picture: bytes) -> None:
        image = Image.open(io.BytesIO(picture)).convert("RGB")
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

    pictures = [screenshot(run) for run in range(runs + 1)]
    times = [timed(lambda p=picture: ask(p)) for picture in pictures]  # type: ignore[misc]
    tell(WHO, f"first token, a new picture of {SCREEN[0]}x{SCREEN[1]}", "s", times[1:])


def _pace(ask: Callable[[str, int], None], run: int, tokens: int) -> float:
    """Tokens a second, without what the first one takes."""
    asked = text(256, 100 + run)
    ask(asked, 1)
    one = timed(lambda: ask(asked, 1))
    return tokens / (timed(lambda: ask(asked, 1 + tokens)) - one)
