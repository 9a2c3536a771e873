"""Products of E4M3 weights and a vector, four weights an int32 word, in few instructions: helpers
of kernels, that know no layer.

Weights become float16, two at a time, by the hardware's own conversion, and x is float16 too,
scaled by a power of two. *Crossed*: the tensor cores multiply, and sum as float32; the other matrix
is x in every column. *Packed*: at most eight products are summed as float16, which the power of two
leaves room for, and then as float32; the error is a rounding of float16's.
"""

from __future__ import annotations

import triton
import triton.language as tl

_PACKED = tl.constexpr("""{
    .reg .b16 p, q; .reg .b32 a, b, s, t; .reg .f32 c, d, e, f;
    mov.b32 {p, q}, $4; cvt.rn.f16x2.e4m3x2 a, p; cvt.rn.f16x2.e4m3x2 b, q;
    mul.rn.f16x2 s, a, $8; mul.rn.f16x2 t, b, $12;
    mov.b32 {p, q}, $5; cvt.rn.f16x2.e4m3x2 a, p; cvt.rn.f16x2.e4m3x2 b, q;
    fma.rn.f16x2 s, a, $9, s; fma.rn.f16x2 t, b, $13, t;
    mov.b32 {p, q}, $6; cvt.rn.f16x2.e4m3x2 a, p; cvt.rn.f16x2.e4m3x2 b, q;
    fma.rn.f16x2 s, a, $10, s; fma.rn.f16x2 t, b, $14, t;
    mov.b32 {p, q}, $7; cvt.rn.f16x2.e4m3x2 a, p; cvt.rn.f16x2.e4m3x2 b, q;
    fma.rn.f16x2 s, a, $11, s; fma.rn.f16x2 t, b, $15, t;
    add.rn.f16x2 s, s, t; mov.b32 {p, q}, s;
    cvt.f32.f16 c, p; cvt.f32.f16 d, q; add.f32 c, c, $16; add.f32 d, d, $17;
    mov.f32 e, $18; mov.f32 f, $19;
    mov.f32 $0, c; mov.f32 $1, d; mov.f32 $2, e; mov.f32 $3, f;
}""")

_CROSSED = tl.constexpr("""{
    .reg .b16 p, q; .reg .b32 a, b, c, d; .reg .f32 e, f, g, h;
    mov.f32 e, $20; mov.f32 f, $21; mov.f32 g, $22; mov.f32 h, $23;
    mov.b32 {p, q}, $4; cvt.rn.f16x2.e4m3x2 a, p; mov.b32 {p, q}, $5; cvt.rn.f16x2.e4m3x2 c, p;
    mov.b32 {p, q}, $8; cvt.rn.f16x2.e4m3x2 b, p; mov.b32 {p, q}, $9; cvt.rn.f16x2.e4m3x2 d, p;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$12, $13}, {e, f, g, h};
    mov.b32 {p, q}, $4; cvt.rn.f16x2.e4m3x2 a, q; mov.b32 {p, q}, $5; cvt.rn.f16x2.e4m3x2 c, q;
    mov.b32 {p, q}, $8; cvt.rn.f16x2.e4m3x2 b, q; mov.b32 {p, q}, $9; cvt.rn.f16x2.e4m3x2 d, q;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$16, $17}, {e, f, g, h};
    mov.b32 {p, q}, $6; cvt.rn.f16x2.e4m3x2 a, p; mov.b32 {p, q}, $7; cvt.rn.f16x2.e4m3x2 c, p;
    mov.b32 {p, q}, $10; cvt.rn.f16x2.e4m3x2 b, p; mov.b32 {p, q}, $11; cvt.rn.f16x2.e4m3x2 d, p;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$14, $15}, {e, f, g, h};
    mov.b32 {p, q}, $6; cvt.rn.f16x2.e4m3x2 a, q; mov.b32 {p, q}, $7; cvt.rn.f16x2.e4m3x2 c, q;
    mov.b32 {p, q}, $10; cvt.rn.f16x2.e4m3x2 b, q; mov.b32 {p, q}, $11; cvt.rn.f16x2.e4m3x2 d, q;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$18, $19}, {e, f, g, h};
    mov.f32 $0, e; mov.f32 $1, f; mov.f32 $2, g; mov.f32 $3, h;
}""")


