"""A linear layer of one token: chooses the kernel and its launch for the format of the weights.

Weights are read once, as they are kept, and that is what it takes; x is normalised in front of the
product, and bias, gate and residual follow behind it, in the same launch. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
from torch.nn.functional import rms_norm, silu

from app.engine.local.kernels import dense, fp8, int4, steps
from app.engine.local.kernels.launch import pdl as dependent
from app.engine.local.kernels.plan import (
    SHORT,
    number_plans,
    step_plans,
    tensor_plans,
    tensor_step_plans,
)
from app.engine.local.kernels.plan import Plan as Plan  # noqa: PLC0414, RUF100
from app.engine.local.weights.fp8 import Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed, nibbles
from app.engine.local.weights.linear import Linear, Plain

_WORD = 8  # 4-bit steps: they have one scale
_NUMBERS = (torch.bfloat16, torch.float16, torch.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A layer's tensors as the kernels take them."""

    weight: torch.Tensor  # [rows, columns] of numbers or E4M3; int32 [rows, columns / 8] of steps
    scale: torch.Tensor | None  # float32 [rows]; of steps [rows, groups]
    zero: torch.Tensor | None  # uint8 [rows, groups]
    bias: torch.Tensor | None  # [rows]
    columns: int
    group: int = 0  # columns of steps that share a scale; 0: the weights are numbers

    @property
    def rows(self) -> int:
        return self.weight.shape[0]

    @property
    def row_bytes(self) -> int:
        """What a row's weights take."""
        return self.weight.shape[1] * self.weight.element_size()


def matrix(linear: Linear) -> Matrix | None:
    """The layer for the kernels; None for a format, or a shape, that they don't read.

    Nothing is copied, but for AWQ, whose rows lie across: the copy is as large as the layer.
    """
    if len(linear.shape) != 2 or linear.bytes == 0:
        return None
    match linear:
        case Plain(weight, bias) if weight.dtype in _NUMBERS and weight.is_contiguous():
            return Matrix(weight, None, None, bias, weight.shape[1])
        case Fp8Channel(weight, scale, bias) if _is_e4m3(weight) and weight.is_contiguous():
            return Matrix(weight, scale.reshape(-1).contiguous(), None, bias, weight.shape[1])
        case Packed():
            return _steps(linear)
        case Awq():
            return _steps(repacked(linear))
    return None


def _is_e4m3(weight: torch.Tensor) -> bool:
    return weight.dtype is torch.float8_e4m3fn


