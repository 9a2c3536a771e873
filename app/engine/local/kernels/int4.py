"""The product of a matrix of 4-bit steps, as `weights.int4.Packed` keeps them, and one vector;
knows no layer.

A step's four bits, put below the exponent of a float32 with no conversion, are that step on top of
a power of two: 128 + step in bits 16 to 19, 2,048 + step in bits 12 to 15. So one shift serves two
steps; what they are too large by, times the sum of x, is taken off once for four words.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.ends import (
    early,
    finish,
    normal,
    rows_of,
    scale_of,
    share,
    some,
)


@triton.jit
def _eighths(x, W: tl.constexpr):
    """x [8 W] as eight vectors [W]: the elements that the steps of a word meet, lowest first."""
    even, odd = tl.split(tl.reshape(x, [W, 4, 2]))
    even, odd = tl.reshape(even, [W, 2, 2]), tl.reshape(odd, [W, 2, 2])
    x04, x26 = tl.split(even)
    x15, x37 = tl.split(odd)
    x0, x4 = tl.split(x04)
    x2, x6 = tl.split(x26)
    x1, x5 = tl.split(x15)
    x3, x7 = tl.split(x37)
    return x0, x1, x2, x3, x4, x5, x6, x7


@triton.jit
def _high(word, ASM: tl.constexpr):
    """128 + step"""
    return _within(word, 0x000F0000, 0x43000000, ASM)


@triton.jit
def _low(word, ASM: tl.constexpr):
    """2,048 + step"""
    return _within(word, 0x0000F000, 0x45000000, ASM)


@triton.jit
def _within(word, MASK: tl.constexpr, POWER: tl.constexpr, ASM: tl.constexpr):
    """The bits of a word below those of a power of two: one instruction, that the compiler makes
    two of when it isn't told."""
    if ASM:
        bits = tl.inline_asm_elementwise(
            "lop3.b32 $0, $1, $2, $3, 0xEA;",
            "=r,r,r,r",
            [word, tl.full(word.shape, MASK, tl.int32), tl.full(word.shape, POWER, tl.int32)],
            dtype=tl.int32,
            is_pure=True,
            pack=1,
        )
    else:
        bits = (word & MASK) | POWER
    return bits.to(tl.float32, bitcast=True)


