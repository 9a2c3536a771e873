"""A checkpoint whose files have headers and no numbers: they are made on the device, at random, as
they are asked for. For timing and for comparing ranks; the answers mean nothing. Knows no network.

Such a folder says `"invented": true` in its config.json, or `"invented": "steady"` for a model in
which a rounding changes little: a router always prefers some experts, and no layer says much. Its
files are as long as their headers say but hold nothing, so that a hundred gigabytes take no disk
and no time to read.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from app.engine.headers import Header
from app.engine.local.weights.shards import TYPES, Progress, Shards
from app.engine.local.weights.share import Slab, take
from app.engine.models import read_config

SIGN, STEADY = "invented", "steady"  # in config.json
_FINITE = -0x4040404040404041  # every bit of eight E4M3 numbers but the highest of the exponents
_ROOT = 0.6  # of the mean square of such numbers: below 2 in size, alike in each power of two
_STEPS = 4.6  # the same of four-bit steps
_KEEN = ("q_proj", "k_proj")
_LAST = ("o_proj", "down_proj", "attn.proj")  # what a layer adds to what it read
_ROUTER, _BIAS, _HEAD = "mlp.gate.weight", "e_score_correction_bias", "lm_head.weight"


@dataclass(frozen=True, slots=True)
class _Temper:
    """How large numbers are, by what they are for: 1 keeps the size of what goes in."""

    keen: float = 1.4  # attention looks at some tokens more than at others
    last: float = 0.5
    router: float = 1.0
    bias: float = 0.05  # of the router's choice
    head: float = 0.8  # some words stand out, or a rounding would choose among them

    def gain(self, name: str) -> float:
        if name.endswith(_ROUTER):
            return self.router
        if any(part in name for part in _KEEN):
            return self.keen
        return self.last if any(part in name for part in _LAST) else 1.0


def shards_for(folder: Path) -> type[Shards]:
    """What reads the tensors of the checkpoint in `folder`."""
    said = read_config(folder).get(SIGN)
    return Steady if said == STEADY else Invented if said is True else Shards


class Invented(Shards):
    """Gives tensors of the right type and shape. Each is made from a seed of its name, so that it
    has the same numbers on every rank whose device is of the same kind."""

    temper: ClassVar[_Temper] = _Temper()

    def __init__(
        self, held: Mapping[str, Header], device: torch.device, progress: Progress | None = None
    ) -> None:
        super().__init__(held, device, progress)
        self._random = torch.Generator(device)

    def read(self, name: str, slab: Slab | None = None) -> torch.Tensor:
        """The whole is made whatever is asked of it, so that the parts of several ranks match."""
        header = self.held[name]
        self._random.manual_seed(zlib.crc32(name.encode()))
        tensor = self._made(name, header.shape, TYPES[header.dtype])
        if self._progress is not None:
            self._progress.add(header.bytes)
        return tensor if slab is None else take(tensor, slab).clone()

    def _made(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        if name.endswith(".weight_shape"):
            rows, words = self.held[name.replace("_shape", "_packed")].shape
            return torch.tensor([rows, words * 8], dtype=dtype, device=self.device)
        if dtype is torch.int32:
            return self._bits(shape, dtype)
        if dtype is torch.float8_e4m3fn:
            return self._bits(shape, dtype, mask=_FINITE)
        return self._numbers(name, shape).to(dtype)

    def _bits(
        self, shape: tuple[int, ...], dtype: torch.dtype, mask: int | None = None
    ) -> torch.Tensor:
        size = math.prod(shape) * dtype.itemsize
        words = torch.empty(-(-size // 8), dtype=torch.int64, device=self.device)
        words.random_(-(2**63), None, generator=self._random)
        if mask is not None:
            words &= mask
        return words.view(torch.uint8)[:size].view(dtype).view(shape)

    def _numbers(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        part = name.rpartition(".")[2]
        if part == "weight_scale":
            return self._scales(name, shape)
        if len(shape) == 1:
            middle = 1.0 if part == "weight" else 0.0  # norms and biases
            return self._normal(shape, self.temper.bias if part == _BIAS else 0.05) + middle
        if "embed" in name and "patch" not in name:
            return self._normal(shape, 1.0)
        numbers = self._normal(shape, self.temper.gain(name) / math.sqrt(math.prod(shape[1:])))
        if name == _HEAD:
            numbers *= self._normal((shape[0], 1), self.temper.head).exp()
        return numbers

    def _scales(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        """One a row or a group, so that the rows' products come out about as large as the input."""
        prefix = name.removesuffix("_scale")
        packed = self.held.get(f"{prefix}_packed")
        columns = self.held[prefix].shape[1] if packed is None else packed.shape[1] * 8
        size = self.temper.gain(name) / math.sqrt(columns) / (_ROOT if packed is None else _STEPS)
        spread = torch.empty(shape, device=self.device).uniform_(0.5, 1.5, generator=self._random)
        return spread * size

    def _normal(self, shape: tuple[int, ...], spread: float) -> torch.Tensor:
        numbers = torch.empty(shape, dtype=torch.bfloat16, device=self.device)
        return numbers.normal_(std=spread, generator=self._random)


class Steady(Invented):
    """The same, for comparing: what rounding does is small beside what a mistake does."""

    temper = _Temper(keen=1.0, last=0.03, router=0.3, bias=1.0, head=2.5)
