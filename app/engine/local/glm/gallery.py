"""Pictures as the language model sees them, kept from one question to the next; knows no tokens."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import torch

from app.engine.local.glm.look import Look
from app.engine.local.glm.pixels import patches
from app.engine.local.glm.prompt import Sight
from app.engine.local.glm.vision import Tower

LIMIT = 512 << 20  # bytes of embeddings that are kept
_AT_ONCE = 16384  # patches that go through the tower together, a larger picture alone


class Gallery:
    """Runs the tower for pictures that it has not seen; those shown longest ago go first."""

    def __init__(self, tower: Tower, look: Look, *, limit: int = LIMIT) -> None:
        self._tower = tower
        self._look = look
        self._limit = limit
        self._kept: OrderedDict[str, torch.Tensor] = OrderedDict()
        self.bytes = 0
        self.runs = 0  # pictures that went through the tower

    @property
    def merged(self) -> int:
        """How many patches make a token."""
        return self._tower.config.merge**2

    def show(self, sights: Sequence[Sight]) -> list[torch.Tensor]:
        """The embeddings [N, H] of each. Raises EndpointFault("bad_request") as `patches` does."""
        new = {sight.key: sight for sight in sights if sight.key not in self._kept}
        for batch in _batches(list(new.values())):
            self._embed(batch)
        for sight in sights:
            self._kept.move_to_end(sight.key)
        shown = [self._kept[sight.key] for sight in sights]
        while self.bytes > self._limit and self._kept:
            _, oldest = self._kept.popitem(last=False)
            self.bytes -= _size(oldest)
        return shown

    def _embed(self, sights: Sequence[Sight]) -> None:
        seen = torch.cat([patches(sight, self._look, self._tower.device) for sight in sights])
        sizes = [sight.grid[1:] for sight in sights]
        lengths = [height * width // self.merged for height, width in sizes]
        parts = torch.split(self._tower.embed(seen, sizes), lengths)
        self.runs += len(sights)
        for sight, part in zip(sights, parts, strict=True):
            kept = part.clone()  # not a view of all of them, which could not be freed one by one
            self._kept[sight.key] = kept
            self.bytes += _size(kept)


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _batches(sights: Sequence[Sight]) -> Iterator[list[Sight]]:
    batch: list[Sight] = []
    count = 0
    for sight in sights:
        patches_here = sight.grid[1] * sight.grid[2]
        if batch and count + patches_here > _AT_ONCE:
            yield batch
            batch, count = [], 0
        batch.append(sight)
        count += patches_here
    if batch:
        yield batch
