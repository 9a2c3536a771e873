"""Pictures in a prompt of any family: what the model's own processor made of them; pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from app.engine.local.network import Prompt


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture where it stands: from its first placeholder to behind its last one. `tensors`
    is what the model's forward wants of it, by name, on the CPU; `typed` says that it wants to be
    told which tokens are placeholders, too."""

    start: int
    end: int
    tensors: Mapping[str, torch.Tensor] = field(repr=False)
    typed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SightPrompt(Prompt):
    """A prompt with pictures that can be read one after the other, in the order of their starts;
    its keys are below zero at their placeholders."""

    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class WholePrompt(Prompt):
    """A prompt that must be read in one go, as its processor wrote it; `tensors` is all that the
    model's forward wants beside the tokens. Its keys are its own: no other prompt begins so."""

    tensors: Mapping[str, torch.Tensor] = field(repr=False)