@triton.jit
def unit_of(peak):
    """The power of two that brings a largest |x| to 8 or more, below 16, and its inverse: eight
    products with 448, the largest weight, are below float16's 65,504."""
    exponent = tl.minimum(tl.maximum(peak.to(tl.int32, bitcast=True) >> 23, 16), 254)
    unit = ((257 - exponent) << 23).to(tl.float32, bitcast=True)
    return unit, ((exponent - 3) << 23).to(tl.float32, bitcast=True)


@triton.jit
def pairs(x):
    """x [4 W] float32 → the first and the second two that meet a word, as float16: int32 [W] each.

    Two are put together by a sum, which Triton doesn't do over again in each thread that needs it.
    """
    W: tl.constexpr = x.shape[0] // 4
    bits = x.to(tl.float16).to(tl.int16, bitcast=True).to(tl.int32) & 0xFFFF
    bits = bits << (tl.arange(0, 4 * W) % 2 * 16)
    return tl.split(tl.reshape(tl.sum(tl.reshape(bits, [2 * W, 2]), 1), [W, 2]))


@triton.jit
def loaded(x, K: tl.constexpr, BK: tl.constexpr):
    """All of x [K], float32, in parts of BK."""
    k = tl.arange(0, BK)
    parts = (tl.load(x + k, mask=k < K, other=0.0).to(tl.float32),)
    for start in tl.static_range(BK, K, BK):
        part = tl.load(x + start + k, mask=start + k < K, other=0.0).to(tl.float32)
        parts = parts + (part,)  # type: ignore[assignment]  # noqa: RUF005
    return parts


@triton.jit
def _joined(squares, peak, more_squares, more_peak):
    return squares + more_squares, tl.maximum(peak, more_peak)


@triton.jit
def _facts(parts, gains, eps, K: tl.constexpr, ASM: tl.constexpr):
    """What normalises x, 1 where there are no gains, and the largest |x| of what comes out."""
    if gains is None:
        peaks = tl.abs(parts[0])
        for part in tl.static_range(1, len(parts)):
            peaks = tl.maximum(peaks, tl.abs(parts[part]))
        scale, peak = 1.0, tl.max(peaks, 0)
    else:
        squares, peaks = parts[0] * parts[0], tl.abs(parts[0] * gains[0])
        for part in tl.static_range(1, len(parts)):
            squares += parts[part] * parts[part]
            peaks = tl.maximum(peaks, tl.abs(parts[part] * gains[part]))
        if ASM:  # at once: fewer barriers
            total, peak = tl.reduce((squares, peaks), 0, _joined)
        else:
            total, peak = tl.sum(squares, 0), tl.max(peaks, 0)
        scale = tl.rsqrt(total / K + eps)
        peak *= scale
    return scale, peak


@triton.jit
def _ready(x, part, gain, scale, unit):
    if gain is not None:
        part = (part * scale * gain).to(x.dtype.element_ty).to(tl.float32)
    return part * unit


@triton.jit
def halves(x, gains, eps, K: tl.constexpr, BK: tl.constexpr, ASM: tl.constexpr):
    """x [K] as `packed` takes it, in parts of BK: the pairs of each, low and high, and what a
    product with them is too small by. RMS-normalised where there are `gains`, which are the norm's
    weights, `loaded`; then rounded to the type of x."""
    parts = loaded(x, K, BK)
    scale, peak = _facts(parts, gains, eps, K, ASM)
    unit, inverse = unit_of(peak)
    gain = None if gains is None else gains[0]
    low, high = pairs(_ready(x, parts[0], gain, scale, unit))
    lows, highs = (low,), (high,)
    for part in tl.static_range(1, len(parts)):
        gain = None if gains is None else gains[part]
        low, high = pairs(_ready(x, parts[part], gain, scale, unit))
        lows, highs = lows + (low,), highs + (high,)  # type: ignore[assignment]  # noqa: RUF005
    return lows, highs, inverse


