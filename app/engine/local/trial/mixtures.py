"""A mixture's three kernels for a decoded token, as cases to be timed: the router, gate and up of
the chosen experts and the shared one, and down with their weighted sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import torch

from app.engine.local.glm.config import ExpertsConfig
from app.engine.local.glm.text import Gated, Mixture, Router
from app.engine.local.kernels import experts as slots
from app.engine.local.kernels import router as routing
from app.engine.local.kernels.expertise import Expertise, expertise
from app.engine.local.kernels.experts import down, gate_up
from app.engine.local.kernels.router import router_logits
from app.engine.local.trial.case import Case, Trial, noise, normed
from app.engine.local.trial.products import eighths, layer
from app.engine.local.trial.shapes import Shape
from app.engine.local.weights.experts import Experts
from app.engine.local.weights.fp8 import Fp8Channel
from app.engine.local.weights.linear import beside

_EPS = 1e-5


def mixtures(shape: Shape, device: torch.device) -> Iterator[Case]:
    if not shape.experts:
        return
    count = shape.chosen + 1
    scene = _Scene(shape, device)
    wide = count * shape.thin * shape.hidden
    yield Case(
        f"{shape.name} router {shape.experts}x{shape.hidden}",
        4 * shape.experts * shape.hidden,
        scene.router,
        tuple(getattr(routing, "PLANS", ())),
    )
    yield Case(
        f"{shape.name} gate/up {count}x{2 * shape.thin}x{shape.hidden}",
        2 * wide,
        scene.gate_up,
        _plans("GATE_UP_PLANS"),
    )
    yield Case(
        f"{shape.name} down {count}x{shape.hidden}x{shape.thin}",
        wide,
        scene.down,
        _plans("DOWN_PLANS"),
    )


def _plans(name: str) -> tuple[object, ...]:
    return tuple(getattr(slots, name, getattr(slots, "PLANS", ())))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A token that stands before a mixture; its neighbours choose other experts."""

    x: torch.Tensor
    norm: tuple[torch.Tensor, float]
    logits: torch.Tensor


class _Scene:
    """One mixture for as many tokens as choose all its experts once; then the next one."""

    def __init__(self, shape: Shape, device: torch.device) -> None:
        self._shape, self._device = shape, device
        self._round = shape.experts // shape.chosen
        self._made: dict[int, tuple[Mixture, Expertise]] = {}

    def router(self, _: int) -> Trial:
        """With weights of its own; the experts behind it are always the same."""
        asked, shape = self._asked(0), self._shape
        size, spread = (shape.experts, shape.hidden), shape.hidden**-0.5
        weight = noise(*size, dtype=torch.float32, device=self._device, spread=spread)
        ready = replace(self._mixture(0)[1], router=weight)
        out = torch.empty_like(asked.logits)

        def launch(plan: routing.Plan | None, pdl: bool) -> None:
            router_logits(asked.x, asked.norm, ready, out, plan=plan, pdl=pdl)

        return Trial(launch, out, cache(lambda: weight @ normed(asked.x, *asked.norm).float()))

    def gate_up(self, number: int) -> Trial:
        mixture, ready = self._mixture(number // self._round)
        asked, shape = self._asked(number), self._shape
        hidden = torch.empty(shape.chosen + 1, shape.thin, dtype=torch.float32, device=self._device)

        def launch(plan: slots.Plan | None, pdl: bool) -> None:
            gate_up(asked.x, asked.norm, asked.logits, ready, hidden, plan=plan, pdl=pdl)

        def expected() -> torch.Tensor:  # the best first, the shared one last
            x = normed(asked.x, *asked.norm).float()
            chosen = self._chosen(mixture, asked)[0][0].tolist()
            return torch.cat([_inner(mixture, expert, x) for expert in (*chosen, None)])

        return Trial(launch, hidden, cache(expected))

    def down(self, number: int) -> Trial:
        mixture, ready = self._mixture(number // self._round)
        asked, shape = self._asked(number), self._shape
        x = normed(asked.x, *asked.norm)
        hidden = torch.empty(shape.chosen + 1, shape.thin, dtype=torch.float32, device=self._device)
        gate_up(asked.x, asked.norm, asked.logits, ready, hidden, plan=None, pdl=False)
        out = torch.empty(shape.hidden, dtype=torch.float32, device=self._device)

        def launch(plan: slots.Plan | None, pdl: bool) -> None:
            down(hidden, asked.logits, ready, out, plan=plan, pdl=pdl)

        def expected() -> torch.Tensor:
            chosen, weights = self._chosen(mixture, asked)
            return _mixed(mixture, x.float()[None], chosen, weights)[0]

        return Trial(launch, out, cache(expected))

    # --- inputs -----------------------------------------------------------------------------

    def _asked(self, number: int) -> _Asked:
        shape, device = self._shape, self._device
        first = number % self._round * shape.chosen
        logits = torch.randn(shape.experts, device=device)
        logits[first : first + shape.chosen] += 12.0
        return _Asked(
            noise(shape.hidden, dtype=torch.bfloat16, device=device),
            (noise(shape.hidden, dtype=torch.bfloat16, device=device), _EPS),
            logits,
        )

    def _mixture(self, number: int) -> tuple[Mixture, Expertise]:
        if number not in self._made:
            mixture = _mixture(self._shape, self._device)
            ready = expertise(mixture)
            assert ready is not None
            self._made[number] = mixture, ready
        return self._made[number]

    # --- what must come out -----------------------------------------------------------------

    def _chosen(self, mixture: Mixture, asked: _Asked) -> tuple[torch.Tensor, torch.Tensor]:
        scores = asked.logits.sigmoid()
        chosen = (scores + mixture.router.bias).topk(self._shape.chosen).indices
        weights = scores[chosen]
        return chosen[None], (weights / (weights.sum() + 1e-20))[None]


def _inner(mixture: Mixture, expert: int | None, x: torch.Tensor) -> torch.Tensor:
    """What one expert makes of x between its two products; None is the shared one."""
    assert mixture.shared is not None
    own = mixture.shared.gate_up if expert is None else mixture.experts.gate_up.pick(expert)
    gate, up = own(x[None]).chunk(2, -1)
    return torch.nn.functional.silu(gate) * up


def _mixed(
    mixture: Mixture, x: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    mixed = mixture.experts(x, chosen, weights)
    return mixed if mixture.shared is None else mixed + mixture.shared(x)


def _mixture(shape: Shape, device: torch.device) -> Mixture:
    count, hidden, thin = shape.experts, shape.hidden, shape.thin
    config = ExpertsConfig(count, shape.chosen, 1, 1, 1, 1.0, normalised=True, first=0)
    weight = noise(count, hidden, dtype=torch.float32, device=device, spread=hidden**-0.5)
    bias = noise(count, dtype=torch.float32, device=device, spread=0.01)
    gate, up, last = (
        layer(*size, "fp8", device) for size in ((thin, hidden), (thin, hidden), (hidden, thin))
    )
    return Mixture(
        Router(weight, bias, config),
        Experts(_stack(count, 2 * thin, hidden, device), _stack(count, hidden, thin, device)),
        Gated(beside(gate, up), last),
    )


def _stack(count: int, rows: int, columns: int, device: torch.device) -> Fp8Channel:
    scale = torch.rand(count, rows, 1, device=device) * columns**-0.5 + 1e-3
    return Fp8Channel(eighths(count, rows, columns, device=device), scale)
