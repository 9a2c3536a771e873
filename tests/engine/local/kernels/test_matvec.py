"""The kernels for one token, against the layers themselves in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

pytest.importorskip("triton")

from app.engine.local.kernels.matvec import (
    Matrix,
    Plan,
    accepts,
    matrix,
    matvec,
    matvec_reference,
    plan_for,
    plans_for,
    repacked,
)
from app.engine.local.kernels.plan import tensor_step_plans
from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed
from app.engine.local.weights.linear import Linear, Plain

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
INT_MIN, INT_MAX = -(2**31), 2**31
WHOLE = Plan(4)
SHARED = Plan(2, programs=3)  # several tiles a program
PARTED = Plan(2, 128, programs=3, stages=3, lines=8)  # whole rows, in parts
ALONG = Plan(8, 64, along=True)
STREAMED = Plan(4, 128, stages=3, lines=8, along=True)
PACKED = Plan(8, 1024, programs=2, stages=2, packed=True)
CROSSED = Plan(16, 1024, tensor=True)  # 1,024 columns: a GPU's threads all have enough
CROSSED_ALONG = Plan(16, 512, along=True, stages=2, tensor=True)
SHORT_SUMS = (PACKED, CROSSED, CROSSED_ALONG)
EVERY_PLAN = (WHOLE, SHARED, PARTED, ALONG, STREAMED)
SIZES = ((26, 352), (10, 104), (42, 64))  # rows, columns
STEP_SHAPES = (
    *((4096, 4096), (27392, 4096), (4096, 13696), (4608, 4096)),
    *((20, 1152), (56, 1152), (48, 1024)),
)


def random(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, device=DEVICE).to(dtype)


def words(*shape: int) -> torch.Tensor:
    return torch.randint(INT_MIN, INT_MAX, shape, dtype=torch.int32, device=DEVICE)


def plain(rows: int, columns: int, dtype: torch.dtype) -> Plain:
    return Plain(random(rows, columns, dtype=dtype))


def eighths(rows: int, columns: int) -> Fp8Channel:
    scale = torch.rand(rows, 1, device=DEVICE) + 0.1
    return Fp8Channel(random(rows, columns).to(torch.float8_e4m3fn), scale)


def steps(rows: int, columns: int, group: int, zeros: bool) -> Packed:
    groups = -(-columns // group)
    zero = torch.randint(0, 16, (rows, groups), dtype=torch.uint8, device=DEVICE)
    scale = (torch.rand(rows, groups, device=DEVICE) + 0.1).bfloat16()
    return Packed(words(rows, -(-columns // 8)), scale, zero if zeros else None, columns, group)


def across(rows: int, columns: int, group: int) -> Awq:
    groups = columns // group
    scale = (torch.rand(groups, rows, device=DEVICE) + 0.1).half()
    return Awq(words(columns, rows // 8), words(groups, rows // 8), scale)


FORMATS: dict[str, Callable[[int, int], Linear]] = {
    "bfloat16": lambda rows, columns: plain(rows, columns, torch.bfloat16),
    "float16": lambda rows, columns: plain(rows, columns, torch.float16),
    "float32": lambda rows, columns: plain(rows, columns, torch.float32),
    "fp8": eighths,
    "int4 groups of 32": lambda rows, columns: steps(rows, columns, 32, zeros=False),
    "int4 groups of 96, zeros": lambda rows, columns: steps(rows, columns, 96, zeros=True),
    "int4 groups of 16": lambda rows, columns: steps(rows, columns, 16, zeros=True),
    "int4 groups of 8": lambda rows, columns: steps(rows, columns, 8, zeros=False),
    "int4 whole rows": lambda rows, columns: steps(rows, columns, columns, zeros=True),
}


def poisoned(count: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Room for `count` numbers, and all of it with what lies behind: nothing is written yet."""
    room = torch.full((count + 64,), torch.nan, device=DEVICE, dtype=dtype)
    return room[:count], room


def kernel_ready(layer: Linear) -> Matrix:
    made = matrix(layer)
    assert made is not None
    return made


def error(out: torch.Tensor, reference: torch.Tensor) -> float:
    return float((out.double() - reference).norm() / reference.norm())


def close(out: torch.Tensor, reference: torch.Tensor, layer: Linear, *, several: int = 1) -> bool:
    """As float32 has it; steps of 4 bits are summed with 2,048 too much, taken off at the end."""
    limit = 2e-4 if isinstance(layer, Packed | Awq) else 2e-5
    return error(out, reference) < limit * several


def nothing_beside(room: torch.Tensor, count: int) -> bool:
    return bool(room[count:].isnan().all() and not room[:count].isnan().any())


@pytest.mark.parametrize("plan", EVERY_PLAN)
@pytest.mark.parametrize("name", FORMATS)
def test_gives_what_the_layer_gives(name: str, plan: Plan) -> None:
    for rows, columns in SIZES[:2]:
        layer, x = FORMATS[name](rows, columns), random(columns)
        out, room = poisoned(rows)
        matvec(x, kernel_ready(layer), out, plan=plan)
        assert close(out, matvec_reference(x, layer), layer)
        assert nothing_beside(room, rows)


