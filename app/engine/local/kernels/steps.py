"""The product of a matrix of 4-bit steps (`weights.int4.Packed`), with a scale for a multiple of
128 columns, and one vector, by the tensor cores; knows no layer.

A step's four bits below the exponent of a float16, with no conversion, are 1,024 + step, or 1,024 +
16 steps where they lie four bits higher; that x is divided by 16. What the steps are too large by,
times the sum of x, is taken off before it is scaled.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from app.engine.local.kernels.ends import early, finish, share
from app.engine.local.kernels.fp8 import row_of, segments
from app.engine.local.kernels.product import both, measured, normal_part, total

_STEPS = tl.constexpr("""{
    .reg .b32 a, b, c, d, i, j, k, l; .reg .f32 e, f, g, h;
    mov.f32 e, $28; mov.f32 f, $29; mov.f32 g, $30; mov.f32 h, $31;
    lop3.b32 a, $4, 0x000F000F, 0x64006400, 0xEA; lop3.b32 b, $8, 0x000F000F, 0x64006400, 0xEA;
    lop3.b32 c, $5, 0x000F000F, 0x64006400, 0xEA; lop3.b32 d, $9, 0x000F000F, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$12, $13}, {e, f, g, h};
    lop3.b32 a, $4, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 b, $8, 0x00F000F0, 0x64006400, 0xEA;
    lop3.b32 c, $5, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 d, $9, 0x00F000F0, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$16, $17}, {e, f, g, h};
    shr.u32 i, $4, 8; shr.u32 j, $8, 8; shr.u32 k, $5, 8; shr.u32 l, $9, 8;
    lop3.b32 a, i, 0x000F000F, 0x64006400, 0xEA; lop3.b32 b, j, 0x000F000F, 0x64006400, 0xEA;
    lop3.b32 c, k, 0x000F000F, 0x64006400, 0xEA; lop3.b32 d, l, 0x000F000F, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$20, $21}, {e, f, g, h};
    lop3.b32 a, i, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 b, j, 0x00F000F0, 0x64006400, 0xEA;
    lop3.b32 c, k, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 d, l, 0x00F000F0, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$24, $25}, {e, f, g, h};
    lop3.b32 a, $6, 0x000F000F, 0x64006400, 0xEA; lop3.b32 b, $10, 0x000F000F, 0x64006400, 0xEA;
    lop3.b32 c, $7, 0x000F000F, 0x64006400, 0xEA; lop3.b32 d, $11, 0x000F000F, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$14, $15}, {e, f, g, h};
    lop3.b32 a, $6, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 b, $10, 0x00F000F0, 0x64006400, 0xEA;
    lop3.b32 c, $7, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 d, $11, 0x00F000F0, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$18, $19}, {e, f, g, h};
    shr.u32 i, $6, 8; shr.u32 j, $10, 8; shr.u32 k, $7, 8; shr.u32 l, $11, 8;
    lop3.b32 a, i, 0x000F000F, 0x64006400, 0xEA; lop3.b32 b, j, 0x000F000F, 0x64006400, 0xEA;
    lop3.b32 c, k, 0x000F000F, 0x64006400, 0xEA; lop3.b32 d, l, 0x000F000F, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$22, $23}, {e, f, g, h};
    lop3.b32 a, i, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 b, j, 0x00F000F0, 0x64006400, 0xEA;
    lop3.b32 c, k, 0x00F000F0, 0x64006400, 0xEA; lop3.b32 d, l, 0x00F000F0, 0x64006400, 0xEA;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    {e, f, g, h}, {a, b, c, d}, {$26, $27}, {e, f, g, h};
    mov.f32 $0, e; mov.f32 $1, f; mov.f32 $2, g; mov.f32 $3, h;
}""")


@triton.jit
def _quarters(numbers, W: tl.constexpr):
    """x [8 W] float16 → what the four pairs of a word's steps (0 and 4, 1 and 5 …) meet: int32 [W]
    each."""
    bits = numbers.to(tl.int16, bitcast=True).to(tl.int32) & 0xFFFF
    bits = bits << (tl.arange(0, 8 * W) // 4 % 2 * 16)
    four = tl.reshape(tl.sum(tl.reshape(bits, [W, 2, 4]), 1), [W, 2, 2])
    even, odd = tl.split(four)
    first, third = tl.split(even)
    second, fourth = tl.split(odd)
    return first, second, third, fourth


@triton.jit
def _ready(part, P: tl.constexpr, BY: tl.constexpr):
    """x [128 P], scaled for float16 → its quarters, and by segment of 128 the surplus of the
    products, with steps that are BY too large, and the sum."""
    odd = tl.arange(0, 128 * P) % 2 == 1
    numbers = tl.where(odd, part / 16, part).to(tl.float16)
    exact = numbers.to(tl.float32)
    surplus = tl.reshape(tl.where(odd, exact * (1024 + 16 * BY), exact * (1024 + BY)), [P, 128])
    whole = tl.reshape(tl.where(odd, exact * 16, exact), [P, 128])
    return _quarters(numbers, 16 * P), tl.sum(surplus, 1), tl.sum(whole, 1)


@triton.jit
def _products(even, odd, x, sums, ASM: tl.constexpr):
    """sums [R, P, 16], as `product.crossed` has them, and on top the products of words and x."""
    P: tl.constexpr = even.shape[1]
    x0 = tl.broadcast_to(tl.reshape(x[0], [P, 16])[None, :, :], even.shape)
    x1 = tl.broadcast_to(tl.reshape(x[1], [P, 16])[None, :, :], even.shape)
    x2 = tl.broadcast_to(tl.reshape(x[2], [P, 16])[None, :, :], even.shape)
    x3 = tl.broadcast_to(tl.reshape(x[3], [P, 16])[None, :, :], even.shape)
    if ASM:
        sums = tl.inline_asm_elementwise(
            _STEPS,
            "=f,=f,=f,=f," + "r," * 24 + "f,f,f,f",
            [even, odd, x0, x1, x2, x3, sums],
            dtype=tl.float32,
            is_pure=True,
            pack=4,
        )
    else:
        sums += both(_dot(even, x0, x1, x2, x3), _dot(odd, x0, x1, x2, x3))
    return sums


@triton.jit
def _dot(words, x0, x1, x2, x3):
    y = _two(words, x0, 1) + _two(words >> 4, x1, 16)
    return y + _two(words >> 8, x2, 1) + _two(words >> 12, x3, 16)


@triton.jit
def _two(words, x, BY: tl.constexpr):
    low = (x & 0xFFFF).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    high = ((x >> 16) & 0xFFFF).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    return low * (1024 + BY * (words & 15)) + high * (1024 + BY * ((words >> 16) & 15))


@triton.jit
def _by_group(facts, row, segment, rows, K: tl.constexpr, GROUP: tl.constexpr):
    """What lies at the groups of segments of 128: [R, P] float32."""
    groups: tl.constexpr = (K + GROUP - 1) // GROUP
    at = facts + row[:, None] * groups + (segment * 128 // GROUP)[None, :]
    inside = (row < rows)[:, None] & (segment * 128 < K)[None, :]
    return tl.load(at, mask=inside, other=0).to(tl.float32)


@triton.jit
def _spread(even, odd, R: tl.constexpr, P: tl.constexpr):
    """[R, P] of even rows and of odd ones, where `product.crossed` has their sums: [R, P, 16]."""
    at_odd = tl.arange(0, 16)[None, None, :] // 2 % 2 == 1
    even = tl.broadcast_to(even[:, :, None], [R, P, 16])
    return tl.where(at_odd, tl.broadcast_to(odd[:, :, None], [R, P, 16]), even)


@triton.jit
def along(
    packed, scale, zero, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, GROUP: tl.constexpr, R: tl.constexpr, BK: tl.constexpr,
    STAGES: tl.constexpr, LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr,
    PDL: tl.constexpr, ASM: tl.constexpr,
):  # fmt: skip
    """out [rows] of packed [rows, K / 8] and x [K], a tile of R rows a program, BK columns a
    time."""
    WORDS: tl.constexpr = K // 8
    W: tl.constexpr = BK // 8
    P: tl.constexpr = W // 16
    H: tl.constexpr = R // 2
    program = tl.program_id(0)
    first, second = row_of(program, rows, 0, R, GATED), row_of(program, rows, 1, R, GATED)
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    even = segments(packed, first, 0, rows, WORDS, W, W > WORDS)
    odd = segments(packed, second, 0, rows, WORDS, W, W > WORDS)
    if PDL:
        early(packed, program, program + 1, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    normal, unit, inverse = measured(x, norm, eps, K, BK, ASM)
    sums = tl.zeros([H, P, 16], tl.float32)
    for start in tl.range(0, WORDS, W, num_stages=STAGES):
        segment = start // 16 + tl.arange(0, P)
        even_ahead = segments(packed, first, start + W, rows, WORDS, W, True)
        odd_ahead = segments(packed, second, start + W, rows, WORDS, W, True)
        one = _by_group(scale, first, segment, rows, K, GROUP)
        other = _by_group(scale, second, segment, rows, K, GROUP)
        part = normal_part(x, norm, normal, unit, 8 * start, K, BK)
        numbers, surplus, whole = _ready(part, P, 8 if zero is None else 0)
        less = tl.broadcast_to(-surplus[None, :, None], [H, P, 16])
        y = _products(even, odd, numbers, less, ASM)
        if zero is not None:
            low = _by_group(zero, first, segment, rows, K, GROUP) * whole[None, :]
            high = _by_group(zero, second, segment, rows, K, GROUP) * whole[None, :]
            y -= _spread(low, high, H, P)
        sums += y * _spread(one, other, H, P)
        even, odd = even_ahead, odd_ahead
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
    low, high = total(sums, H)
    finish(
        tl.reshape(tl.join(low, high), [R]) * inverse, bias, residual, out, program, rows, R, GATED
    )


@triton.jit
def whole(
    packed, scale, zero, bias, x, norm, eps, residual, out, rows,
    K: tl.constexpr, GROUP: tl.constexpr, R: tl.constexpr, BK: tl.constexpr,
    STAGES: tl.constexpr, LINES: tl.constexpr, RELEASE: tl.constexpr, GATED: tl.constexpr,
    PDL: tl.constexpr, ASM: tl.constexpr,
):  # fmt: skip
    """The same with all of x in registers, BK of K columns or more, to be multiplied with all tiles
    of a program: every one has as many, or one less."""
    WORDS: tl.constexpr = K // 8
    W: tl.constexpr = BK // 8
    P: tl.constexpr = W // 16
    H: tl.constexpr = R // 2
    first, last = share(tl.cdiv(rows, R))
    if PDL and RELEASE == 0:
        gdc_launch_dependents()
    segment = tl.arange(0, P)
    one = _by_group(scale, row_of(first, rows, 0, R, GATED), segment, rows, K, GROUP)
    other = _by_group(scale, row_of(first, rows, 1, R, GATED), segment, rows, K, GROUP)
    if PDL:
        early(packed, first, last, rows, WORDS, R, LINES, GATED)
        gdc_wait()
    normal, unit, inverse = measured(x, norm, eps, K, BK, ASM)
    part = normal_part(x, norm, normal, unit, 0, K, BK)
    numbers, surplus, total_x = _ready(part, P, 8 if zero is None else 0)
    less = tl.broadcast_to(-surplus[None, :, None], [H, P, 16])
    for tile in tl.range(first, last, num_stages=STAGES):
        upper, lower = row_of(tile, rows, 0, R, GATED), row_of(tile, rows, 1, R, GATED)
        even = segments(packed, upper, 0, rows, WORDS, W, W > WORDS)
        odd = segments(packed, lower, 0, rows, WORDS, W, W > WORDS)
        following = tl.minimum(tile + 1, last - 1)
        upper_ahead = row_of(following, rows, 0, R, GATED)
        lower_ahead = row_of(following, rows, 1, R, GATED)
        one_ahead = _by_group(scale, upper_ahead, segment, rows, K, GROUP)
        other_ahead = _by_group(scale, lower_ahead, segment, rows, K, GROUP)
        y = _products(even, odd, numbers, less, ASM)
        if zero is not None:
            low = _by_group(zero, upper, segment, rows, K, GROUP) * total_x[None, :]
            high = _by_group(zero, lower, segment, rows, K, GROUP) * total_x[None, :]
            y -= _spread(low, high, H, P)
        low, high = total(y * _spread(one, other, H, P), H)
        y = tl.reshape(tl.join(low, high), [R]) * inverse
        finish(y, bias, residual, out, tile, rows, R, GATED)
        one, other = one_ahead, other_ahead
    if PDL and RELEASE == 1:
        gdc_launch_dependents()
