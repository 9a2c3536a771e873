"""The pixels of pictures, brought to the device of every rank though only the first rank need have
the pictures. Knows no sizes that a model wants and no tower."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from app.engine.local.glm.picture import Pixels, all_decoded
from app.engine.local.glm.prompt import Shown
from app.engine.local.ranks.group import Group
from app.vocabulary import EndpointFault

_NAME = "A picture"  # they were named, and refused by name, when the prompt was made


def pixels_of(shown: Sequence[Shown], device: torch.device, group: Group) -> list[torch.Tensor]:
    """uint8 [H, W, 3] of each on `device`; what is not at hand is decoded again, by the first rank.

    One rank decodes and the others wait: that takes less time than decoding it on each, once for
    the prompt and then once more. Raises EndpointFault("bad_request"), on every rank.
    """
    if group.count == 1:
        return [torch.from_numpy(pixels).to(device) for pixels in _at_hand(shown)]
    found: list[Pixels] = []
    fault: EndpointFault | None = None
    if group.rank == 0:
        try:
            found = _at_hand(shown)
        except EndpointFault as error:
            fault = error  # told to the others first, or they would wait
    shapes = [pixels.shape[:2] for pixels in found] or [(0, 0)] * len(shown)
    told = group.broadcast(torch.tensor(shapes, dtype=torch.int64).to(device)).tolist()
    if not all(height for height, _ in told):
        raise fault or EndpointFault("bad_request", f"{_NAME} can't be decoded.")
    return _spread(found, told, device, group)


def _at_hand(shown: Sequence[Shown]) -> list[Pixels]:
    missing = iter(all_decoded([(one.image, _NAME) for one in shown if one.pixels is None]))
    return [next(missing) if one.pixels is None else one.pixels for one in shown]


def _spread(
    found: Sequence[Pixels], shapes: Sequence[Sequence[int]], device: torch.device, group: Group
) -> list[torch.Tensor]:
    sizes = [math.prod(shape) * 3 for shape in shapes]
    together = torch.empty(sum(sizes), dtype=torch.uint8, device=device)
    parts = torch.split(together, sizes)
    for part, pixels in zip(parts, found, strict=False):  # the first rank's only
        part.copy_(torch.from_numpy(pixels).view(-1))
    group.broadcast(together)
    pairs = zip(parts, shapes, strict=True)
    return [part.view(height, width, 3) for part, (height, width) in pairs]
