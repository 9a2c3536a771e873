"""A mixture's weights as its kernels read them; knows no kernel and no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from app.engine.local.weights.fp8 import Fp8Channel
from app.engine.local.weights.linear import Layered, Linear, Plain

if TYPE_CHECKING:
    from app.engine.local.glm.text import Gated, Mixture

_FLOATS = (torch.float32, torch.bfloat16, torch.float16)
_ALIGNED = 16  # bytes that a thread reads at once


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Matrices, each with one scale a row or none: W = weight · scale."""

    weight: torch.Tensor  # [E, out, in], contiguous
    scale: torch.Tensor | None  # float32 [E, out]

    def takes(self, x: torch.Tensor) -> bool:
        """Whether numbers like those of x are multiplied by them as they are kept."""
        return self.scale is not None or self.weight.dtype is x.dtype

    def numbers(self) -> torch.Tensor:
        """W in 64 bits, [E, out, in]."""
        weight = self.weight.to(torch.float64)
        return weight if self.scale is None else weight * self.scale.double()[..., None]


@dataclass(frozen=True, slots=True, eq=False)
class Expertise:
    """A router, E experts of which C answer for a token, and one that always answers (or none, and
    then both its stacks are None)."""

    router: torch.Tensor  # float32 [E, H]
    bias: torch.Tensor  # float32 [E]; heeded by the choice, not by the weights
    chosen: int  # C
    normalised: bool
    scale: float
    gate_up: Stack  # [E, 2 I, H], gate above up
    down: Stack  # [E, H, I]
    shared_gate_up: Stack | None  # [1, 2 I, H]
    shared_down: Stack | None  # [1, H, I]

    @property
    def count(self) -> int:
        return self.gate_up.weight.shape[0]

    @property
    def hidden(self) -> int:
        return self.gate_up.weight.shape[2]

    @property
    def width(self) -> int:
        return self.down.weight.shape[2]

    @property
    def slots(self) -> int:
        return self.chosen + (self.shared_down is not None)


def expertise(mixture: Mixture) -> Expertise | None:
    """A mixture for the kernels, sharing its memory; None where they don't serve it: a choice by
    groups, weights of a kind that isn't Plain or Fp8Channel, a shared expert of another kind or
    another width, rows that are no multiple of 16 bytes."""
    router, experts, shared = mixture.router, mixture.experts, mixture.shared
    if router.config.groups != router.config.kept:
        return None
    stacks = (stack(experts.gate_up), stack(experts.down))
    own = _shared(shared)
    if stacks[0] is None or stacks[1] is None or (shared is not None and None in own):
        return None
    made = Expertise(
        router=router.weight.float().contiguous(),
        bias=router.bias.float().contiguous(),
        chosen=router.config.chosen,
        normalised=router.config.normalised,
        scale=router.config.scale,
        gate_up=stacks[0],
        down=stacks[1],
        shared_gate_up=own[0],
        shared_down=own[1],
    )
    return made if _alike(made) else None


def stack(layer: Linear | Layered) -> Stack | None:
    """A layer of one matrix or of many for the kernels; None where it is of another kind."""
    match layer:
        case Fp8Channel(weight=weight, scale=scale, bias=None) if (
            weight.dtype is torch.float8_e4m3fn
        ):
            return _stack(weight, scale.float().reshape(weight.shape[:-1]))
        case Plain(weight=weight, bias=None) if weight.dtype in _FLOATS:
            return _stack(weight, None)
        case _:
            return None


def _stack(weight: torch.Tensor, scale: torch.Tensor | None) -> Stack | None:
    if not weight.is_contiguous() or weight.shape[-1] * weight.element_size() % _ALIGNED:
        return None
    many = weight.view(-1, *weight.shape[-2:])
    return Stack(many, None if scale is None else scale.contiguous().view(many.shape[:-1]))


def _shared(gated: Gated | None) -> tuple[Stack | None, Stack | None]:
    return (None, None) if gated is None else (stack(gated.gate_up), stack(gated.down))


def _alike(made: Expertise) -> bool:
    """Whether the shared expert is one more of the same."""
    pairs = ((made.gate_up, made.shared_gate_up), (made.down, made.shared_down))
    return all(
        one is None
        or (one.weight.dtype, one.weight.shape[1:]) == (all_.weight.dtype, all_.weight.shape[1:])
        for all_, one in pairs
    )
