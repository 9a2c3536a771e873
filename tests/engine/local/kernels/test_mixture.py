from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from app.engine.local.kernels.expertise import Expertise, Stack
from app.engine.local.kernels.experts import (
    Plan,
    down,
    down_reference,
    gate_up,
    gate_up_reference,
)
from app.engine.local.kernels.launch import pdl
from app.engine.local.kernels.router import Plan as RouterPlan
from app.engine.local.kernels.router import choice_reference, router_logits, router_reference

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
FP8, BF16, F32 = torch.float8_e4m3fn, torch.bfloat16, torch.float32
LIMIT = {F32: 1e-5, BF16: 1e-2}  # of what goes through a norm: the interpreter rounds to zero
CLOSE = {F32: 1e-4, BF16: 1e-4, FP8: 1e-4 if DEVICE == "cpu" else 3e-3}  # packed half floats
KINDS = pytest.mark.parametrize("kind", [FP8, BF16, F32])
# experts, chosen, hidden, width: 11 chunks a row as the shares of GLM-4.5V have, and odd ones
SHAPES = pytest.mark.parametrize(
    ("count", "chosen", "wide", "width"),
    [(16, 8, 128, 176), (13, 3, 80, 16), (5, 1, 48, 80), (8, 8, 144, 240)],
)


def _stack(kind: torch.dtype, *shape: int) -> Stack:
    numbers = torch.randn(shape) / shape[-1] ** 0.5
    if kind is not FP8:
        return Stack(numbers.to(DEVICE, kind), None)
    weight = (numbers * 400).clamp(-448, 448).to(FP8)
    return Stack(weight.to(DEVICE), (torch.rand(shape[:-1]) / 400 + 1e-3).to(DEVICE))


def _expertise(
    kind: torch.dtype, count: int, chosen: int, wide: int, width: int, *, shared: bool = True
) -> Expertise:
    return Expertise(
        router=torch.randn(count, wide, device=DEVICE) / wide**0.5,
        bias=torch.randn(count, device=DEVICE) / 5,
        chosen=chosen,
        normalised=True,
        scale=1.5,
        gate_up=_stack(kind, count, 2 * width, wide),
        down=_stack(kind, count, wide, width),
        shared_gate_up=_stack(kind, 1, 2 * width, wide) if shared else None,
        shared_down=_stack(kind, 1, wide, width) if shared else None,
    )


def _norm(wide: int, dtype: torch.dtype = BF16) -> tuple[torch.Tensor, float]:
    return (1 + torch.randn(wide) / 5).to(DEVICE, dtype), 1e-5


def _poison(*shape: int, dtype: torch.dtype = F32) -> tuple[torch.Tensor, torch.Tensor]:
    """A tensor of NaN, and the whole of which it is the middle."""
    size = torch.Size(shape).numel()
    whole = torch.full((size + 64,), float("nan"), dtype=dtype, device=DEVICE)
    return whole[32 : 32 + size].view(shape), whole


def _only(whole: torch.Tensor) -> bool:
    """Whether nothing was written beside the middle, and all of it was."""
    edges = torch.cat((whole[:32], whole[-32:]))
    return bool(edges.isnan().all()) and not bool(whole[32:-32].isnan().any())


def _error(out: torch.Tensor, reference: torch.Tensor) -> float:
    return float((out.double() - reference).norm() / reference.norm())


def _x(wide: int, dtype: torch.dtype = BF16) -> torch.Tensor:
    return (torch.randn(wide) * 3).to(DEVICE, dtype)