@pytest.mark.parametrize("plan", EVERY_PLAN)
@pytest.mark.parametrize("name", ["bfloat16", "fp8", "int4 groups of 32"])
def test_norm_bias_gate_and_residual_stand_around_the_product(name: str, plan: Plan) -> None:
    for rows, columns in SIZES[::2]:
        layer = FORMATS[name](rows, columns).with_bias(random(rows))
        x, norm = random(columns), ((random(columns) + 2) / 16, 1e-5)
        out, room = poisoned(rows // 2)
        residual = random(rows // 2)
        matvec(x, kernel_ready(layer), out, norm=norm, residual=residual, gated=True, plan=plan)
        reference = matvec_reference(x, layer, norm=norm, residual=residual, gated=True)
        assert close(out, reference, layer, several=5)  # a gate and its half, multiplied
        assert nothing_beside(room, rows // 2)


@pytest.mark.parametrize("plan", EVERY_PLAN)
def test_the_residual_may_be_the_output_itself(plan: Plan) -> None:
    layer, x = eighths(26, 352), random(352, dtype=torch.bfloat16)
    out = random(26)
    reference = matvec_reference(x, layer, residual=out)
    matvec(x, kernel_ready(layer), out, residual=out, plan=plan)
    assert close(out, reference, layer)


@pytest.mark.parametrize("plan", EVERY_PLAN)
def test_takes_and_gives_bfloat16(plan: Plan) -> None:
    # the interpreter cuts what a GPU rounds: twice the error
    layer, x = eighths(66, 352), random(352, dtype=torch.bfloat16)
    norm = (random(352, dtype=torch.bfloat16) + 2, 1e-5)
    out, room = poisoned(66, torch.bfloat16)
    matvec(x, kernel_ready(layer), out, norm=norm, plan=plan)
    assert error(out, matvec_reference(x, layer, norm=norm)) < 1e-2
    assert nothing_beside(room, 66)


@pytest.mark.parametrize("name", ["bfloat16", "fp8", "int4 groups of 32"])
def test_every_plan_worth_timing_gives_the_same(name: str) -> None:
    layer, x = FORMATS[name](10, 544), random(544)
    for plan in plans_for(kernel_ready(layer)):
        out, room = poisoned(10)
        matvec(x, kernel_ready(layer), out, plan=plan)
        assert close(out, matvec_reference(x, layer), layer)
        assert nothing_beside(room, 10)


@pytest.mark.parametrize("name", FORMATS)
def test_a_plan_is_chosen_for_any_shape(name: str) -> None:
    for rows, columns in ((22, 352), (50, 32), (130, 160)):
        layer, x = FORMATS[name](rows, columns), random(columns)
        out, room = poisoned(rows)
        matvec(x, kernel_ready(layer), out)
        assert close(out, matvec_reference(x, layer), layer)
        assert nothing_beside(room, rows)


@pytest.mark.parametrize("plan", SHORT_SUMS)
@pytest.mark.parametrize("rows", [26, 48])
def test_sums_of_float16_products_stay_near(plan: Plan, rows: int) -> None:
    layer = eighths(rows, 1040)
    for x in (random(1040, dtype=torch.bfloat16), random(1040) * 1e6, random(1040) * 1e-6):
        out, room = poisoned(rows)
        matvec(x, kernel_ready(layer), out, plan=plan)
        assert error(out, matvec_reference(x, layer)) < 1e-3
        assert nothing_beside(room, rows)


@pytest.mark.parametrize("plan", SHORT_SUMS)
def test_float16_does_not_overflow_where_x_has_one_giant(plan: Plan) -> None:
    layer, x = (
        Fp8Channel(
            torch.full((16, 1040), 448.0, device=DEVICE).to(torch.float8_e4m3fn),
            torch.ones(16, 1, device=DEVICE),
        ),
        random(1040),
    )
    x[:16] = 3e38 / 448 / 1024  # a thread's sum of only the largest
    out, _room = poisoned(16)
    matvec(x, kernel_ready(layer), out, plan=plan)
    assert error(out, matvec_reference(x, layer)) < 1e-3


@pytest.mark.parametrize("plan", SHORT_SUMS)
def test_norm_and_gate_stand_around_float16_products(plan: Plan) -> None:
    layer = eighths(42, 1040).with_bias(random(42))
    x, norm = random(1040), ((random(1040) + 2) / 16, 1e-5)
    out, room = poisoned(21)
    residual = random(21)
    matvec(x, kernel_ready(layer), out, norm=norm, residual=residual, gated=True, plan=plan)
    reference = matvec_reference(x, layer, norm=norm, residual=residual, gated=True)
    assert error(out, reference) < 2e-3
    assert nothing_beside(room, 21)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("plan", [Plan(16, tensor=True), Plan(16, 512, stages=2, tensor=True)])
def test_steps_are_multiplied_by_the_tensor_cores(plan: Plan, zeros: bool) -> None:
    for rows, group in ((26, 128), (48, 384)):
        layer = steps(rows, 1152, group, zeros=zeros).with_bias(random(rows))
        x, norm = random(1152, dtype=torch.bfloat16), ((random(1152) + 2) / 16, 1e-5)
        out, room = poisoned(rows)
        matvec(x, kernel_ready(layer), out, plan=plan)
        assert error(out, matvec_reference(x, layer)) < 1e-3
        assert nothing_beside(room, rows)
        half, room = poisoned(rows // 2)
        x = random(1152)
        matvec(x, kernel_ready(layer), half, norm=norm, gated=True, plan=plan)
        assert error(half, matvec_reference(x, layer, norm=norm, gated=True)) < 5e-3
        assert nothing_beside(room, rows // 2)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("group", [128, 384])
def test_programs_that_keep_x_give_the_same(group: int, zeros: bool) -> None:
    plan = Plan(16, 2048, programs=2, stages=2, tensor=True)
    layer = steps(56, 1152, group, zeros=zeros).with_bias(random(56))
    x, norm = random(1152), ((random(1152) + 2) / 16, 1e-5)
    out, room = poisoned(28)
    matvec(x, kernel_ready(layer), out, norm=norm, gated=True, plan=plan)
    assert error(out, matvec_reference(x, layer, norm=norm, gated=True)) < 5e-3
    assert nothing_beside(room, 28)


@pytest.mark.parametrize("rows, columns", STEP_SHAPES)
def test_every_plan_worth_timing_for_steps_is_accepted(rows: int, columns: int) -> None:
    shape = Matrix(  # nothing of it is read
        torch.empty(rows, columns // 8, dtype=torch.int32, device="meta"),
        torch.empty(rows, columns // 128, device="meta"),
        *(None, None, columns, 128),
    )
    plans = tensor_step_plans(rows, columns)
    assert plans_for(shape) == plans
    assert len(set(plans)) == len(plans)
    assert [plan for plan in plans if not accepts(shape, plan)] == []


def test_programs_that_would_keep_half_of_x_are_refused() -> None:
    x, out = random(1152), random(48)
    for layer, columns in ((steps(48, 1152, 128, zeros=True), 1024), (eighths(48, 1152), 2048)):
        with pytest.raises(ValueError, match="another matrix"):
            matvec(x, kernel_ready(layer), out, plan=Plan(16, columns, programs=2, tensor=True))


@pytest.mark.parametrize("layer", [eighths(20, 1104), steps(20, 1152, 128, zeros=True)])
def test_every_plan_for_long_rows_gives_the_same(layer: Linear) -> None:
    x = random(kernel_ready(layer).columns, dtype=torch.bfloat16)
    for plan in plans_for(kernel_ready(layer)):
        out, room = poisoned(20)
        matvec(x, kernel_ready(layer), out, plan=plan)
        assert error(out, matvec_reference(x, layer)) < 1e-3
        assert nothing_beside(room, 20)


def test_awq_is_repacked_to_the_same_numbers() -> None:
    layer = across(48, 128, 64)
    assert torch.equal(repacked(layer).dense(torch.float32), layer.dense(torch.float32))
    out, _room = poisoned(48)
    x = random(128)
    matvec(x, kernel_ready(layer), out)
    assert close(out, matvec_reference(x, layer), layer)


def test_what_no_kernel_reads_is_left_to_the_layer() -> None:
    blocks = Fp8Block(random(128, 128).to(torch.float8_e4m3fn), random(1, 1), (128, 128), 128)
    odd_groups = steps(8, 80, 20, zeros=False)
    stack = Plain(random(2, 8, 16))
    across_the_rows = Plain(random(16, 8).T)
    for layer in (blocks, odd_groups, stack, across_the_rows):
        assert matrix(layer) is None


def test_nothing_is_copied_of_weights_in_order() -> None:
    for layer in (plain(8, 64, torch.bfloat16), eighths(8, 64)):
        assert kernel_ready(layer).weight.data_ptr() == layer.weight.data_ptr()
    packed = steps(8, 64, 32, zeros=True)
    assert kernel_ready(packed).weight.data_ptr() == packed.packed.data_ptr()


def test_sizes_that_do_not_match_are_refused() -> None:
    made = kernel_ready(plain(8, 64, torch.float32))
    for x, out, gated in ((63, 8, False), (64, 7, False), (64, 8, True)):
        with pytest.raises(ValueError, match="don't match"):
            matvec(random(x), made, random(out), gated=gated)


def test_plans_are_the_same_for_the_same_shape() -> None:
    assert plan_for(kernel_ready(eighths(8, 64))) == plan_for(kernel_ready(eighths(8, 64)))
