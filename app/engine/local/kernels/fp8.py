"""The product of a matrix of E4M3 numbers, a scale a row, and one vector, with packed products;
knows no layer."""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.ends import early, finish, rows_of, share
from app.engine.local.kernels.product import (
    crossed,
    halves,
    loaded,
    measured,
    normal_part,
    packed,
    pairs,
    total,
)


@triton.jit
def _words(weight, row, word, rows, WORDS: tl.constexpr, MASKED: tl.constexpr):
    """Words [R, W]."""
    at = weight + row.to(tl.int64)[:, None] * WORDS + word[None, :]
    if MASKED:
        return tl.load(at, mask=(row < rows)[:, None] & (word < WORDS)[None, :], other=0)
    return tl.load(at, mask=(row < rows)[:, None], other=0)


@triton.jit
def _tile(weight, row, rows, WORDS: tl.constexpr, W: tl.constexpr):
    """Whole rows, in parts [R, W]."""
    parts = (_words(weight, row, tl.arange(0, W), rows, WORDS, W > WORDS),)
    for start in tl.static_range(W, WORDS, W):
        word = start + tl.arange(0, W)
        parts = parts + (_words(weight, row, word, rows, WORDS, start + W > WORDS),)  # type: ignore[assignment]  # noqa: RUF005
    return parts


@triton.jit
def _products(tile, lows, highs, by, R: tl.constexpr, W: tl.constexpr, ASM: tl.constexpr):
    """[R] of a tile's parts and those of x."""
    sums = tl.zeros([R, W], tl.float32)
    for part in tl.static_range(0, len(tile)):
        sums = packed(tile[part], lows[part], highs[part], sums, ASM)
    return tl.sum(sums, 1) * by