def _steps(linear: Packed) -> Matrix | None:
    whole = linear.group >= linear.columns
    if (linear.group % _WORD and not whole) or not linear.packed.is_contiguous():
        return None
    group = -(-linear.columns // 32) * 32 if whole else linear.group
    zero = None if linear.zero is None else linear.zero.contiguous()
    scale = linear.scale.contiguous()
    return Matrix(linear.packed, scale, zero, linear.bias, linear.columns, group)


def repacked(linear: Awq) -> Packed:
    """AWQ's weights in the other layout of 4-bit steps, bit for bit the same numbers."""
    words = _across(linear.qweight)  # uint8 [out, in]
    shifts = torch.arange(0, 32, 4, device=words.device)
    parts = words.view(len(words), -1, 8).long() << shifts
    packed = parts.sum(-1).to(torch.int32)  # wraps as the bits do
    scale, zero = linear.scales.T.contiguous(), _across(linear.qzeros)
    columns = linear.in_features
    return Packed(packed, scale, zero, columns, columns // scale.shape[1], linear.bias)


def _across(words: torch.Tensor) -> torch.Tensor:
    """AWQ's int32 [N, out / 8] → steps in order, uint8 [out, N]."""
    steps = nibbles(words).view(*words.shape, 2, 4).mT.flatten(-3)
    return steps.T.contiguous()


def matvec(
    x: torch.Tensor,
    matrix: Matrix,
    out: torch.Tensor,
    *,
    norm: tuple[torch.Tensor, float] | None = None,
    residual: torch.Tensor | None = None,
    gated: bool = False,
    plan: Plan | None = None,
    pdl: bool = False,
) -> None:
    """out [rows] = W · x [columns] + bias; silu(first half) · second half, [rows / 2], if `gated`;
    of x normalised (RMSNorm with these weights and epsilon) where there is a `norm`, and on top of
    `residual`, which may be `out` itself.

    All are contiguous; sums are kept in float32. Raises ValueError where the sizes don't match, or
    the plan is for another matrix.
    """
    plan = plan or plan_for(matrix)
    _check(x, matrix, out, gated)
    if not accepts(matrix, plan):
        raise ValueError(f"{plan} asks for another matrix than {matrix.rows} x {matrix.columns}")
    pdl = pdl and dependent(x)
    by, eps = norm or (None, 0.0)
    ends = (matrix.bias, x, by, eps, residual, out, matrix.rows)
    chosen = _chosen(matrix, plan, x.is_cuda) | {
        "GATED": gated,
        "PDL": pdl,
        "num_warps": plan.warps,
    }
    if pdl:
        chosen["launch_pdl"] = True
    kernel = _kernel(matrix, plan)
    if matrix.group == 0 and plan.words:
        weight = matrix.weight.view(torch.int32)
        kernel[_grid(matrix, plan)](weight, matrix.scale, *ends, **chosen)
    elif matrix.group:
        kernel[_grid(matrix, plan)](matrix.weight, matrix.scale, matrix.zero, *ends, **chosen)
    else:
        kernel[_grid(matrix, plan)](matrix.weight, matrix.scale, *ends, **chosen)


def _check(x: torch.Tensor, matrix: Matrix, out: torch.Tensor, gated: bool) -> None:
    rows = matrix.rows // 2 if gated else matrix.rows
    if x.numel() != matrix.columns or out.numel() != rows or (gated and matrix.rows % 2):
        sizes = tuple(x.shape), (matrix.rows, matrix.columns), tuple(out.shape)
        raise ValueError(f"x, matrix and out don't match: {sizes}")


def accepts(matrix: Matrix, plan: Plan) -> bool:
    """Whether the kernels take a matrix so cut. By words, each thread must have 16 bytes, in the
    order that the tensor cores ask for; their programs that stay keep all of x, for steps."""
    if not plan.words:
        return True
    padded = triton.next_power_of_2(matrix.columns)
    columns = min(plan.columns or padded, padded)
    keep = matrix.group > 0 and columns >= matrix.columns
    if plan.tensor and (plan.rows < 16 or (plan.programs > 0 and not keep)):
        return False
    threads = plan.rows * columns // (64 if matrix.group else 32)
    return _by_words(matrix) and threads >= 32 * plan.warps


def _kernel(matrix: Matrix, plan: Plan) -> triton.JITFunction:
    if plan.tensor and matrix.group:
        return steps.whole if plan.programs else steps.along
    if plan.words:
        tensor = fp8.along if plan.along else fp8.tensor
        return tensor if plan.tensor else fp8.whole
    module = int4 if matrix.group else dense
    return module.chunked if plan.along else module.whole


def _grid(matrix: Matrix, plan: Plan) -> tuple[int]:
    tiles = triton.cdiv(matrix.rows, plan.rows)
    return (min(tiles, plan.programs or tiles),)


def _chosen(matrix: Matrix, plan: Plan, on_gpu: bool) -> dict[str, int | bool]:
    """The kernel's constants."""
    padded = max(triton.next_power_of_2(matrix.columns), 32)
    constants = {"K": matrix.columns, "R": plan.rows, "LINES": plan.lines, "RELEASE": plan.release}
    constants["BK"] = min(plan.columns or padded, padded)
    if matrix.group:
        constants |= {"GROUP": matrix.group, "ASM": on_gpu}
        if plan.tensor:
            return constants | {"STAGES": plan.stages}
        constants["BK"] = constants["BK"] if plan.along else padded  # whole rows come in one part
        return constants
    if plan.words:
        constants["ASM"] = on_gpu
    if plan.tensor and not plan.along:
        return constants
    constants["STAGES"] = plan.stages
    return constants if plan.along else constants | {"ONCE": plan.programs == 0}


def plan_for(matrix: Matrix) -> Plan:
    """The plan that a product is cut by where none is given."""
    return plans_for(matrix)[0]


def plans_for(matrix: Matrix) -> tuple[Plan, ...]:
    """The plans worth timing for a shape, what should be best first."""
    if _by_words(matrix) and matrix.columns >= SHORT:
        if matrix.group:
            return tensor_step_plans(matrix.rows, matrix.columns)
        return tensor_plans(matrix.rows, matrix.columns)
    return (step_plans if matrix.group else number_plans)(matrix.columns, matrix.row_bytes)


def _by_words(matrix: Matrix) -> bool:
    """Whether rows can be read 16 bytes at a time, with a scale for whole segments of steps."""
    if matrix.weight.data_ptr() % 16:
        return False
    if matrix.group:
        return matrix.group % 128 == 0 and matrix.columns % 128 == 0
    return _is_e4m3(matrix.weight) and matrix.columns % 16 == 0


def matvec_reference(
    x: torch.Tensor,
    linear: Linear,
    *,
    norm: tuple[torch.Tensor, float] | None = None,
    residual: torch.Tensor | None = None,
    gated: bool = False,
) -> torch.Tensor:
    """The same of the layer itself, float64."""
    if norm is not None:
        weight, eps = norm
        x = rms_norm(x.double(), x.shape, weight.double(), eps).to(x.dtype)
    y = linear.dense(torch.float64) @ x.double()
    bias = getattr(linear, "bias", None)
    y = y if bias is None else y + bias.double()
    if gated:
        gate, up = y.chunk(2)
        y = silu(gate) * up
    return y if residual is None else y + residual.double()
