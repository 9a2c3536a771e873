"""Opens the checkpoint of any model that transformers knows: checks the folder first, then puts
network and chat together.

A model that brings its own Python code is refused, unless the user has read that code and allowed
it: a file `sightline.json` beside the model's `config.json` that holds `{"remote_code": true}`.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING, AutoConfig, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from app.engine.local.chat import Chat, TextChat, own_template
from app.engine.local.generic.borrowed import BorrowedNetwork
from app.engine.local.generic.eyes import FAULTS
from app.engine.local.generic.processor import NoProcessorError, load_processor
from app.engine.local.generic.showing import BlindError, SightChat
from app.engine.local.generic.stock import open_model, quickest, sees
from app.engine.local.life import Say
from app.engine.local.model import Loading, Model, own_defaults
from app.engine.local.room import device_for
from app.engine.local.weights.estimate import context_for, estimate
from app.engine.models import read_config
from app.vocabulary import EngineFault

_OWN = "sightline.json"  # what the user has allowed a model
# how weights are packed that transformers mostly unpacks when it reads them
_UNPACKED = frozenset({"compressed-tensors", "mxfp4"})
_LONGEST = 200  # characters of another's words in a sentence of ours
_CONTEXT = 4096  # tokens, for a model that names no length


def load(loading: Loading, say: Say = lambda *_: None) -> Model:
    """Load a Hugging Face folder; what can be found wrong without its weights is said first.

    Raises EngineFault("unsupported" | "out_of_memory" | "damaged" | "engine_failed").
    """
    disable_progress_bar()  # stderr is ours to speak on
    device = device_for(loading.gpus)
    trusted = _trusted(loading)
    say("loading", None, f"Loading {loading.name}")
    try:
        return _opened(loading, device, trusted)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _no_memory(loading.name, str(error)) from error
    except ImportError as error:
        message = f"The model “{loading.name}” needs a library that is not installed: {error}"
        raise EngineFault("unsupported", message, type(error).__name__) from error
    except (*FAULTS, SafetensorError) as error:
        message = (
            f"The model “{loading.name}” can't be loaded. Its folder {loading.folder} may be "
            "damaged; the built-in model is made anew when its folder is deleted."
        )
        raise EngineFault("engine_failed", message, f"{type(error).__name__}: {error}") from error


def _opened(loading: Loading, device: torch.device, trusted: bool) -> Model:
    options = {"local_files_only": True, "trust_remote_code": trusted}
    config = AutoConfig.from_pretrained(loading.folder, **options)
    tokenizer = AutoTokenizer.from_pretrained(loading.folder, **options)
    numbers = quickest(loading, device)
    context = _context(loading, config, device, numbers.dtype)
    model = open_model(loading, config, device, numbers=numbers, trusted=trusted)
    network = _network(loading.name, model)
    if sees(config):
        parts = network.parts_pictures
        chat = _seeing(loading.folder, tokenizer, context=context, parts=parts, trusted=trusted)
    else:
        chat = TextChat(tokenizer)
    places = (config, config.get_text_config(), tokenizer)
    ends = [getattr(place, "eos_token_id", None) for place in places]
    defaults = own_defaults(loading.folder, context=context, ends=ends)
    return Model(loading.name, chat, defaults=defaults, network=network)


def _context(loading: Loading, config: Any, device: torch.device, dtype: torch.dtype) -> int:
    """Tokens that the model and the device can hold. Raises EngineFault where the weights don't
    fit, and where they are not whole."""
    length = getattr(config.get_text_config(), "max_position_embeddings", None)
    most = int(length or _CONTEXT)
    method = (read_config(loading.folder).get("quantization_config") or {}).get("quant_method")
    needed = estimate(loading.folder, dtype=dtype, keeps=method not in _UNPACKED)
    asked = min(loading.context, most) if loading.context else None
    if device.type != "cuda" or (loading.gpus or 1) < 2:
        return context_for(loading.name, needed, device, most=most, asked=asked)
    free = sum(torch.cuda.mem_get_info(number)[0] for number in range(loading.gpus or 1))
    if needed.total(asked or 0) > free:
        detail = f"needs {needed.total(asked or 0)} bytes, free: {free} bytes"
        raise _no_memory(loading.name, detail)
    return asked or most


def _network(name: str, model: Any) -> BorrowedNetwork:
    try:
        return BorrowedNetwork(model)
    except FAULTS as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise EngineFault(
            "unsupported",
            f"The model “{name}” was loaded, but it can't be asked as a chat needs it; "
            "choose another model.",
            f"{type(error).__name__}: {error}",
        ) from error


def _seeing(folder: Path, tokenizer: Any, *, context: int, parts: bool, trusted: bool) -> Chat:
    """The chat of a model that sees; without processor or template, that of one that reads."""
    try:
        # a copy, since some processors change their tokenizer, and ours decodes in another thread
        processor = load_processor(folder, deepcopy(tokenizer), trusted=trusted)
        if not getattr(processor, "chat_template", None) and not own_template(tokenizer):
            raise BlindError("it has no chat template, so there is no place for them")
        return SightChat(tokenizer, processor, context=context, parts=parts)
    except (NoProcessorError, BlindError) as error:
        why = str(error).strip().splitlines()[0][:_LONGEST]
        blind = f"Pictures can't be shown to this model here ({why}); send their text instead."
        return TextChat(tokenizer, listed=bool(own_template(tokenizer)), blind=blind)


def _trusted(loading: Loading) -> bool:
    """Whether to run Python code that the model brings along. Raises EngineFault where it must be
    run and may not, and where the model is of a kind that nothing here knows."""
    name, config = loading.name, read_config(loading.folder)
    if not config:
        raise EngineFault("damaged", f"The folder of “{name}” has no config.json that can be read.")
    kind, own = config.get("model_type"), config.get("auto_map")
    allowed = loading.folder / _OWN
    trusted = bool(own) and _read(allowed).get("remote_code") is True
    if trusted or kind in CONFIG_MAPPING:
        return trusted
    if own:
        raise EngineFault(
            "unsupported",
            f"The model “{name}” brings Python code of its own, which is not run unless you allow "
            f'it: read that code, then write {{"remote_code": true}} into {allowed}.',
            f"model_type {kind}",
        )
    raise EngineFault(
        "unsupported",
        f"The model “{name}” is of the kind “{kind or 'unnamed'}”, which transformers "
        f"{transformers.__version__} does not know; update it, or choose another model.",
    )


def _no_memory(name: str, detail: str) -> EngineFault:
    return EngineFault(
        "out_of_memory",
        f"The model “{name}” is larger than the free memory; "
        "close other programs or choose a smaller model.",
        detail,
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
