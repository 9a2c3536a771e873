"""The kernels of attention for one new token: a part of the mix from each share of the tokens, and
all parts put together. What the arguments mean is told in kernels/attention.py."""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait


@triton.jit
def _share(length, SPLITS: tl.constexpr, BLOCK: tl.constexpr):
    """Tokens a share, in whole blocks."""
    return tl.cdiv(tl.cdiv(tl.maximum(length, 1), SPLITS), BLOCK) * BLOCK


@triton.jit
def _ask(start, stop, LINES: tl.constexpr):
    """Asks for the lines of 128 bytes from one address to another into the second cache."""
    at = tl.minimum(start + tl.arange(0, LINES).to(tl.int64) * 128, stop - 1)
    tl.inline_asm_elementwise(
        "prefetch.global.L2 [$1]; mov.u32 $0, 0;", "=r,l", [at], tl.int32, is_pure=False, pack=1
    )


@triton.jit
def _angles(position, speed, sign, EXACT: tl.constexpr):
    """Cosines and signed sines. The GPU's own unit is for small angles: what is left of whole
    turns, taken away in two steps, is as exact as 32 bits are."""
    angle = position.to(tl.float32) * speed
    if EXACT:
        return tl.cos(angle), tl.sin(angle) * sign
    turns = -tl.floor(angle * 0.15915494309189535 + 0.5)
    angle = tl.fma(turns, -1.7484556e-7, tl.fma(turns, 6.2831854820251465, angle))
    cosine = tl.inline_asm_elementwise(
        "cos.approx.f32 $0, $1;", "=f,f", [angle], tl.float32, is_pure=True, pack=1
    )
    sine = tl.inline_asm_elementwise(
        "sin.approx.f32 $0, $1;", "=f,f", [angle], tl.float32, is_pure=True, pack=1
    )
    return cosine, sine * sign


@triton.jit
def _crossed(at, EXACT: tl.constexpr):
    """Numbers that lie in any order. The compiler's own load would first shuffle the addresses
    among the threads, to no purpose."""
    if EXACT or at.dtype.element_ty.primitive_bitwidth != 32:
        numbers = tl.load(at, cache_modifier=".cg").to(tl.float32)
    else:
        numbers = tl.inline_asm_elementwise(
            "ld.global.cg.f32 $0, [$1];", "=f,l", [at.to(tl.int64)], tl.float32,
            is_pure=False, pack=1,
        )  # fmt: skip
    return numbers


