from __future__ import annotations

from dataclasses import replace

import torch

from app.engine.local.glm.config import ExpertsConfig
from app.engine.local.glm.text import Gated, Mixture, Router
from app.engine.local.kernels.expertise import expertise
from app.engine.local.kernels.experts import Plan, down, gate_up
from app.engine.local.kernels.launch import pdl
from app.engine.local.kernels.router import router_logits
from app.engine.local.weights.experts import Experts
from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.linear import Linear, Plain

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
COUNT, CHOSEN, HIDDEN, WIDTH = 6, 2, 64, 32
CONFIG = ExpertsConfig(
    count=COUNT, chosen=CHOSEN, shared=1, groups=1, kept=1, scale=1.0, normalised=True, first=0
)


def _channel(*shape: int) -> Linear:
    weight = (torch.randn(shape) * 50).to(torch.float8_e4m3fn)
    return Fp8Channel(weight.to(DEVICE), torch.rand(*shape[:-1], 1, device=DEVICE) / 200)


def _plain(*shape: int) -> Linear:
    return Plain(torch.randn(shape, device=DEVICE) / 8)


def _mixture(layer: type[Linear] = Fp8Channel, *, shared: bool = True) -> Mixture:
    made = _channel if layer is Fp8Channel else _plain
    return Mixture(
        Router(
            torch.randn(COUNT, HIDDEN, device=DEVICE) / 8,
            torch.randn(COUNT, device=DEVICE) / 5,
            CONFIG,
        ),
        Experts(made(COUNT, 2 * WIDTH, HIDDEN), made(COUNT, HIDDEN, WIDTH)),
        Gated(made(2 * WIDTH, HIDDEN), made(HIDDEN, WIDTH)) if shared else None,
    )


def _by_kernels(mixture: Mixture, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    ready = expertise(mixture)
    assert ready is not None
    norm = (weight, 1e-5)
    logits = torch.empty(COUNT, device=DEVICE)
    hidden = torch.empty(ready.slots, ready.width, device=DEVICE)
    out = torch.empty(HIDDEN, device=DEVICE)
    router_logits(x, norm, ready, logits, pdl=pdl(x))
    gate_up(x, norm, logits, ready, hidden, plan=Plan(16, 4, 2, 0), pdl=pdl(x))
    down(hidden, logits, ready, out, plan=Plan(16, 4, 0, 0), pdl=pdl(x))
    return out


def test_the_kernels_give_what_the_mixture_gives() -> None:
    torch.manual_seed(0)
    for kind in (Fp8Channel, Plain):
        for shared in (True, False):
            mixture = _mixture(kind, shared=shared)
            x, weight = torch.randn(HIDDEN, device=DEVICE), torch.rand(HIDDEN, device=DEVICE)
            normed = torch.nn.functional.rms_norm(x, (HIDDEN,), weight, 1e-5)
            expected = mixture(normed[None])[0]
            error = (_by_kernels(mixture, x, weight) - expected).norm() / expected.norm()
            assert error < 3e-3


def test_it_shares_the_weights_memory() -> None:
    mixture = _mixture()
    ready = expertise(mixture)
    assert ready is not None
    kept = mixture.experts.down.tensors()["weight"]
    assert ready.down.weight.data_ptr() == kept.data_ptr()


def test_what_the_kernels_do_not_serve_is_left_to_the_others() -> None:
    mixture = _mixture()
    grouped = replace(CONFIG, groups=2, kept=1)
    assert expertise(replace(mixture, router=replace(mixture.router, config=grouped))) is None
    grid = torch.ones(COUNT, 1, 1, device=DEVICE)
    weight = mixture.experts.down.tensors()["weight"]
    block = Fp8Block(weight, grid, (128, 128), HIDDEN)
    assert expertise(replace(mixture, experts=Experts(mixture.experts.gate_up, block))) is None
    assert expertise(replace(mixture, shared=_mixture(Plain).shared)) is None
    narrow = Experts(_channel(COUNT, 16, HIDDEN), _channel(COUNT, HIDDEN, 8))
    assert expertise(replace(mixture, experts=narrow, shared=None)) is None