@triton.jit
def measured(x, norm, eps, K: tl.constexpr, BK: tl.constexpr, ASM: tl.constexpr):
    """The scale that normalises x [K], and the unit of `halves` and its inverse."""
    gains = None if norm is None else loaded(norm, K, BK)
    scale, peak = _facts(loaded(x, K, BK), gains, eps, K, ASM)
    unit, inverse = unit_of(peak)
    return scale, unit, inverse


@triton.jit
def normal_part(x, norm, scale, unit, start, K: tl.constexpr, BK: tl.constexpr):
    """BK elements of x, of which all is `measured`, times their unit, float32."""
    k = start + tl.arange(0, BK)
    part = tl.load(x + k, mask=k < K, other=0.0).to(tl.float32)
    gain = None if norm is None else tl.load(norm + k, mask=k < K, other=0.0).to(tl.float32)
    return _ready(x, part, gain, scale, unit)


@triton.jit
def packed(words, low, high, sums, ASM: tl.constexpr):
    """sums [R, W] float32, of which only the total of a row means something, and on top of them
    the products of words [R, W] and the pairs [W] of x; a thread has four words in a row."""
    low, high = (
        tl.broadcast_to(low[None, :], words.shape),
        tl.broadcast_to(high[None, :], words.shape),
    )
    if ASM:
        return tl.inline_asm_elementwise(
            _PACKED,
            "=f,=f,=f,=f,r,r,r,r,r,r,r,r,r,r,r,r,f,f,f,f",
            [words, low, high, sums],
            dtype=tl.float32,
            is_pure=True,
            pack=4,
        )
    return sums + _dot(words, low, high)


@triton.jit
def crossed(even, odd, low, high, sums, ASM: tl.constexpr):
    """sums [R, P, 16] float32, and on top of them the products of words [R, P, 16] of even and of
    odd rows and the pairs [P, 16] of x, by the tensor cores; `total` makes rows of them.

    A warp's threads must lie as the tensor cores want them: eight rows, four threads each with four
    words in a row, and 16 R P must be at least 128 a warp. Triton loads words so, 16 bytes a time.
    """
    low = tl.broadcast_to(low[None, :, :], even.shape)
    high = tl.broadcast_to(high[None, :, :], even.shape)
    if ASM:
        sums = tl.inline_asm_elementwise(
            _CROSSED,
            "=f,=f,=f,=f,r,r,r,r,r,r,r,r,r,r,r,r,r,r,r,r,f,f,f,f",
            [even, odd, low, high, sums],
            dtype=tl.float32,
            is_pure=True,
            pack=4,
        )
    else:
        sums += both(_dot(even, low, high), _dot(odd, low, high))
    return sums


@triton.jit
def total(sums, R: tl.constexpr):
    """[R] of the even rows and of the odd ones, of the sums [R, P, 16] of `crossed`, which has each
    in two of a thread's four numbers, and in four threads."""
    four = tl.reshape(tl.sum(sums, 1), [R, 4, 2, 2])
    even, odd = tl.split(tl.sum(tl.sum(four, 3), 1))
    return even / 8, odd / 8


@triton.jit
def both(even, odd):
    """The same where the tensor cores put it, for the interpreter."""
    R: tl.constexpr = even.shape[0]
    P: tl.constexpr = even.shape[1]
    sums = tl.sum(tl.reshape(tl.join(even, odd), [R, P, 16, 2]), 2)  # of all four threads
    sums = tl.broadcast_to(sums[:, :, None, :, None], [R, P, 4, 2, 2])
    return tl.reshape(sums, [R, P, 16])


@triton.jit
def _dot(words, low, high):
    y = _weight(words, 0) * _half(low) + _weight(words, 1) * _half(low >> 16)
    return y + _weight(words, 2) * _half(high) + _weight(words, 3) * _half(high >> 16)


@triton.jit
def _weight(words, BYTE: tl.constexpr):
    byte = ((words >> (8 * BYTE)) & 0xFF).to(tl.uint8)
    return byte.to(tl.float8e4nv, bitcast=True).to(tl.float32)


@triton.jit
def _half(word):
    return (word & 0xFFFF).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
