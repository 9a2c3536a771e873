"""What launching a kernel takes, the same for all of them; knows no kernel."""

from __future__ import annotations

from functools import cache

import torch


def blocks(count: int, size: int) -> int:
    """How many blocks of `size` cover `count`."""
    return -(-count // size)


@cache
def dependent(device: int) -> bool:
    """Whether a GPU can start a kernel before the one ahead of it ends (programmatic dependent
    launch, compute capability 9.0 on)."""
    return torch.cuda.get_device_capability(device) >= (9, 0)


def pdl(tensor: torch.Tensor) -> bool:
    """Whether a kernel on this tensor may be launched as a dependent one."""
    return tensor.is_cuda and dependent(tensor.get_device())
