"""Opens a GLM checkpoint: its folder → a network on its device, and the words around it. Knows no
server."""

from __future__ import annotations

from pathlib import Path

import torch

from app.engine.local.generic.packed import fastest
from app.engine.local.glm.chat import open_chat
from app.engine.local.glm.config import GlmConfig, read
from app.engine.local.glm.gallery import LIMIT, Gallery
from app.engine.local.glm.look import read_look
from app.engine.local.glm.mtp import read_guesser
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.text import LanguageModel
from app.engine.local.glm.vision import Tower
from app.engine.local.life import Say
from app.engine.local.model import Loading, Model, own_defaults
from app.engine.local.room import device_for, use_cores
from app.engine.local.weights.estimate import context_for, estimate
from app.engine.local.weights.opened import Weights
from app.vocabulary import EngineFault


def load(loading: Loading, say: Say = lambda *_: None) -> Model:
    """Load a GLM checkpoint; all that can be found wrong without its weights is said first.

    Raises EngineFault("unsupported" | "out_of_memory" | "damaged" | "engine_failed").
    """
    folder, name = loading.folder, loading.name
    config = read(folder)
    device = _device(loading)
    dtype = loading.dtype or _quickest(device)
    context = context_for(
        name,
        estimate(folder, dtype=dtype),
        device,
        most=config.text.context,
        asked=loading.context,
    )
    chat = open_chat(folder, name=name, context=context)
    try:
        network = open_network(
            folder, config, device=device, dtype=dtype, say=say, adapter=loading.adapter
        )
    except (torch.OutOfMemoryError, MemoryError) as error:
        message = (
            f"The memory was full before the model “{name}” was loaded; close other programs that "
            "use it, or choose a smaller model."
        )
        raise EngineFault("out_of_memory", message, str(error)) from error
    defaults = own_defaults(folder, context=context, ends=(config.ends,))
    return Model(name, chat, defaults=defaults, network=network)


def _device(loading: Loading) -> torch.device:
    if loading.gpus is not None and loading.gpus > 1:
        message = f"“{loading.name}” runs on one GPU; leave --gpus out, or ask for one."
        raise EngineFault("unsupported", message)
    return device_for(loading.gpus)


def _quickest(device: torch.device) -> torch.dtype:
    """The numbers that the device reckons with soonest."""
    if device.type == "cuda":
        return torch.bfloat16
    use_cores()
    short = fastest(("float32", "bfloat16")) == "bfloat16"
    return torch.bfloat16 if short else torch.float32


def open_network(
    folder: Path,
    config: GlmConfig,
    *,
    device: torch.device,
    dtype: torch.dtype,
    say: Say = lambda *_: None,
    adapter: Path | None = None,
    gallery_bytes: int = LIMIT,
) -> GlmNetwork:
    """Read the weights straight to the device.

    Raises EngineFault("damaged" | "unsupported") and torch.OutOfMemoryError.
    """
    weights = Weights.open(folder, device=device, dtype=dtype, say=say, adapter=adapter)
    try:
        text = LanguageModel(weights, config.text, dtype)
        gallery = None
        if config.vision is not None:
            tower = Tower(weights, config.vision, dtype)
            gallery = Gallery(tower, read_look(folder), limit=gallery_bytes)
        return GlmNetwork(text, gallery, read_guesser(weights, text, dtype))
    finally:
        weights.close()