@triton.jit
def whole(
    weight, scale, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, R: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr,
    ONCE: tl.constexpr, LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr,
    PDL: tl.constexpr, ASM: tl.constexpr,
):  # fmt: skip
    """out [rows] of weight, int32 [rows, K / 4], and x [K]. Every program has as many tiles, or one
    less, or one where `ONCE`; it lets the next kernel start at once, at its end (`RELEASE` 1), or
    as ever (2)."""
    WORDS: tl.constexpr = K // 4
    W: tl.constexpr = BK // 4
    first, last = share(tl.cdiv(rows, R))
    row = rows_of(first, rows, R, GATED)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    tile = _tile(weight, row, rows, WORDS, W)
    by = tl.load(scale + row, mask=row < rows, other=0.0)
    gains = None if norm is None else loaded(norm, K, BK)
    if PDL:
        early(weight, first, last, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    lows, highs, inverse = halves(x, gains, eps, K, BK, ASM)
    y = _products(tile, lows, highs, by * inverse, R, W, ASM)
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    finish(y, bias, residual, out, first, rows, R, GATED)
    if not ONCE:
        for following in tl.range(first + 1, last, num_stages=STAGES):
            row = rows_of(following, rows, R, GATED)
            tile = _tile(weight, row, rows, WORDS, W)
            by = tl.load(scale + row, mask=row < rows, other=0.0)
            y = _products(tile, lows, highs, by * inverse, R, W, ASM)
            finish(y, bias, residual, out, following, rows, R, GATED)


@triton.jit
def row_of(tile, rows, half: tl.constexpr, R: tl.constexpr, GATED: tl.constexpr):
    """Every second of the R rows of a tile (`rows_of`), from the first or the second."""
    i = tl.arange(0, R // 2)
    if GATED:
        pair = tile * (R // 2) + i
        row = tl.where(pair < rows // 2, pair + half * (rows // 2), rows)
    else:
        row = tile * R + 2 * i + half
    return row


@triton.jit
def segments(weight, row, start, rows, WORDS: tl.constexpr, W: tl.constexpr, MASKED: tl.constexpr):
    """Words [R, W / 16, 16]: in each thread's hands what the tensor cores take from it."""
    word = start + tl.arange(0, W // 16)[None, :, None] * 16 + tl.arange(0, 16)[None, None, :]
    at = weight + row.to(tl.int64)[:, None, None] * WORDS + word
    # not so, of rows: it is how all of Triton's versions are made to take rows before segments
    at = tl.max_contiguous(at, [2, 1, 16])
    if MASKED:
        return tl.load(at, mask=(row < rows)[:, None, None] & (word < WORDS), other=0)
    return tl.load(at, mask=(row < rows)[:, None, None], other=0)


@triton.jit
def _strip(weight, row, rows, WORDS: tl.constexpr, W: tl.constexpr):
    """Whole rows, in parts [R, W / 16, 16]."""
    parts = (segments(weight, row, 0, rows, WORDS, W, W > WORDS),)
    for start in tl.static_range(W, WORDS, W):
        masked = start + W > WORDS
        parts = parts + (segments(weight, row, start, rows, WORDS, W, masked),)  # type: ignore[assignment]  # noqa: RUF005
    return parts


@triton.jit
def _crossed(even, odd, lows, highs, R: tl.constexpr, W: tl.constexpr, ASM: tl.constexpr):
    """[R] of a tile's parts, of even and of odd rows, and those of x."""
    P: tl.constexpr = W // 16
    sums = tl.zeros([R // 2, P, 16], tl.float32)
    for part in tl.static_range(0, len(even)):
        low, high = tl.reshape(lows[part], [P, 16]), tl.reshape(highs[part], [P, 16])
        sums = crossed(even[part], odd[part], low, high, sums, ASM)
    first, second = total(sums, R // 2)
    return tl.reshape(tl.join(first, second), [R])


@triton.jit
def tensor(
    weight, scale, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, R: tl.constexpr, BK: tl.constexpr, LINES: tl.constexpr,
    RELEASE: tl.constexpr, GATED: tl.constexpr, PDL: tl.constexpr, ASM: tl.constexpr,
):  # fmt: skip
    """The same by the tensor cores, whose other operand is x in every column, a tile a program."""
    WORDS: tl.constexpr = K // 4
    W: tl.constexpr = BK // 4
    tile = tl.program_id(0)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    even = _strip(weight, row_of(tile, rows, 0, R, GATED), rows, WORDS, W)
    odd = _strip(weight, row_of(tile, rows, 1, R, GATED), rows, WORDS, W)
    row = rows_of(tile, rows, R, GATED)
    by = tl.load(scale + row, mask=row < rows, other=0.0)
    gains = None if norm is None else loaded(norm, K, BK)
    if PDL:
        early(weight, tile, tile + 1, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    lows, highs, inverse = halves(x, gains, eps, K, BK, ASM)
    y = _crossed(even, odd, lows, highs, R, W, ASM) * by * inverse
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    finish(y, bias, residual, out, tile, rows, R, GATED)


@triton.jit
def along(
    weight, scale, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, R: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr,
    LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr,
    PDL: tl.constexpr, ASM: tl.constexpr,
):  # fmt: skip
    """The same, a tile of R rows a program, BK columns a time."""
    WORDS: tl.constexpr = K // 4
    W: tl.constexpr = BK // 4
    P: tl.constexpr = W // 16
    program = tl.program_id(0)
    first, second = row_of(program, rows, 0, R, GATED), row_of(program, rows, 1, R, GATED)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    even = segments(weight, first, 0, rows, WORDS, W, W > WORDS)
    odd = segments(weight, second, 0, rows, WORDS, W, W > WORDS)
    row = rows_of(program, rows, R, GATED)
    by = tl.load(scale + row, mask=row < rows, other=0.0)
    if PDL:
        early(weight, program, program + 1, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    normal, unit, inverse = measured(x, norm, eps, K, BK, ASM)
    low, high = pairs(normal_part(x, norm, normal, unit, 0, K, BK))
    low, high = tl.reshape(low, [P, 16]), tl.reshape(high, [P, 16])
    sums = crossed(even, odd, low, high, tl.zeros([R // 2, P, 16], tl.float32), ASM)
    for start in tl.range(W, WORDS, W, num_stages=STAGES):
        even = segments(weight, first, start, rows, WORDS, W, WORDS % W > 0)
        odd = segments(weight, second, start, rows, WORDS, W, WORDS % W > 0)
        low, high = pairs(normal_part(x, norm, normal, unit, 4 * start, K, BK))
        low, high = tl.reshape(low, [P, 16]), tl.reshape(high, [P, 16])
        sums = crossed(even, odd, low, high, sums, ASM)
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    one, other = total(sums, R // 2)
    y = tl.reshape(tl.join(one, other), [R]) * by * inverse
    finish(y, bias, residual, out, program, rows, R, GATED)
