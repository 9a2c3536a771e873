"""Products of 8-bit floats with others, two at a time in packed half floats: a third of the
instructions that 32 bits take, and those are what such kernels are short of. Knows no layer.

E4M3 numbers are exact in half floats; the others are scaled, sixteen by sixteen, so that eight
products never overflow. They keep 11 bits, more than bfloat16 has.
"""

from __future__ import annotations

import triton
import triton.language as tl

_TOP = tl.constexpr(16.0)  # · 448 · 8 products < 65504

_DOT = tl.constexpr("""{
.reg .b16 %l, %h;
.reg .b32 %a, %s;
.reg .f32 %f, %g;
mov.b32 {%l, %h}, $1;
cvt.rn.f16x2.e4m3x2 %a, %l;
mul.rn.f16x2 %s, %a, $5;
cvt.rn.f16x2.e4m3x2 %a, %h;
fma.rn.f16x2 %s, %a, $6, %s;
mov.b32 {%l, %h}, $2;
cvt.rn.f16x2.e4m3x2 %a, %l;
fma.rn.f16x2 %s, %a, $7, %s;
cvt.rn.f16x2.e4m3x2 %a, %h;
fma.rn.f16x2 %s, %a, $8, %s;
mov.b32 {%l, %h}, $3;
cvt.rn.f16x2.e4m3x2 %a, %l;
fma.rn.f16x2 %s, %a, $9, %s;
cvt.rn.f16x2.e4m3x2 %a, %h;
fma.rn.f16x2 %s, %a, $10, %s;
mov.b32 {%l, %h}, $4;
cvt.rn.f16x2.e4m3x2 %a, %l;
fma.rn.f16x2 %s, %a, $11, %s;
cvt.rn.f16x2.e4m3x2 %a, %h;
fma.rn.f16x2 %s, %a, $12, %s;
mov.b32 {%l, %h}, %s;
cvt.f32.f16 %f, %l;
cvt.f32.f16 %g, %h;
add.f32 $0, %f, %g;
}""")


@triton.jit
def packed(values, COUNT: tl.constexpr):
    """values [COUNT, 16] → their eight words of two half floats each, [COUNT] every one, and what
    a product with them has to be multiplied by, [COUNT]."""
    top = tl.max(tl.abs(values), 1)
    half = (values * tl.where(top > 0, _TOP / top, 0.0)[:, None]).to(tl.float16)
    half = half.to(tl.int16, bitcast=True)
    low, high = tl.split(tl.reshape(half, (COUNT, 8, 2)))
    word = (low.to(tl.int32) & 0xFFFF) | (high.to(tl.int32) << 16)
    even, odd = tl.split(tl.reshape(word, (COUNT, 2, 2, 2)))  # words 0 2 4 6, 1 3 5 7
    zero_four, two_six = tl.split(even)
    one_five, three_seven = tl.split(odd)
    a, e = tl.split(zero_four)
    c, g = tl.split(two_six)
    b, f = tl.split(one_five)
    d, h = tl.split(three_seven)
    return (a, b, c, d, e, f, g, h), top / _TOP


@triton.jit
def dots(weight, words, ROWS: tl.constexpr, COUNT: tl.constexpr, AXIS: tl.constexpr):
    """weight int32 [ROWS, COUNT, 4], four E4M3 numbers a word, with `packed` words [COUNT], or
    [ROWS] where AXIS is 1 → their products, sixteen by sixteen: float32 [ROWS, COUNT]."""
    even, odd = tl.split(tl.reshape(weight, (ROWS, COUNT, 2, 2)))
    i, k = tl.split(even)
    j, m = tl.split(odd)
    return tl.inline_asm_elementwise(
        _DOT,
        "=f,r,r,r,r,r,r,r,r,r,r,r,r",
        [
            i,
            j,
            k,
            m,
            tl.expand_dims(words[0], AXIS),
            tl.expand_dims(words[1], AXIS),
            tl.expand_dims(words[2], AXIS),
            tl.expand_dims(words[3], AXIS),
            tl.expand_dims(words[4], AXIS),
            tl.expand_dims(words[5], AXIS),
            tl.expand_dims(words[6], AXIS),
            tl.expand_dims(words[7], AXIS),
        ],
        dtype=tl.float32,
        is_pure=True,
        pack=1,
    )
