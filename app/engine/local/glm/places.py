"""The vision tower's learned table of places, stretched over a picture of any size; knows no
picture and no tower."""

from __future__ import annotations

import torch
from torch.nn import functional

_BEND = -0.75  # torch's bicubic


class Places:
    """Sampled bicubically at the middle of each patch, the border going on beyond it
    (`torch.nn.functional.grid_sample`, which is what the family's checkpoints are made with)."""

    def __init__(self, table: torch.Tensor) -> None:  # [S * S, H]
        side = int(len(table) ** 0.5)
        self._dtype = table.dtype
        self._table = table.float().view(1, side, side, -1).permute(0, 3, 1, 2)  # [1, H, S, S]

    @property
    def device(self) -> torch.device:
        return self._table.device

    def of(self, cells: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """[P, H] for patches whose rows and columns are `cells` [P, 2], in a picture of `size`
        (height and width, in patches)."""
        found = self._multiplied(cells, size) if cells.is_cuda else self._sampled(cells, size)
        return found.to(self._dtype)

    def _sampled(self, cells: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        height, width = size
        rows, columns = cells.float().unbind(1)
        across, down = (columns + 0.5) / width * 2 - 1, (rows + 0.5) / height * 2 - 1
        spots = torch.stack((across, down), -1)[None, :, None]  # [1, P, 1, 2]
        stretched = functional.grid_sample(
            self._table, spots, mode="bicubic", padding_mode="border", align_corners=False
        )
        return stretched[0, :, :, 0].T

    def _multiplied(self, cells: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """The same as two products, columns first: a GPU's sampling has one thread a patch go
        through all H numbers, and takes a millisecond for it."""
        height, width = size
        table = self._table[0].permute(1, 2, 0)  # [S, S, H]
        wide = torch.matmul(self._weights(width), table)  # [S, W, H]
        tall = self._weights(height) @ wide.flatten(1)  # [h, W * H]
        rows, columns = cells.unbind(1)
        return tall.view(height * width, -1)[rows * width + columns]

    def _weights(self, count: int) -> torch.Tensor:
        """How much each of `count` new rows takes of each of the table's, [count, S]; no sum in
        it depends on the order of threads."""
        side, device = self._table.shape[-1], self.device
        spot = (torch.arange(count, device=device) + 0.5) / count * side - 0.5
        first = spot.floor()
        near, far = spot - first, 1 - (spot - first)
        weights = torch.stack((_outer(near + 1), _inner(near), _inner(far), _outer(far + 1)), 1)
        taken = first[:, None] + torch.arange(-1, 3, device=device)
        there = taken.clamp(0, side - 1)[..., None] == torch.arange(side, device=device)
        return (weights[..., None] * there).sum(1)


def _inner(x: torch.Tensor) -> torch.Tensor:
    return ((_BEND + 2) * x - (_BEND + 3)) * x * x + 1


def _outer(x: torch.Tensor) -> torch.Tensor:
    return ((_BEND * x - 5 * _BEND) * x + 8 * _BEND) * x - 4 * _BEND
