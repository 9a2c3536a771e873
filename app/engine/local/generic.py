"""Any causal language model that transformers can run: loading it, and reading tokens with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from app.engine.local import attention
from app.engine.local.cache import Memory
from app.engine.local.chat import Chat
from app.engine.local.packed import Way, fastest, pack
from app.engine.local.sampler import Choice
from app.engine.models import read_config
from app.vocabulary import EngineFault

_SHORT = 0.05  # seconds that one part of a prompt may take, so that a stop is heard in time
_FIRST_PART, _LONGEST_PART = 32, 4096  # tokens


@dataclass(frozen=True, slots=True)
class Loading:
    """`gpus=None` takes a GPU where there is one; `context` lowers what the model could hold."""

    name: str
    folder: Path
    gpus: int | None = None
    context: int | None = None


class Model:
    """A loaded model, with what it has read; for one thread."""

    def __init__(self, name: str, network: Any, chat: Chat, defaults: Defaults) -> None:
        self.name = name
        self.chat = chat
        self.defaults = defaults
        self._network = network
        self._memory = Memory(network.config)
        self._part = _FIRST_PART
        self._pace = float("inf")  # seconds a token, at best

    @property
    def device(self) -> str:
        return str(self._network.device)

    def recall(self, prompt: Sequence[int]) -> int:
        """How many tokens of `prompt` need no reading, since the last one began with them."""
        return self._memory.recall(prompt)

    def read(self, tokens: Sequence[int]) -> Iterator[torch.Tensor]:
        """Read tokens in parts of about 50 ms; gives the logits [V] after each part."""
        place = 0
        while place < len(tokens):
            part = tokens[place : place + self._part]
            start = time.perf_counter()
            logits = self.step(part)
            self._note(len(part), time.perf_counter() - start)
            place += len(part)
            yield logits

    def _note(self, count: int, seconds: float) -> None:
        """Fit the next part to the best pace so far: a moment in which the machine did something
        else must not make the parts, and so the whole, slow."""
        self._pace = min(self._pace, seconds / count)
        self._part = min(max(int(_SHORT / self._pace), _FIRST_PART), _LONGEST_PART)

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        ids = torch.tensor([tokens], device=self._network.device)  # [1, T]
        out = self._network(
            input_ids=ids, past_key_values=self._memory.cache, use_cache=True, logits_to_keep=1
        )
        self._memory.add(tokens)
        logits: torch.Tensor = out.logits[0, -1]  # [V]
        return logits


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model's own folder says of how to use it."""

    choice: Choice
    ends: frozenset[int]
    context: int
    max_tokens: int
    repeat: int | None = None  # tokens that a lost model says twice
    stop: tuple[str, ...] = ()  # texts that end an answer, beside the request's own


def load(loading: Loading) -> Model:
    """Load a Hugging Face folder.

    Raises EngineFault("unsupported" | "out_of_memory" | "engine_failed").
    """
    folder = loading.folder
    disable_progress_bar()  # stderr is ours to speak on
    _refuse_too_large(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = _network(folder, _device(loading.gpus))
    except torch.OutOfMemoryError as error:
        raise _no_memory(loading.name, str(error)) from error
    except (ValueError, OSError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        message = (
            f"The model “{loading.name}” can't be loaded. Its folder {folder} may be damaged; "
            "the built-in model is made anew when its folder is deleted."
        )
        raise EngineFault("engine_failed", message, f"{type(error).__name__}: {error}") from error
    defaults = _defaults(folder, network.config, tokenizer)
    context = min(loading.context or defaults.context, defaults.context)
    return Model(loading.name, network, Chat(tokenizer), replace(defaults, context=context))


def _device(gpus: int | None) -> torch.device:
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus is not None and gpus > there:
        count = f"{there} GPUs" if there != 1 else "one GPU"
        raise EngineFault(
            "engine_failed",
            f"This machine has {count if there else 'no GPU'}; --gpus asks for {gpus}.",
        )
    return torch.device("cuda" if there and gpus != 0 else "cpu")


def _network(folder: Path, device: torch.device) -> Any:
    if device.type == "cuda":
        return _weights(folder, torch.bfloat16, None).to(device)
    torch.set_num_threads(psutil.cpu_count(logical=False) or torch.get_num_threads())
    way = fastest(_ways(folder))
    number = torch.float32 if way == "float32" else torch.bfloat16
    network = _weights(folder, number, attention.register())
    if way == "packed":
        pack(network)
    return network


def _ways(folder: Path) -> tuple[Way, ...]:
    came_in_four_bits = read_config(folder).get("quantised_from") == "Q4_1"
    return ("float32", "bfloat16", "packed") if came_in_four_bits else ("float32", "bfloat16")


def _weights(folder: Path, number: torch.dtype, attending: str | None) -> Any:
    load_with = AutoModelForCausalLM.from_pretrained
    options: dict[str, Any] = {"dtype": number, "local_files_only": True}
    try:
        return load_with(folder, attn_implementation=attending, **options).eval()
    except ValueError:
        if attending is None:
            raise
        return load_with(folder, **options).eval()  # a model with an attention of its own


def _refuse_too_large(folder: Path) -> None:
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    free = psutil.virtual_memory().available
    if size > free and not torch.cuda.is_available():
        raise _no_memory(folder.name, f"weights: {size} bytes, free: {free} bytes")


def _no_memory(name: str, detail: str) -> EngineFault:
    return EngineFault(
        "out_of_memory",
        f"The model “{name}” is larger than the free memory; "
        "close other programs or choose a smaller model.",
        detail,
    )


def _defaults(folder: Path, config: Any, tokenizer: Any) -> Defaults:
    said = _generation_config(folder)
    number: Callable[[str, float], float] = lambda key, other: float(said.get(key) or other)  # noqa: E731
    samples = bool(said.get("do_sample", "temperature" in said))
    text = config.get_text_config()
    return Defaults(
        choice=Choice(
            temperature=number("temperature", 1.0) if samples else 0.0,
            top_p=number("top_p", 1.0),
            top_k=int(number("top_k", 0)),
            repetition_penalty=number("repetition_penalty", 1.0),
            word_penalty=number("word_penalty", 1.0),
        ),
        ends=_ends(said.get("eos_token_id"), text.eos_token_id, tokenizer.eos_token_id),
        context=int(getattr(text, "max_position_embeddings", None) or 4096),
        max_tokens=int(number("max_new_tokens", 2048)),
        repeat=int(said["repeat_limit"]) if "repeat_limit" in said else None,
        stop=_stop(said.get("stop_strings")),
    )


def _generation_config(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _stop(said: str | Sequence[str] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said or ())


def _ends(*sources: int | Sequence[int] | None) -> frozenset[int]:
    """All the tokens that end an answer: each source names one, several or none."""
    ends: set[int] = set()
    for source in sources:
        ends.update([source] if isinstance(source, int) else source or ())
    return frozenset(ends)