@triton.jit
def _turned(
    heads, norm, eps, row, most, speeds, signs, swaps, position,
    D: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr,
    NORMED: tl.constexpr, EXACT: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Heads `row` [ROWS] of `most`, normed and turned, [ROWS, WIDE], in 32 bits; waits for them.
    Read past the first cache: what lies there may be of the layer before."""
    column = tl.arange(0, WIDE)[None, :] + tl.zeros([ROWS, 1], tl.int32)
    if WIDE > D:
        column = tl.minimum(column, D - 1)
    swap = tl.load(swaps + column)
    cosine, sine = _angles(position, tl.load(speeds + column), tl.load(signs + column), EXACT)
    at = heads + tl.minimum(row, most - 1)[:, None] * D
    if PDL:
        gdc_wait()
    straight = tl.load(at + column, cache_modifier=".cg").to(tl.float32)
    crossed = _crossed(at + swap, EXACT)
    if NORMED:
        inside = tl.arange(0, WIDE)[None, :] < D
        squares = tl.where(inside, straight * straight, 0.0)
        scale = tl.rsqrt(tl.sum(squares, 1) / D + eps)[:, None]
        straight *= scale * tl.load(norm + column).to(tl.float32)
        crossed *= scale * tl.load(norm + swap).to(tl.float32)
    turned = straight * cosine + crossed * sine
    if WIDE > D:
        turned = tl.where(tl.arange(0, WIDE)[None, :] < D, turned, 0.0)
    return turned


@triton.jit
def _tile(base, token, column, D: tl.constexpr, WIDE: tl.constexpr):
    """Keys or values [WARPS, B, WIDE] of a head, all of them there."""
    at = base + token.to(tl.int64)[:, :, None] * D + column[None, None, :]
    if WIDE == D:
        return tl.load(at)
    return tl.load(at, mask=(column < D)[None, None, :], other=0.0)


@triton.jit
def _end(base, token, length, column, D: tl.constexpr):
    """The same up to the first that isn't there."""
    at = base + token.to(tl.int64)[:, :, None] * D + column[None, None, :]
    return tl.load(at, mask=(token < length)[:, :, None] & (column < D)[None, None, :], other=0.0)


@triton.jit
def _mix(
    query, keys, values, inside, scale, most, total, mixed,
    MASKED: tl.constexpr, EXACT: tl.constexpr,
):  # fmt: skip
    """One block more of a softmax that goes along the tokens (arXiv:1805.02867). Each warp has
    tokens of its own [WARPS, B] and waits for no other."""
    if EXACT:  # the interpreter's product of halves is wrong
        keys, values = keys.to(tl.float32), values.to(tl.float32)
    scores = tl.dot(query, tl.trans(keys, (0, 2, 1)), input_precision="ieee") * scale
    if MASKED:
        scores = tl.where(inside[:, None, :], scores, float("-inf"))
    now = tl.maximum(most, tl.max(scores, 2))  # [WARPS, ROWS]
    some = tl.where(now == float("-inf"), 0.0, now) if MASKED else now
    powers = tl.exp2(scores - some[:, :, None])
    kept = tl.exp2(most - some)
    total = total * kept + tl.sum(powers, 2)
    mixed *= kept[:, :, None]
    return now, total, tl.dot(powers.to(values.dtype), values, mixed, input_precision="ieee")


@triton.jit
def _gathered(mixed, WARPS: tl.constexpr, ROWS: tl.constexpr, WIDE: tl.constexpr):
    """The sum of [WARPS, ROWS, WIDE] over the warps, a half at a time: a plain sum would go
    through shuffles, number by number."""
    if WARPS > 1:
        halves = tl.reshape(mixed, [2, WARPS // 2, ROWS, WIDE])
        one, other = tl.split(tl.permute(halves, (1, 2, 3, 0)))
        mixed = one + other
    if WARPS > 2:
        halves = tl.reshape(mixed, [2, WARPS // 4, ROWS, WIDE])
        one, other = tl.split(tl.permute(halves, (1, 2, 3, 0)))
        mixed = one + other
    return tl.sum(mixed, 0)


@triton.jit
def _new(
    query, key, value, keys, values, length, scale, parts, sums, part, row,
    G: tl.constexpr, D: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Keeps a new token's key and value [1, WIDE]; its part is its value."""
    column = tl.arange(0, WIDE)[None, :]
    key, value = key.to(keys.dtype.element_ty), value.to(keys.dtype.element_ty)
    newest = length.to(tl.int64) * D + column
    tl.store(keys + newest, key, mask=column < D)
    tl.store(values + newest, value, mask=column < D)
    score = tl.sum(query.to(tl.float32) * key.to(tl.float32), 1) * scale
    inside = (row < G)[:, None] & (column < D)
    tl.store(parts + part[:, None] * D + column, value.to(tl.float32), mask=inside)
    tl.store(sums + part * 2, score, mask=row < G)
    tl.store(sums + part * 2 + 1, 1.0, mask=row < G)


@triton.jit
def _old(
    query, keys, values, last_keys, last_values, first, last, stop, scale, parts, sums, part, row,
    G: tl.constexpr, D: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr,
    WARPS: tl.constexpr, B: tl.constexpr, STAGES: tl.constexpr,
    EXACT: tl.constexpr, LATE: tl.constexpr,
):  # fmt: skip
    """The part of the tokens from `first` to `stop`, whose last block has been loaded."""
    column = tl.arange(0, WIDE)
    step = tl.arange(0, WARPS)[:, None] * B + tl.arange(0, B)[None, :]  # [WARPS, B]
    if EXACT:
        query = query.to(tl.float32)
    each = tl.broadcast_to(query[None, :, :], [WARPS, ROWS, WIDE])
    most = tl.full([WARPS, ROWS], float("-inf"), tl.float32)
    total = tl.zeros([WARPS, ROWS], tl.float32)
    mixed = tl.zeros([WARPS, ROWS, WIDE], tl.float32)
    most, total, mixed = _mix(
        each, last_keys, last_values, last + step < stop, scale, most, total, mixed, True, EXACT
    )
    for at in tl.range(first, last, WARPS * B, num_stages=STAGES):
        some_keys = _tile(keys, at + step, column, D, WIDE)
        some_values = _tile(values, at + step, column, D, WIDE)
        most, total, mixed = _mix(
            each, some_keys, some_values, step, scale, most, total, mixed, False, EXACT
        )
    if LATE:
        gdc_launch_dependents()
    top = tl.max(most, 0)
    by = tl.exp2(most - top[None, :])
    whole = _gathered(mixed * by[:, :, None], WARPS, ROWS, WIDE)
    inside = (row < G)[:, None] & (column < D)[None, :]
    tl.store(parts + part[:, None] * D + column[None, :], whole, mask=inside)
    tl.store(sums + part * 2, top, mask=row < G)
    tl.store(sums + part * 2 + 1, tl.sum(total * by, 0), mask=row < G)


@triton.jit
def attended(
    qkv, table, layer, place, speeds, signs, swaps, query_norm, key_norm, eps, scale, kinds,
    parts, sums,
    N: tl.constexpr, K: tl.constexpr, D: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr,
    SPLITS: tl.constexpr, WARPS: tl.constexpr, B: tl.constexpr, STAGES: tl.constexpr,
    AHEAD: tl.constexpr, LATE: tl.constexpr, NORMED: tl.constexpr, EXACT: tl.constexpr,
    PDL: tl.constexpr,
):  # fmt: skip
    """Of key head `program % K`: the new token's part, and for each of SPLITS shares of the older
    tokens theirs, of the mix of N / K query heads. The last block of a share, often its only one,
    is on its way before the queries are known."""
    split, head = tl.program_id(0) // K - 1, tl.program_id(0) % K  # -1: the new token
    G: tl.constexpr = N // K
    BLOCK: tl.constexpr = WARPS * B
    KIND: tl.constexpr = kinds.dtype.element_ty
    # places, addresses and older tokens are as the last step left them: nothing to wait for
    length, position, room = tl.load(place).to(tl.int32), tl.load(place + 1), tl.load(place + 2)
    keys = tl.load(table + layer * 2).to(tl.pointer_type(KIND))
    values = tl.load(table + layer * 2 + 1).to(tl.pointer_type(KIND))
    share = _share(length, SPLITS, BLOCK)
    first = tl.maximum(split, 0) * share
    if (first >= length) & (split >= 0):
        return
    stop = tl.where(split < 0, 0, tl.minimum(first + share, length))
    last = first + tl.maximum(stop - 1 - first, 0) // BLOCK * BLOCK  # where the last block starts
    start = head * room * D
    keys, values = tl.multiple_of(keys, 16) + start, tl.multiple_of(values, 16) + start
    column, row = tl.arange(0, WIDE), tl.arange(0, ROWS)
    step = tl.arange(0, WARPS)[:, None] * B + tl.arange(0, B)[None, :]  # [WARPS, B]
    last_keys = _end(keys, last + step, stop, column, D)
    last_values = _end(values, last + step, stop, column, D)
    if PDL and AHEAD > 0:
        size: tl.constexpr = D * (KIND.primitive_bitwidth // 8)
        lines: tl.constexpr = AHEAD * BLOCK * WIDE * (KIND.primitive_bitwidth // 8) // 128
        if first < last:
            begin, end = first.to(tl.int64) * size, last.to(tl.int64) * size
            _ask(keys.to(tl.int64) + begin, keys.to(tl.int64) + end, lines)
            _ask(values.to(tl.int64) + begin, values.to(tl.int64) + end, lines)
    query = _turned(
        qkv + head * G * D, query_norm, eps, row, G, speeds, signs, swaps, position,
        D, WIDE, ROWS, NORMED, EXACT, PDL,
    ).to(KIND)  # fmt: skip
    if PDL and not LATE:
        gdc_launch_dependents()  # behind the wait: what comes after the next would take its places
    part = (head * G + row) * (SPLITS + 1) + split + 1
    if split < 0:
        at = qkv + (N + head) * D
        key = _turned(
            at, key_norm, eps, tl.arange(0, 1), 1, speeds, signs, swaps, position,
            D, WIDE, 1, NORMED, EXACT, False,
        )  # fmt: skip
        value = tl.load(
            at + K * D + column[None, :], mask=column[None, :] < D, other=0.0, cache_modifier=".cg"
        )
        _new(query, key, value, keys, values, length, scale, parts, sums, part, row, G, D, WIDE)
    else:
        _old(
            query, keys, values, last_keys, last_values, first, last, stop, scale, parts, sums,
            part, row, G, D, WIDE, ROWS, WARPS, B, STAGES, EXACT, PDL and LATE,
        )  # fmt: skip


@triton.jit
def joined(
    parts, sums, place, out,
    D: tl.constexpr, SPLITS: tl.constexpr, SPAN: tl.constexpr, BLOCK: tl.constexpr,
    COLUMNS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """out [N · D]: some columns of one head, from all parts."""
    head = tl.program_id(0)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    length = tl.load(place).to(tl.int32)
    used = tl.cdiv(length, _share(length, SPLITS, BLOCK)) + 1  # and the new token's
    split = tl.arange(0, SPAN)
    if PDL:
        gdc_wait()
        gdc_launch_dependents()
    at = head * (SPLITS + 1) + split
    here = (split < used)[:, None] & (column < D)[None, :]
    mixed = tl.load(
        parts + at[:, None] * D + column[None, :], mask=here, other=0.0, cache_modifier=".cg"
    )
    most = tl.load(sums + at * 2, mask=split < used, other=float("-inf"), cache_modifier=".cg")
    total = tl.load(sums + at * 2 + 1, mask=split < used, other=0.0, cache_modifier=".cg")
    by = tl.exp2(most - tl.max(most, 0))
    whole = tl.sum(mixed * by[:, None], 0) / tl.sum(total * by, 0)
    tl.store(out + head * D + column, whole.to(out.dtype.element_ty), mask=column < D)
