"""Opens the network of a GLM checkpoint on its device, or a rank's share of it. Knows no chat and
no server, and brings in nothing that a rank does without."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from app.engine.local.glm.config import GlmConfig
from app.engine.local.glm.gallery import LIMIT, Gallery
from app.engine.local.glm.look import read_look
from app.engine.local.glm.mtp import read_guesser
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.run import Stepper
from app.engine.local.glm.text import LanguageModel
from app.engine.local.glm.vision import Tower
from app.engine.local.life import Say
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.weights.estimate import Estimate, context_for
from app.engine.local.weights.opened import Weights
from app.engine.local.weights.share import Share

_KERNELS = (8, 9)  # the first compute capability that knows 8-bit floats


@dataclass(frozen=True, slots=True)
class Opening:
    """What every rank is told: the model's name and folder, what it holds and with what numbers,
    and what a rank needs to have room for, with `context` tokens at least."""

    name: str
    folder: Path
    config: GlmConfig
    dtype: torch.dtype
    needed: Estimate
    context: int
    adapter: Path | None = None


def open_share(given: Opening, group: Group, say: Say) -> GlmNetwork:
    """A rank's share; all ranks call it. Nothing is read where one of them has no room for it.

    Raises EngineFault("out_of_memory" | "damaged" | "unsupported") and torch.OutOfMemoryError.
    """
    use_ways(group.device)
    context = given.context
    context_for(given.name, given.needed, group.device, most=context, asked=context, group=group)
    return open_network(
        given.folder,
        given.config,
        device=group.device,
        dtype=given.dtype,
        say=say,
        adapter=given.adapter,
        group=group,
    )


def use_ways(device: torch.device) -> None:
    """Settings of torch that each process needs."""
    if device.type == "cuda":
        # cuDNN's attention plans anew for every length: 30 ms a token on an H100, torch 2.11
        torch.backends.cuda.enable_cudnn_sdp(False)


def open_network(
    folder: Path,
    config: GlmConfig,
    *,
    device: torch.device,
    dtype: torch.dtype,
    say: Say = lambda *_: None,
    adapter: Path | None = None,
    gallery_bytes: int = LIMIT,
    group: Group = ALONE,
) -> GlmNetwork:
    """Read the weights straight to the device; of a group's rank, its share.

    Raises EngineFault("damaged" | "unsupported") and torch.OutOfMemoryError.
    """
    share = Share(group.rank, group.count)
    weights = Weights.open(
        folder, device=device, dtype=dtype, say=say, adapter=adapter, share=share
    )
    try:
        text = LanguageModel(weights, config.text, dtype, group)
        gallery = None
        if config.vision is not None:
            tower = Tower(weights, config.vision, dtype, group)
            gallery = Gallery(tower, read_look(folder), limit=gallery_bytes)
        guesser = read_guesser(weights, text, dtype)
    finally:
        weights.close()
    if device.type == "cuda":
        torch.cuda.empty_cache()  # what reading and joining weights took is of no use to a question
    network = GlmNetwork(text, gallery, guesser, _stepper(text))
    if device.type == "cuda":
        network.prepare()
    return network


def _stepper(text: LanguageModel) -> Stepper | None:
    """What reads one token at a time by kernels of its own; None where there are none for the
    device or for the weights."""
    device = text.table.device
    if device.type != "cuda" or find_spec("triton") is None:
        return None
    if torch.cuda.get_device_capability(device) < _KERNELS:
        return None
    # Triton is there only where torch was built for GPUs
    from app.engine.local.glm.step import Step  # noqa: PLC0415

    return Step.open(text)
