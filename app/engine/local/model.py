"""A loaded model and how one is loaded: picks the family by what the folder holds; the arithmetic
is the network's, the words are the chat's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from app.engine.local.chat import Chat
from app.engine.local.life import Say
from app.engine.local.memory import Memory
from app.engine.local.network import Network
from app.engine.local.pace import Pace
from app.engine.local.room import Room, room_for
from app.engine.local.sampler import Choice
from app.engine.models import base_folder, read_config
from app.vocabulary import EngineFault

_GLM = frozenset({"glm4v_moe", "glm4v", "glm4_moe", "glm46v"})  # model_type of config.json


@dataclass(frozen=True, slots=True)
class Loading:
    """What to load. `gpus=None` takes a GPU where there is one, and more where the model needs
    them; `context` lowers what the model could hold; `dtype=None` takes what is quick on the
    device; `adapter` is a PEFT folder that goes on top of `folder`; `ranks` are so many processes
    that share a model out on the CPU, to try what several GPUs do."""

    name: str
    folder: Path
    gpus: int | None = None
    context: int | None = None
    dtype: torch.dtype | None = None
    adapter: Path | None = None
    ranks: int | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model's own folder says of how to use it."""

    choice: Choice
    ends: frozenset[int]
    context: int
    max_tokens: int
    repeat: int | None = None  # tokens that a lost model says twice
    stop: tuple[str, ...] = ()  # texts that end an answer, beside the request's own


class Model:
    """A loaded model, with the conversations that it has read; for one thread."""

    def __init__(
        self,
        name: str,
        chat: Chat,
        *,
        defaults: Defaults,
        network: Network,
        room: Room | None = None,
    ) -> None:
        self.name = name
        self.chat = chat
        self.defaults = defaults
        self.network = network
        self.memory = Memory(network, room or room_for(network.device))
        self.pace = Pace(network.device)

    @property
    def device(self) -> str:
        return str(self.network.device)


def load(loading: Loading, say: Say = lambda *_: None) -> Model:
    """Load a checkpoint folder, or an adapter's folder with the model that it belongs to.

    Raises EngineFault("unsupported" | "out_of_memory" | "engine_failed" | "no_model" | "damaged").
    """
    # the family decides which libraries are needed, and each family builds on this module
    if torch.cuda.is_available():
        # cuDNN's attention plans anew for every length: 30 ms a token on an H100, torch 2.11
        torch.backends.cuda.enable_cudnn_sdp(False)
    loading = _with_base(loading)
    if read_config(loading.folder).get("model_type") in _GLM:
        from app.engine.local.glm.load import load as load_glm  # noqa: PLC0415

        return load_glm(loading, say)
    from app.engine.local.generic.load import load as load_generic  # noqa: PLC0415

    return load_generic(loading, say)


def _with_base(loading: Loading) -> Loading:
    """An adapter's folder as what it means: its base model, with the adapter on top."""
    said = _read(loading.folder / "adapter_config.json")
    if not said or read_config(loading.folder):
        return loading
    base = base_folder(loading.folder)
    if base is not None:
        return replace(loading, folder=base, adapter=loading.folder)
    wanted = said.get("base_model_name_or_path") or "unnamed"
    raise EngineFault(
        "no_model",
        f"“{loading.name}” is an adapter for the model “{wanted}”, which is not here; put that "
        f"model's folder beside {loading.folder}, or write its path into adapter_config.json.",
    )


def own_defaults(
    folder: Path, *, context: int, ends: Sequence[int | Sequence[int] | None]
) -> Defaults:
    """What the folder's generation_config.json says; `ends` are the ends named elsewhere (config,
    tokenizer), each as one number, several or none; `context` is the model's length in tokens."""
    said = _read(folder / "generation_config.json")
    return Defaults(
        choice=_choice(said),
        ends=_ends(said.get("eos_token_id"), *ends),
        context=context,
        max_tokens=int(_number(said, "max_new_tokens", 2048)),
        repeat=int(said["repeat_limit"]) if "repeat_limit" in said else None,
        stop=_stop(said.get("stop_strings")),
    )


def _choice(said: dict[str, Any]) -> Choice:
    samples = bool(said.get("do_sample", "temperature" in said))
    return Choice(
        temperature=_number(said, "temperature", 1.0) if samples else 0.0,
        top_p=_number(said, "top_p", 1.0),
        top_k=int(_number(said, "top_k", 0)),
        min_p=_number(said, "min_p", 0.0),
        repetition_penalty=_number(said, "repetition_penalty", 1.0),
        word_penalty=_number(said, "word_penalty", 1.0),
    )


def _number(said: dict[str, Any], key: str, other: float) -> float:
    return float(said.get(key) or other)


def _stop(said: str | Sequence[str] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said or ())


def _ends(*sources: int | Sequence[int] | None) -> frozenset[int]:
    """All the tokens that end an answer: each source names one, several or none."""
    ends: set[int] = set()
    for source in sources:
        ends.update([source] if isinstance(source, int) else source or ())
    return frozenset(ends)


def _read(file: Path) -> dict[str, Any]:
    """A JSON object; empty where the file is missing or damaged."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
