"""A layer's routed experts, stacked, in the format of their file; knows no files and no router."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch
from torch.nn.functional import silu

from app.engine.local.weights.linear import Linear
from app.vocabulary import EngineFault

_HALF = 2  # bytes of a number that the matrix units take
_FEW = 64  # pairs of token and expert whose weights a GPU gathers sooner than it walks the experts
_AT_ONCE = 16  # of these pairs: gathered weights and their numbers take memory


@dataclass(frozen=True, slots=True, eq=False)
class Experts:
    """E gated feed-forward layers, each token sent through K of them:
    y = Σₖ weightₖ · downₖ(silu(gateₖ(x)) · upₖ(x))."""

    gate_up: Linear  # [E, 2 I, H], gate above up
    down: Linear  # [E, H, I]

    @property
    def bytes(self) -> int:
        return self.gate_up.bytes + self.down.bytes

    def __call__(
        self, x: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """x [T, H], chosen int64 [T, K], weights float32 [T, K] → [T, H] in the numbers of x."""
        mixed = self._quick(x, chosen, weights)
        return self._slow(x, chosen, weights) if mixed is None else mixed

    def _quick(
        self, x: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor | None:
        """By kernels, where there are some for this device and these weights."""
        if not x.is_cuda or x.element_size() != _HALF or not _capable(x.device):
            return None
        from app.engine.local.kernels.expertise import stack as stacked  # noqa: PLC0415
        from app.engine.local.kernels.grouped import mix  # noqa: PLC0415

        gate_up, down = stacked(self.gate_up), stacked(self.down)
        if gate_up is None or down is None or not (gate_up.takes(x) and down.takes(x)):
            return None
        return mix(x, chosen, weights.float(), gate_up, down)

    def _slow(self, x: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """By torch's own operations: on a CPU, and for the formats that no kernel reads."""
        few = x.is_cuda and chosen.numel() <= _FEW
        each = self._gathered(x, chosen) if few else self._walked(x, chosen)  # [T, K, H]
        mixed = torch.zeros(x.shape, dtype=torch.float32, device=x.device)
        for place in range(chosen.shape[1]):  # in this order always: sums come out the same
            mixed.addcmul_(each[:, place].float(), weights[:, place, None].float())
        return mixed.to(x.dtype)

    def _gathered(self, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """With copies of the experts that were hit; never waits for the GPU."""
        rows = x.repeat_interleave(chosen.shape[1], 0)[:, None]  # [N, 1, H]
        parts = zip(
            torch.split(chosen.flatten(), _AT_ONCE), torch.split(rows, _AT_ONCE), strict=True
        )
        each = [
            self.down.pick(which)(_gate(self.gate_up.pick(which)(part)))  # [n, 1, H]
            for which, part in parts
        ]
        return torch.cat(each).view(*chosen.shape, x.shape[1])

    def _walked(self, x: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Expert by expert, each with all its tokens; waits for the GPU once."""
        flat = chosen.flatten()  # [N]
        order = flat.argsort(stable=True)
        counts = torch.bincount(flat, minlength=self.gate_up.shape[0]).tolist()
        rows = x[order // chosen.shape[1]]  # [N, H], by expert
        each = torch.empty_like(rows)
        start = 0
        for expert, count in enumerate(counts):
            if count:
                part = slice(start, start + count)
                inner = _gate(self.gate_up.pick(expert)(rows[part]))
                each[part] = self.down.pick(expert)(inner)
                start += count
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order), device=order.device)
        return each[back].view(*chosen.shape, x.shape[1])


@cache
def _capable(device: torch.device) -> bool:
    """Whether a GPU knows 8-bit floats, and there is something to compile kernels for it."""
    return torch.cuda.get_device_capability(device) >= (8, 9) and find_spec("triton") is not None


def _gate(both: torch.Tensor) -> torch.Tensor:  # [..., 2 I] → [..., I]
    gate, up = both.chunk(2, -1)
    return silu(gate) * up


def stack(each: Iterable[tuple[Linear, ...]], count: int) -> Linear:
    """Layers of one kind as a stack [count, out, in], each made of parts that are laid one below
    the other. Only one of them need be in memory beside the stack.

    Raises EngineFault("damaged") where one has another shape than the first.
    """
    held: dict[str, torch.Tensor] = {}
    first: Linear | None = None
    for place, parts in enumerate(each):
        first = first or parts[0]
        for name, along in first.ROWS_ALONG.items():
            tensors = [part.tensors()[name] for part in parts if name in part.tensors()]
            if tensors:
                _lay(held, name, tensors, (place, count, along))
    assert first is not None, "a layer without experts"
    return first.holding(held)


def _lay(
    held: dict[str, torch.Tensor],
    name: str,
    tensors: list[torch.Tensor],
    where: tuple[int, int, int],
) -> None:
    place, count, along = where
    shape = list(tensors[0].shape)
    shape[along] = sum(tensor.shape[along] for tensor in tensors)
    if name not in held:
        held[name] = tensors[0].new_empty((count, *shape))
    slot = held[name][place]
    if list(slot.shape) != shape:
        raise EngineFault("damaged", f"Expert {place} has another shape than those before it.")
    start = 0
    for tensor in tensors:
        slot.narrow(along, start, tensor.shape[along]).copy_(tensor)
        start += tensor.shape[along]
