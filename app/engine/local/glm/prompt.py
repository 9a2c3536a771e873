"""A conversation as the GLM family reads it: tokens, positions, and what is to be seen where. Pure
values; knows no template, no decoder, no network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch

from app.engine.local.network import Prompt


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One picture before the vision tower.

    `image` is encoded as it came, `pixels` what it decodes to, uint8 [H, W, 3], where that is at
    hand, `size` the height and width to resize it to, in pixels.
    """

    image: bytes = field(repr=False)
    pixels: npt.NDArray[np.uint8] | None = field(repr=False)
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One run of placeholders in a prompt, and the picture that stands there.

    `start` is the index of its first placeholder in the prompt's tokens; `grid` is (1, h, w) in
    patches, before they are merged two by two: h * w // 4 tokens in one piece. A picture has one
    `Shown`, a temporal group of a video two. `key` is a hex digest of all that the vision tower
    will see of it: equal keys, equal embeddings.
    """

    start: int
    grid: tuple[int, int, int]
    key: str
    frames: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GlmPrompt(Prompt):
    """A prompt with its pictures.

    `positions` is int64 [3, T] on the CPU (time, row, column), for the whole conversation and as
    transformers' `get_rope_index` counts them; `sights` stand in the order of their starts.
    """

    positions: torch.Tensor
    sights: tuple[Sight, ...] = ()


def bare(prompt: Prompt) -> Prompt:
    """A prompt as the other ranks read it, to which the first one brings the pictures."""
    if not isinstance(prompt, GlmPrompt):
        return replace(prompt, text="")
    sights = tuple(
        replace(sight, frames=tuple(Shown(b"", None, frame.size) for frame in sight.frames))
        for sight in prompt.sights
    )
    return replace(prompt, text="", sights=sights)


def next_position(prompt: GlmPrompt) -> int:
    """The position, in all three counts, of the first token behind the prompt."""
    return int(prompt.positions.max()) + 1 if prompt.positions.numel() else 0
