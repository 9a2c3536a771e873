"""What is timed of one kernel at one shape: what a call reads, how its inputs are made, and what it
must give. Knows no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A kernel with inputs of its own: `launch(plan, pdl)` fills `out`, which ought to hold what
    `expected` gives. Plans are the kernel's own affair; None is its own choice."""

    launch: Callable[[Any, bool], object]
    out: torch.Tensor
    expected: Callable[[], torch.Tensor]

    def error(self, plan: Any, *, pdl: bool) -> float:
        """‖out - expected‖ / ‖expected‖ after a launch on a poisoned output; NaN where any of it
        was not written."""
        self.out.fill_(float("nan") if self.out.is_floating_point() else -1)
        self.launch(plan, pdl)
        wanted = self.expected().double().flatten()
        return float((self.out.double().flatten() - wanted).norm() / wanted.norm())


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """`size` bytes must be read by a call; `make(number)` gives the number-th set of inputs;
    `plans` are worth trying."""

    name: str
    size: int
    make: Callable[[int], Trial]
    plans: tuple[Any, ...] = ()


def noise(*shape: int, dtype: torch.dtype, device: torch.device, spread: float = 1) -> torch.Tensor:
    """Normal numbers, new each time."""
    return (torch.randn(shape, device=device) * spread).to(dtype)


def normed(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    """x [H] as a consumer of a norm reads it: rounded to its own type before the product."""
    return torch.nn.functional.rms_norm(x.float(), x.shape, weight.float(), eps).to(x.dtype)
