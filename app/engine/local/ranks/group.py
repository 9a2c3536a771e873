"""The ranks of one engine and what they tell each other: one process a GPU, all on one machine.
Knows no model, and not who starts the ranks."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Self

import torch
import torch.distributed as dist

PATIENCE = 120.0  # seconds; ranks that start together read files at different speeds
_HALVES = (torch.bfloat16, torch.float16)

# NVLink multicast can leave a GPU in need of a reset where the machine is a virtual one; nothing
# here gains by it. Ranks share a machine, so no socket of theirs need be seen from outside.
_WAYS = {
    "TORCH_SYMM_MEM_DISABLE_MULTICAST": "1",
    "NCCL_NVLS_ENABLE": "0",
    "NVSHMEM_DISABLE_NVLS": "1",
}
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}


class Group:
    """`count` ranks, of which this process is number `rank`. Every method but `close` is called by
    all ranks, in the same order, or they wait for each other until `patience` is over
    (RuntimeError). A group of one answers at once and needs no torch.distributed."""

    def __init__(self, rank: int, count: int, device: torch.device) -> None:
        self.rank = rank
        self.count = count
        self.device = device

    @classmethod
    def join(
        cls,
        rank: int,
        count: int,
        *,
        device: torch.device,
        address: str | Path,
        patience: float = PATIENCE,
    ) -> Self:
        """Meet the other ranks; comes back when all are there. A process is in one group at a time.

        `address` is a file that isn't there yet, in a folder that this engine alone has: it needs
        no port, so two engines never meet by mistake. The last rank to close removes it. `patience`
        (seconds) is for the meeting and for each call after it.

        Raises RuntimeError where the others don't come (DistStoreError, DistBackendError are such).
        """
        if count == 1:
            return cls(rank, count, device)
        use_quiet_ways()
        on_gpu = device.type == "cuda"
        if on_gpu:
            torch.cuda.set_device(device)
        dist.init_process_group(
            "nccl" if on_gpu else "gloo",
            store=dist.FileStore(str(address), count),  # type: ignore[attr-defined]
            rank=rank,
            world_size=count,
            timeout=timedelta(seconds=patience),
            device_id=device if on_gpu else None,
        )
        group = cls(rank, count, device)
        group.barrier()
        return group

    def sum(self, x: torch.Tensor) -> torch.Tensor:
        """The ranks' tensors added up, the same bits on every rank: `x` itself, changed in place.
        On a GPU it runs on the current stream and can be captured."""
        if self.count == 1:
            return x
        # gloo rounds halves at each hop
        whole = x.float() if _rounds(x) else x.contiguous()
        dist.all_reduce(whole)
        return x if whole is x else x.copy_(whole)

    def gather(self, x: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """The ranks' tensors, all of one shape, side by side along `dim` in order of rank."""
        if self.count == 1:
            return x
        bits = _bits(x)
        out = bits.new_empty(self.count, len(bits))
        dist.all_gather(list(out.unbind()), bits)
        parts = out.view(x.dtype).view(self.count, *x.shape)
        return parts.flatten(0, 1) if dim == 0 else torch.cat(parts.unbind(), dim)

    def broadcast(self, x: torch.Tensor, source: int = 0) -> torch.Tensor:
        """`x` of the rank `source`, written into every rank's `x` of that shape and dtype."""
        if self.count == 1:
            return x
        bits = _bits(x)
        dist.broadcast(bits, source)
        return x if x.is_contiguous() else x.copy_(bits.view(x.dtype).view(x.shape))

    def min(self, number: int) -> int:
        """The smallest of the ranks' numbers. Waits for the device."""
        if self.count == 1:
            return number
        least = torch.tensor([number], dtype=torch.int64, device=self.device)
        dist.all_reduce(least, dist.ReduceOp.MIN)
        return int(least)

    def barrier(self) -> None:
        """Comes back when all ranks have called it and what their devices had to do is done."""
        self.min(0)

    def close(self) -> None:
        """Leave the group; may be called twice. For a rank whose peers live: where one died or
        hangs, end the process instead."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


ALONE = Group(0, 1, torch.device("cpu"))


def use_quiet_ways() -> None:
    """Settings of NCCL, gloo and symmetric memory, which read them at their first use; what the
    user has set stays."""
    for name, value in _WAYS.items():
        os.environ.setdefault(name, value)
    loopback = _LOOPBACK.get(sys.platform)
    if loopback is not None:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", loopback)


def _rounds(x: torch.Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype in _HALVES


def _bits(x: torch.Tensor) -> torch.Tensor:
    """The bytes of a tensor [bytes], its own where they lie side by side: any dtype can be sent."""
    return x.contiguous().view(-1).view(torch.uint8)
