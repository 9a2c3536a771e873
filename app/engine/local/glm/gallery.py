"""Pictures as the language model sees them, kept from one question to the next; knows no tokens."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice

import torch

from app.engine.local.glm.look import Look
from app.engine.local.glm.pixels import patches
from app.engine.local.glm.prompt import Sight
from app.engine.local.glm.sending import pixels_of
from app.engine.local.glm.vision import Size, Tower

LIMIT = 512 << 20  # bytes of embeddings that are kept
_AT_ONCE = 16384  # patches a rank that go through the tower together, a larger picture alone


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

    @torch.inference_mode()
    def prepare(self) -> None:
        """Have all that a GPU compiles compiled; to be called on every rank."""
        self._tower.prepare()

    def show(self, sights: Sequence[Sight]) -> list[torch.Tensor]:
        """The embeddings [N, H] of each. Raises EndpointFault("bad_request") as `patches` does."""
        new = {sight.key: sight for sight in sights if sight.key not in self._kept}
        for batch in _batches(list(new.values()), _AT_ONCE * self._tower.group.count):
            self._embed(batch)
        for sight in sights:
            self._kept.move_to_end(sight.key)
        shown = [self._kept[sight.key] for sight in sights]
        while self.bytes > self._limit and self._kept:
            _, oldest = self._kept.popitem(last=False)
            self.bytes -= _size(oldest)
        return shown

    def _embed(self, sights: Sequence[Sight]) -> None:
        sizes = [sight.grid[1:] for sight in sights]
        lengths = [height * width // self.merged for height, width in sizes]
        parts = torch.split(self._tower.embed(self._patches(sights, sizes), sizes), lengths)
        self.runs += len(sights)
        for sight, part in zip(sights, parts, strict=True):
            kept = part.clone()  # not a view of all of them, which could not be freed one by one
            self._kept[sight.key] = kept
            self.bytes += _size(kept)

    def _patches(self, sights: Sequence[Sight], sizes: Sequence[Size]) -> torch.Tensor:
        """This rank's share of all patches; every rank is brought all pictures."""
        tower = self._tower
        frames = [frame for sight in sights for frame in sight.frames]
        there = iter(pixels_of(frames, tower.device, tower.group))
        pixels = [list(islice(there, len(sight.frames))) for sight in sights]
        seen = [
            patches(
                sights[part.picture],
                self._look,
                tower.device,
                pixels=pixels[part.picture],
                dtype=tower.dtype,
            )[part.first : part.last]
            for part in tower.lot(sizes).parts
        ]
        width = self._look.patch**2 * self._look.temporal * 3
        none = torch.empty(0, width, dtype=tower.dtype, device=tower.device)
        return torch.cat(seen) if seen else none


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _batches(sights: Sequence[Sight], most: int) -> Iterator[list[Sight]]:
    batch: list[Sight] = []
    count = 0
    for sight in sights:
        patches_here = sight.grid[1] * sight.grid[2]
        if batch and count + patches_here > most:
            yield batch
            batch, count = [], 0
        batch.append(sight)
        count += patches_here
    if batch:
        yield batch
