"""A decoded token's attention over what was read before it, as cases to be timed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch

from app.engine.local.glm.attention import Turns
from app.engine.local.glm.config import Rope
from app.engine.local.kernels.attention import (
    PLANS,
    Parts,
    Plan,
    Spin,
    attend,
    attend_reference,
)
from app.engine.local.trial.case import Case, Trial, noise
from app.engine.local.trial.shapes import Shape

_LENGTHS = (256, 4096, 32768, 65535)  # tokens
_PROGRAMS = 264  # over all key heads, as glm/step.py has it
_SPLITS = (132, 264, 396, 528)  # worth trying


def views(shape: Shape, device: torch.device) -> Iterator[Case]:
    lengths = _LENGTHS if device.type == "cuda" else (5, 70)
    if shape.kind != "bf16" and not shape.experts:
        return  # the cache is the same in all formats
    for length in lengths:
        cache_ = _Cache(shape, length, device)
        size = 2 * shape.key_heads * length * shape.width * 2
        plans = tuple((plan, _PROGRAMS) for plan in PLANS) + tuple((None, p) for p in _SPLITS)
        yield Case(f"{shape.name} attention at {length}", size, cache_.trial, plans)


class _Cache:
    """Keys and values of as many layers as are asked for."""

    def __init__(self, shape: Shape, length: int, device: torch.device) -> None:
        self._shape, self._length, self._device = shape, length, device
        turned = shape.width // 2
        rope = Rope(turned, 10000.0, (turned // 8, turned // 8, turned // 4))
        self._spin = Spin.of(Turns(rope, shape.width, device))
        self._place = torch.tensor([length, length, length + 1] + [0] * 13, device=device)

    def trial(self, _: int) -> Trial:
        shape, device, length = self._shape, self._device, self._length
        held = noise(
            2, shape.key_heads, length + 1, shape.width, dtype=torch.bfloat16, device=device
        )
        addresses = [[held[0].data_ptr(), held[1].data_ptr()]]
        table = torch.tensor(addresses, dtype=torch.int64, device=device)
        qkv = noise(shape.project, dtype=torch.float32, device=device)
        rows = shape.heads * shape.width
        out = torch.empty(rows, dtype=torch.bfloat16, device=device)

        def launch(plan: tuple[Plan | None, int] | None, pdl: bool) -> None:
            which, programs = plan or (None, _PROGRAMS)
            splits = max(programs // shape.key_heads, 1)
            attend(
                qkv,
                table,
                0,
                self._place,
                self._spin,
                self._parts(splits),
                out,
                heads=shape.heads,
                key_heads=shape.key_heads,
                width=shape.width,
                splits=splits,
                plan=which,
                pdl=pdl,
            )

        def expected() -> torch.Tensor:
            keys, values = held[:, :, :length]
            return attend_reference(qkv, keys, values, length, self._spin)[0]

        return Trial(launch, out, cache(expected))

    def _parts(self, splits: int) -> Parts:
        return _parts(self._shape.heads, self._shape.width, splits, self._device)


@cache
def _parts(heads: int, width: int, splits: int, device: torch.device) -> Parts:
    return Parts.of(heads, width, splits, device)
