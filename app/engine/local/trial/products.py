"""The matrix-vector products of a decoded token, as cases to be timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch

from app.engine.local.kernels.matvec import Plan, matrix, matvec, matvec_reference, plans_for
from app.engine.local.trial.case import Case, Trial, noise
from app.engine.local.trial.shapes import Kind, Shape
from app.engine.local.weights.fp8 import Fp8Channel
from app.engine.local.weights.int4 import Packed
from app.engine.local.weights.linear import Linear, Plain

_EPS = 1e-5
_GROUP = 128  # columns that share a scale in four bits
_FINITE = -0x4040404040404041  # as in weights/invented.py
_BYTES = {"bf16": 2.0, "fp8": 1.0, "int4": 0.5 + 2 / _GROUP}
_SHORT, _LONG = torch.bfloat16, torch.float32


@dataclass(frozen=True, slots=True)
class _Product:
    """A layer [rows, columns] as glm/step.py asks for it: what stands before and behind it."""

    name: str
    rows: int
    columns: int
    kind: Kind
    normed: bool = False
    residual: bool = False
    gated: bool = False
    out: torch.dtype = _SHORT

    def case(self, device: torch.device) -> Case:
        size = int(self.rows * self.columns * _BYTES[self.kind])
        like = matrix(self._layer(torch.device("meta")))
        assert like is not None, self
        name = f"{self.name} {self.rows}x{self.columns}"
        return Case(name, size, lambda _: self._trial(device), plans_for(like))

    def _layer(self, device: torch.device) -> Linear:
        return layer(self.rows, self.columns, self.kind, device)

    def _trial(self, device: torch.device) -> Trial:
        linear, rows = self._layer(device), self.rows // (2 if self.gated else 1)
        ready = matrix(linear)
        assert ready is not None
        x, weight = (noise(self.columns, dtype=_SHORT, device=device) for _ in range(2))
        norm = (weight, _EPS) if self.normed else None
        added = noise(rows, dtype=_SHORT, device=device) if self.residual else None
        out = torch.empty(rows, dtype=self.out, device=device)

        def launch(plan: Plan | None, pdl: bool) -> None:
            matvec(x, ready, out, norm=norm, residual=added, gated=self.gated, plan=plan, pdl=pdl)

        def expected() -> torch.Tensor:
            return matvec_reference(x, linear, norm=norm, residual=added, gated=self.gated)

        return Trial(launch, out, cache(expected))


def products(shape: Shape, device: torch.device) -> Iterator[Case]:
    """Those of a layer, and the head, which is in bf16 in all formats."""
    name, kind, hidden = shape.name, shape.kind, shape.hidden
    mixed = shape.width * shape.heads
    share = shape.experts > 0 and shape.heads < 96  # to be added up over the ranks
    behind = {"out": _LONG} if share or not shape.experts else {"residual": True}
    inner = shape.inner
    for product in (
        _Product(f"{name} qkv", shape.project, hidden, kind, normed=True, out=_LONG),
        _Product(f"{name} o", hidden, mixed, kind, **behind),
        _Product(f"{name} dense gate/up", 2 * inner, hidden, kind, normed=True, gated=True),
        _Product(f"{name} dense down", hidden, inner, kind, **behind),
        _Product(f"{name} head", shape.words, hidden, "bf16", normed=True, out=_LONG),
    ):
        yield product.case(device)


def layer(rows: int, columns: int, kind: Kind, device: torch.device) -> Linear:
    """A layer with random weights, of a format as checkpoints have it."""
    if kind == "bf16":
        weight = torch.empty(rows, columns, dtype=torch.bfloat16, device=device)
        return Plain(weight.normal_(std=columns**-0.5))
    if kind == "fp8":
        scale = torch.rand(rows, 1, device=device) * columns**-0.5 + 1e-3
        return Fp8Channel(eighths(rows, columns, device=device), scale)
    words = _words(rows * columns // 16, device).view(torch.int32).view(rows, columns // 8)
    group = min(_GROUP, columns)
    scale = torch.rand(rows, -(-columns // group), device=device) * 0.4 * columns**-0.5 + 1e-4
    return Packed(words, scale.to(torch.bfloat16), None, columns, group)


def eighths(*shape: int, device: torch.device) -> torch.Tensor:
    """Finite E4M3 numbers below 2 in size."""
    count = int(torch.Size(shape).numel())
    return (_words(count // 8, device) & _FINITE).view(torch.float8_e4m3fn).view(shape)


def _words(count: int, device: torch.device) -> torch.Tensor:
    return torch.empty(count, dtype=torch.int64, device=device).random_(-(2**63), None)
