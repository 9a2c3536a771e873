"""The product of a matrix of ordinary or 8-bit numbers and one vector; knows no layer.

Two ways to cut it. *Whole*: a program holds all of x in registers, in parts of `BK`, and takes
tiles of a few whole rows; the first one's loads are issued before it waits for x, the others go
through shared memory, some tiles ahead. *Chunked*: a program takes one tile of rows and goes along
K, for a K that no registers hold.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.ends import early, finish, normal, rows_of, scale_of, share, some


@triton.jit
def _part(weight, row, k, rows, K: tl.constexpr, MASKED: tl.constexpr):
    """Weights [R, k]."""
    at = weight + row.to(tl.int64)[:, None] * K + k[None, :]
    if MASKED:
        return tl.load(at, mask=(row < rows)[:, None] & (k < K)[None, :], other=0.0)
    return tl.load(at, mask=(row < rows)[:, None], other=0.0)


@triton.jit
def _tile(weight, row, rows, K: tl.constexpr, BK: tl.constexpr):
    """Whole rows, in parts [R, BK]."""
    parts = (_part(weight, row, tl.arange(0, BK), rows, K, K < BK),)
    for start in tl.static_range(BK, K, BK):
        k = start + tl.arange(0, BK)
        masked = start + BK > K
        parts = parts + (_part(weight, row, k, rows, K, masked),)  # type: ignore[assignment]  # noqa: RUF005
    return parts


@triton.jit
def _folded(numbers, x, R: tl.constexpr, BK: tl.constexpr, V: tl.constexpr):
    """The product of a part, summed over the V elements that a thread loads at once."""
    product = numbers.to(tl.float32) * x[None, :]
    return tl.sum(tl.reshape(product, [R, BK // V, V]), 2)  # [R, BK / V]


@triton.jit
def _products(tile, x, scale, row, rows, R: tl.constexpr, BK: tl.constexpr):
    """[R] of a tile's parts and those of x."""
    V: tl.constexpr = 128 // tile[0].dtype.primitive_bitwidth
    sums = _folded(tile[0], x[0], R, BK, V)
    for part in tl.static_range(1, len(tile)):
        sums += _folded(tile[part], x[part], R, BK, V)
    return _scaled(tl.sum(sums, 1), scale, row, rows)


@triton.jit
def _scaled(y, scale, row, rows):
    if scale is not None:
        y *= tl.load(scale + row, mask=row < rows, other=0.0)
    return y


@triton.jit
def whole(
    weight, scale, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, R: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr,
    ONCE: tl.constexpr, LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr,
    PDL: tl.constexpr,
):  # fmt: skip
    """out [rows] of weight [rows, K] and x [K]. Every program has as many tiles, or one less, or
    one where `ONCE`."""
    first, last = share(tl.cdiv(rows, R))
    row = rows_of(first, rows, R, GATED)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    tile = _tile(weight, row, rows, K, BK)
    if PDL:
        early(weight, first, last, rows, K, R, LINES, GATED)
        gdc_wait()
    numbers = normal(x, norm, eps, K, BK)
    y = _products(tile, numbers, scale, row, rows, R, BK)
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    finish(y, bias, residual, out, first, rows, R, GATED)
    if not ONCE:
        for following in tl.range(first + 1, last, num_stages=STAGES):
            row = rows_of(following, rows, R, GATED)
            tile = _tile(weight, row, rows, K, BK)
            y = _products(tile, numbers, scale, row, rows, R, BK)
            finish(y, bias, residual, out, following, rows, R, GATED)


@triton.jit
def chunked(
    weight, scale, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, R: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr,
    LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """out [rows] of weight [rows, K] and x [K], a tile of R rows a program, BK columns a time."""
    program = tl.program_id(0)
    V: tl.constexpr = 128 // weight.dtype.element_ty.primitive_bitwidth
    columns = tl.arange(0, BK)
    row = rows_of(program, rows, R, GATED)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    numbers = _part(weight, row, columns, rows, K, K < BK)
    if PDL:
        early(weight, program, program + 1, rows, K, R, LINES, GATED)
        gdc_wait()
    by = 1.0 if norm is None else scale_of(x, eps, K)
    sums = _folded(numbers, some(x, norm, by, columns, K), R, BK, V)
    for start in tl.range(BK, K, BK, num_stages=STAGES):
        k = start + columns
        numbers = _part(weight, row, k, rows, K, K % BK > 0)
        sums += _folded(numbers, some(x, norm, by, k, K), R, BK, V)
    y = _scaled(tl.sum(sums, 1), scale, row, rows)
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    finish(y, bias, residual, out, program, rows, R, GATED)