@pytest.mark.parametrize(("count", "wide", "rows"), [(16, 128, 1), (13, 80, 2), (5, 48, 4)])
@pytest.mark.parametrize("dtype", [BF16, F32])
def test_the_router_gives_the_logits_of_the_normed_token(
    count: int, wide: int, rows: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(count)
    given, x, norm = _expertise(FP8, count, 2, wide, 16), _x(wide, dtype), _norm(wide, dtype)
    logits, whole = _poison(count)
    router_logits(x, norm, given, logits, plan=RouterPlan(rows, 2), pdl=pdl(x))
    assert _error(logits, router_reference(x, norm, given)) < LIMIT[dtype]
    assert _only(whole)


@KINDS
@SHAPES
def test_gate_and_up_of_the_chosen_experts_and_the_shared_one(
    kind: torch.dtype, count: int, chosen: int, wide: int, width: int
) -> None:
    torch.manual_seed(wide)
    given, x, norm = _expertise(kind, count, chosen, wide, width), _x(wide, F32), _norm(wide, F32)
    logits = torch.randn(count, device=DEVICE)
    hidden, whole = _poison(chosen + 1, width)
    gate_up(x, norm, logits, given, hidden, plan=Plan(16, 1, 3, 0, 2), pdl=pdl(x))
    assert _error(hidden, gate_up_reference(x, norm, logits, given)) < CLOSE[kind]
    assert _only(whole)


@KINDS
@SHAPES
def test_down_adds_up_the_chosen_experts_and_the_shared_one(
    kind: torch.dtype, count: int, chosen: int, wide: int, width: int
) -> None:
    torch.manual_seed(width)
    given = _expertise(kind, count, chosen, wide, width)
    hidden = torch.randn(chosen + 1, width, device=DEVICE)
    logits = torch.randn(count, device=DEVICE)
    out, whole = _poison(wide)
    down(hidden, logits, given, out, plan=Plan(16, 1, 0, 0, 2), pdl=pdl(out))
    assert _error(out, down_reference(hidden, logits, given)) < CLOSE[kind]
    assert _only(whole)


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_numbers_of_any_size_come_through(size: float) -> None:
    torch.manual_seed(5)
    given = _expertise(FP8, 8, 2, 40, 48)
    hidden, logits = torch.randn(3, 48, device=DEVICE) * size, torch.randn(8, device=DEVICE)
    x, whole = _poison(40)
    x.copy_(torch.randn(40))
    reference = x.double() + down_reference(hidden, logits, given)
    down(hidden, logits, given, x, residual=x, pdl=pdl(x))
    assert _error(x, reference) < 1e-3
    assert _only(whole)


@pytest.mark.parametrize(
    "plan", [Plan(8, 4, 2, 0, 3), Plan(16, 8, 0, 0, 2, ahead=8), Plan(64, 2, 1, 1)]
)
def test_every_plan_gives_the_same(plan: Plan) -> None:
    torch.manual_seed(plan.rows)
    given, x, norm = _expertise(FP8, 16, 8, 112, 48), _x(112, F32), _norm(112, F32)
    logits = torch.randn(16, device=DEVICE)
    hidden, inner = _poison(9, 48)
    gate_up(x, norm, logits, given, hidden, plan=plan, pdl=pdl(x))
    out, outer = _poison(112)
    down(hidden, logits, given, out, plan=plan, pdl=pdl(x))
    assert _error(out, down_reference(hidden, logits, given)) < CLOSE[FP8]
    assert _only(inner)
    assert _only(outer)


def test_the_residual_may_be_the_output_itself() -> None:
    torch.manual_seed(1)
    given = _expertise(FP8, 8, 2, 64, 32)
    hidden, logits = torch.randn(3, 32, device=DEVICE).bfloat16(), torch.randn(8, device=DEVICE)
    x = _x(64)
    reference = x.double() + down_reference(hidden, logits, given)
    down(hidden, logits, given, x, residual=x, pdl=pdl(x))
    assert _error(x, reference) < 4e-3


def test_a_mixture_without_a_shared_expert() -> None:
    torch.manual_seed(2)
    given, x, norm = _expertise(FP8, 8, 4, 64, 32, shared=False), _x(64, F32), _norm(64, F32)
    logits = torch.randn(8, device=DEVICE)
    hidden, inner = _poison(4, 32)
    gate_up(x, norm, logits, given, hidden, plan=Plan(8, 1, 2, 0, 2), pdl=pdl(x))
    out, outer = _poison(64)
    down(hidden, logits, given, out, plan=Plan(16, 1, 2, 0, 2), pdl=pdl(x))
    assert _error(hidden, gate_up_reference(x, norm, logits, given)) < CLOSE[FP8]
    assert _error(out, down_reference(hidden, logits, given)) < CLOSE[FP8]
    assert _only(inner)
    assert _only(outer)


def test_weights_are_not_normalised_where_the_model_says_so() -> None:
    torch.manual_seed(3)
    given = replace(_expertise(F32, 8, 2, 64, 32), normalised=False)
    hidden, logits = torch.randn(3, 32, device=DEVICE), torch.randn(8, device=DEVICE)
    out, _whole = _poison(64)
    down(hidden, logits, given, out, plan=Plan(16, 1, 0, 0, 2), pdl=pdl(out))
    assert _error(out, down_reference(hidden, logits, given)) < 1e-4


def test_of_equal_scores_the_first_expert_wins() -> None:
    torch.manual_seed(4)
    given = replace(_expertise(F32, 8, 3, 64, 32), bias=torch.zeros(8, device=DEVICE))
    logits = torch.tensor([0.0, 1.0, 0.5, 1.0, 0.5, 0.5, 1.0, 0.5], device=DEVICE)
    assert choice_reference(logits, given)[0].tolist() == [1, 3, 6]
    hidden = torch.randn(4, 32, device=DEVICE)
    out, _whole = _poison(64)
    down(hidden, logits, given, out, plan=Plan(16, 1, 0, 0, 2), pdl=pdl(out))
    assert _error(out, down_reference(hidden, logits, given)) < 1e-4


@pytest.mark.filterwarnings("ignore:All-NaN")  # of the interpreter
def test_logits_that_are_no_numbers_read_nothing_beside_the_weights() -> None:
    given, x, norm = _expertise(F32, 8, 3, 64, 32), _x(64, F32), _norm(64, F32)
    logits = torch.full((8,), float("nan"), device=DEVICE)
    hidden = torch.zeros(4, 32, device=DEVICE)
    out = torch.zeros(64, device=DEVICE)
    gate_up(x, norm, logits, given, hidden, plan=Plan(8, 1, 2, 0, 2), pdl=pdl(x))
    down(hidden, logits, given, out, plan=Plan(16, 1, 2, 0, 2), pdl=pdl(x))
    assert out.isnan().all()
    assert hidden.isfinite().all()