@triton.jit
def _products(words, x, R: tl.constexpr, W: tl.constexpr, S: tl.constexpr, ASM: tl.constexpr):
    """[R, W / S] sums over S words each of (step + 128 or 2,048) · x."""
    y = _low(words << 12, ASM) * x[0][None, :]
    y += _high(words << 12, ASM) * x[1][None, :]
    y += _low(words << 4, ASM) * x[2][None, :]
    y += _high(words << 4, ASM) * x[3][None, :]
    y += _low(words >> 4, ASM) * x[4][None, :]
    y += _high(words >> 4, ASM) * x[5][None, :]
    y += _low(words >> 12, ASM) * x[6][None, :]
    y += _high(words >> 12, ASM) * x[7][None, :]
    return tl.sum(tl.reshape(y, [R, W // S, S]), 2)


@triton.jit
def _sums(x, W: tl.constexpr, S: tl.constexpr):
    """[W / S] of x summed over S words, and the same as the products have it too much."""
    low = tl.sum(tl.reshape(x[0] + x[2] + x[4] + x[6], [W // S, S]), 1)
    high = tl.sum(tl.reshape(x[1] + x[3] + x[5] + x[7], [W // S, S]), 1)
    return low + high, low * 2048 + high * 128


@triton.jit
def _words(packed, row, word, rows, WORDS: tl.constexpr):
    """Words [R, W]."""
    at = packed + row.to(tl.int64)[:, None] * WORDS + word[None, :]
    return tl.load(at, mask=(row < rows)[:, None] & (word < WORDS)[None, :], other=0)


@triton.jit
def _scales(scale, row, run, rows, K: tl.constexpr, GROUP: tl.constexpr, S: tl.constexpr):
    """What lies at the groups of the runs of S words each: [R, runs]."""
    groups: tl.constexpr = (K + GROUP - 1) // GROUP
    at = scale + row[:, None] * groups + (run * (8 * S) // GROUP)[None, :]
    return tl.load(at, mask=(row < rows)[:, None] & (run * (8 * S) < K)[None, :], other=0)


@triton.jit
def _scaled(
    words, scales, zeros, x,
    R: tl.constexpr, W: tl.constexpr, S: tl.constexpr, ASM: tl.constexpr,
):  # fmt: skip
    """[R, W / S] of the products of a tile's words and x, each S words with their scale."""
    x_sum, surplus = _sums(x, W, S)
    y = _products(words, x, R, W, S, ASM) - surplus[None, :]
    if zeros is None:
        y -= x_sum[None, :] * 8
    else:
        y -= x_sum[None, :] * zeros.to(tl.float32)
    return y * scales.to(tl.float32)


@triton.jit
def whole(
    packed, scale, zero, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, GROUP: tl.constexpr, R: tl.constexpr, BK: tl.constexpr,
    LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr, PDL: tl.constexpr,
    ASM: tl.constexpr,
):  # fmt: skip
    """out [rows] of packed [rows, K / 8] and x [K]; K <= BK. Every program has as many tiles, or
    one less; the next one's words are on their way while it works on this one."""
    first, last = share(tl.cdiv(rows, R))
    W: tl.constexpr = BK // 8
    WORDS: tl.constexpr = (K + 7) // 8
    S: tl.constexpr = 4 if GROUP % 32 == 0 else (2 if GROUP % 16 == 0 else 1)
    word, run = tl.arange(0, W), tl.arange(0, W // S)
    row = rows_of(first, rows, R, GATED)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    words = _words(packed, row, word, rows, WORDS)
    scales = _scales(scale, row, run, rows, K, GROUP, S)
    zeros = None if zero is None else _scales(zero, row, run, rows, K, GROUP, S)
    if PDL:
        early(packed, first, last, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    numbers = _eighths(normal(x, norm, eps, K, BK)[0], W)
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    for tile in tl.range(first, last):
        row = tl.where(tile + 1 < last, rows_of(tile + 1, rows, R, GATED), rows)
        words_ahead = _words(packed, row, word, rows, WORDS)
        scales_ahead = _scales(scale, row, run, rows, K, GROUP, S)
        y = tl.sum(_scaled(words, scales, zeros, numbers, R, W, S, ASM), 1)
        if zero is not None:
            zeros = _scales(zero, row, run, rows, K, GROUP, S)
        finish(y, bias, residual, out, tile, rows, R, GATED)
        words, scales = words_ahead, scales_ahead


@triton.jit
def chunked(
    packed, scale, zero, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, GROUP: tl.constexpr, R: tl.constexpr, BK: tl.constexpr,
    LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr, PDL: tl.constexpr,
    ASM: tl.constexpr,
):  # fmt: skip
    """The same, a tile of R rows a program, BK columns a time."""
    program = tl.program_id(0)
    W: tl.constexpr = BK // 8
    WORDS: tl.constexpr = (K + 7) // 8
    S: tl.constexpr = 4 if GROUP % 32 == 0 else (2 if GROUP % 16 == 0 else 1)
    word, run = tl.arange(0, W), tl.arange(0, W // S)
    row = rows_of(program, rows, R, GATED)
    sums = tl.zeros([R, W // S], tl.float32)
    by = 1.0
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    words = _words(packed, row, word, rows, WORDS)
    scales = _scales(scale, row, run, rows, K, GROUP, S)
    zeros = None if zero is None else _scales(zero, row, run, rows, K, GROUP, S)
    if PDL:
        early(packed, program, program + 1, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    if norm is not None:
        by = scale_of(x, eps, K)
    for start in tl.range(0, K, BK):
        word_ahead, run_ahead = word + (start + BK) // 8, run + (start + BK) // (8 * S)
        words_ahead = _words(packed, row, word_ahead, rows, WORDS)
        scales_ahead = _scales(scale, row, run_ahead, rows, K, GROUP, S)
        numbers = _eighths(some(x, norm, by, start + tl.arange(0, BK), K), W)
        sums += _scaled(words, scales, zeros, numbers, R, W, S, ASM)
        if zero is not None:
            zeros = _scales(zero, row, run_ahead, rows, K, GROUP, S)
        words, scales = words_ahead, scales_ahead
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    finish(tl.sum(sums, 1), bias, residual, out, program, rows, R, GATED)
