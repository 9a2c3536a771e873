"""What stands before and behind a matrix-vector product in the same kernel: the norm of what goes
in; bias, gate and residual of what comes out. Knows no format of weights."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def scale_of(x, eps, K: tl.constexpr):
    """1 / rms of x [K], for RMSNorm (https://arxiv.org/abs/1910.07467)."""
    squares = tl.zeros([1024], tl.float32)
    for start in tl.static_range(0, K, 1024):
        numbers = _numbers(x, start + tl.arange(0, 1024), K)
        squares += numbers * numbers
    return tl.rsqrt(tl.sum(squares, 0) / K + eps)


@triton.jit
def _numbers(x, k, K: tl.constexpr):
    return tl.load(x + k, mask=k < K, other=0.0).to(tl.float32)


@triton.jit
def normal(x, norm, eps, K: tl.constexpr, BK: tl.constexpr):
    """All of x [K], float32, in parts of BK; normalised, and then rounded to the type of x, where
    there is a norm."""
    parts = (_numbers(x, tl.arange(0, BK), K),)
    for start in tl.static_range(BK, K, BK):
        k = start + tl.arange(0, BK)
        parts = parts + (_numbers(x, k, K),)  # type: ignore[assignment]  # noqa: RUF005
    if norm is not None:
        squares = parts[0] * parts[0]
        for part in tl.static_range(1, len(parts)):
            squares += parts[part] * parts[part]
        scale = tl.rsqrt(tl.sum(squares, 0) / K + eps)
        done = (_normal(x, parts[0], norm, scale, tl.arange(0, BK), K),)
        for part in tl.static_range(1, len(parts)):
            k = part * BK + tl.arange(0, BK)
            done = done + (_normal(x, parts[part], norm, scale, k, K),)  # type: ignore[assignment]  # noqa: RUF005
        parts = done
    return parts


@triton.jit
def _normal(x, numbers, norm, scale, k, K: tl.constexpr):
    return (numbers * scale * _numbers(norm, k, K)).to(x.dtype.element_ty).to(tl.float32)


@triton.jit
def some(x, norm, scale, k, K: tl.constexpr):
    """The elements k of x, float32, normalised by a `scale` that is already known."""
    numbers = _numbers(x, k, K)
    if norm is not None:
        numbers = _normal(x, numbers, norm, scale, k, K)
    return numbers


@triton.jit
def rows_of(tile, rows, R: tl.constexpr, GATED: tl.constexpr):
    """The R rows of a tile; each row of the gate is followed by its row of the other half."""
    i = tl.arange(0, R)
    if GATED:
        pair = tile * (R // 2) + i // 2
        return tl.where(pair < rows // 2, pair + (i % 2) * (rows // 2), rows)
    return tile * R + i


@triton.jit
def finish(y, bias, residual, out, tile, rows, R: tl.constexpr, GATED: tl.constexpr):
    """Writes y [R], the products of a tile's rows, as what the layer gives."""
    if bias is not None:
        row = rows_of(tile, rows, R, GATED)
        y += tl.load(bias + row, mask=row < rows, other=0.0).to(tl.float32)
    if GATED:
        gate, up = tl.split(tl.reshape(y, [R // 2, 2]))
        y = gate * tl.sigmoid(gate) * up
        at = tile * (R // 2) + tl.arange(0, R // 2)
        inside = at < rows // 2
    else:
        at = tile * R + tl.arange(0, R)
        inside = at < rows
    if residual is not None:
        y += tl.load(residual + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + at, y.to(out.dtype.element_ty), mask=inside)


@triton.jit
def share(tiles):
    """This program's first tile, and the one behind its last: each has as many, or one less."""
    program, programs = tl.program_id(0).to(tl.int64), tl.num_programs(0)  # a head's square is long
    first, last = program * tiles // programs, (program + 1) * tiles // programs
    return first.to(tl.int32), last.to(tl.int32)


@triton.jit
def early(
    weight, first, last, rows, COLUMNS: tl.constexpr, R: tl.constexpr,
    LINES: tl.constexpr, GATED: tl.constexpr,
):  # fmt: skip
    """Asks for LINES of 128 bytes of a program's rows, while it waits for x; of COLUMNS each."""
    if LINES > 0:
        size: tl.constexpr = COLUMNS * weight.dtype.element_ty.primitive_bitwidth // 8
        high: tl.constexpr = R // 2 if GATED else R
        start = weight.to(tl.int64) + first.to(tl.int64) * (high * size)
        count = tl.minimum((last - first) * high, rows) * size
        _prefetch(start, count, LINES)
        if GATED:
            _prefetch(start + (rows // 2).to(tl.int64) * size, count, LINES)


@triton.jit
def _prefetch(start, count, LINES: tl.constexpr):
    """Asks for what lies in the first LINES from `start`, and before its end `count` bytes on."""
    ahead = tl.minimum(tl.arange(0, LINES) * 128, count - 1)
    tl.inline_asm_elementwise(
        "prefetch.global.L2 [$1]; mov.u32 $0, 0;",
        "=r,l",
        [start + ahead],
        dtype=tl.int32,
        is_pure=False,
        pack=1,
    )
