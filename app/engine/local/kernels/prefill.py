"""What stands between the products when many tokens or patches are read at once: rotations, gates,
sums with their norms, and what 8-bit weights take. One pass over memory each; knows no layer."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch.nn import functional

from app.engine.local.kernels.launch import blocks

_WIDE = 1024  # numbers of a row that a program takes
_FLAT = 8192  # numbers of a matrix that a program takes
_HEADS = 8  # heads that a program turns


# --- the gate ---------------------------------------------------------------------------------


def silu_product(both: torch.Tensor) -> torch.Tensor:
    """[..., 2I], the gate beside what it lets through, → silu(gate) · up, [..., I] (SwiGLU,
    arXiv:2002.05202)."""
    rows = both.contiguous().view(-1, both.shape[-1])
    width = rows.shape[1] // 2
    out = rows.new_empty((len(rows), width))
    block = min(triton.next_power_of_2(width), _WIDE)
    if out.numel():
        _silu_product[(len(rows), blocks(width, block))](rows, out, width, BLOCK=block)
    return out.view(*both.shape[:-1], width)


def silu_product_reference(both: torch.Tensor) -> torch.Tensor:
    gate, up = both.chunk(2, -1)
    return functional.silu(gate) * up


@triton.jit
def _silu_product(both, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    gate = tl.load(both + row * 2 * width + column, inside).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + column, inside)
    silu = (gate / (1.0 + tl.exp(-gate))).to(up.dtype).to(tl.float32)  # rounded as by torch
    tl.store(out + row * width + column, silu * up.to(tl.float32), inside)


# --- a sum and its norm -----------------------------------------------------------------------


def add_norm(
    x: torch.Tensor,
    y: torch.Tensor,
    weight: torch.Tensor,
    eps: float,
    *,
    first: tuple[torch.Tensor, float] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """x + y [T, H] and the root mean square norm (arXiv:1910.07467) of that sum; `first` (weight,
    eps) is a norm that y has before it is added, as in the dense models."""
    x, y = x.contiguous(), y.contiguous()
    width = x.shape[-1]
    total, normed = torch.empty_like(x), torch.empty_like(x)
    inner, inner_eps = (weight, eps) if first is None else first
    block = triton.next_power_of_2(width)
    if x.numel():
        _add_norm[(x.numel() // width,)](
            *(x, y, weight, inner, total, normed),
            *(width, eps, inner_eps),
            FIRST=first is not None,
            BLOCK=block,
            num_warps=8 if block > 2048 else 4,
        )
    return total, normed


def add_norm_reference(
    x: torch.Tensor,
    y: torch.Tensor,
    weight: torch.Tensor,
    eps: float,
    *,
    first: tuple[torch.Tensor, float] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    if first is not None:
        y = functional.rms_norm(y, first[0].shape, *first)
    total = x + y
    return total, functional.rms_norm(total, weight.shape, weight, eps)


@triton.jit
def _add_norm(
    x,
    y,
    weight,
    inner,
    total,
    normed,
    width,
    eps,
    inner_eps,
    FIRST: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64) * width
    column = tl.arange(0, BLOCK)
    inside = column < width
    old = tl.load(x + row + column, inside, 0.0)
    new = tl.load(y + row + column, inside, 0.0)
    if FIRST:
        wide = new.to(tl.float32)
        scale = tl.rsqrt(tl.sum(wide * wide) / width + inner_eps)
        gain = tl.load(inner + column, inside, 0.0).to(tl.float32)
        new = (wide * scale * gain).to(new.dtype)
    both = (old.to(tl.float32) + new.to(tl.float32)).to(old.dtype)
    tl.store(total + row + column, both, inside)
    wide = both.to(tl.float32)
    scale = tl.rsqrt(tl.sum(wide * wide) / width + eps)
    gain = tl.load(weight + column, inside, 0.0).to(tl.float32)
    tl.store(normed + row + column, wide * scale * gain, inside)


# --- turning ----------------------------------------------------------------------------------


def turn_halves(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn heads x [P, M, N, D] in place by angles [P, D/2], float32: the first half of each head
    against the second (arXiv:2104.09864, as NeoX has it). Gives x."""
    heads = x.view(x.shape[0], -1, x.shape[-1])  # [P, M * N, D], rows may lie apart
    count, half = heads.shape[1], heads.shape[2] // 2
    if x.numel():
        _turn_halves[(len(heads), blocks(count, _HEADS))](
            *(heads, cos.contiguous(), sin.contiguous()),
            *(heads.stride(0), heads.stride(1), count),
            HALF=half,
            BLOCK=triton.next_power_of_2(half),
            HEADS=_HEADS,
            num_warps=2,
        )
    return x


def turn_halves_reference(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    one, other = x.float().chunk(2, -1)
    cos, sin = cos[:, None, None], sin[:, None, None]
    return torch.cat((one * cos - other * sin, other * cos + one * sin), -1).to(x.dtype)


@triton.jit
def _turn_halves(
    heads,
    cos,
    sin,
    row_stride,
    head_stride,
    count,
    HALF: tl.constexpr,
    BLOCK: tl.constexpr,
    HEADS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)
    place = tl.arange(0, BLOCK)
    c = tl.load(cos + row * HALF + place, place < HALF)[None, :]
    s = tl.load(sin + row * HALF + place, place < HALF)[None, :]
    inside = (head < count)[:, None] & (place < HALF)[None, :]
    first = heads + row * row_stride + head[:, None] * head_stride + place[None, :]
    one = tl.load(first, inside).to(tl.float32)
    other = tl.load(first + HALF, inside).to(tl.float32)
    tl.store(first, one * c - other * s, inside)  # by the very threads that have read both
    tl.store(first + HALF, other * c + one * s, inside)


def turn_and_store(
    heads: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
    swap: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    start: int,
) -> torch.Tensor:
    """Turn queries and keys to their positions, and write keys and values into the memory of a
    layer; gives the queries [T, N, D].

    `heads` [T, N + 2K, D] are queries, keys and values side by side; `cos` and (signed) `sin`
    [T, D] in their dtype, `swap` [D] puts each dimension beside its partner; `keys` and `values`
    [K, room, D] are written at `start` to `start + T`.
    """
    count, all_heads, width = heads.shape
    key_heads = keys.shape[0]
    heads = heads.contiguous()
    query = heads.new_empty((count, all_heads - 2 * key_heads, width))
    if heads.numel():
        _turn_and_store[(count, blocks(all_heads, _HEADS))](
            *(heads, cos.contiguous(), sin.contiguous(), swap, query, keys, values),
            *(start, all_heads, key_heads),
            *(keys.stride(0), keys.stride(1), values.stride(0), values.stride(1)),
            WIDTH=width,
            BLOCK=triton.next_power_of_2(width),
            HEADS=_HEADS,
        )
    return query


def turn_and_store_reference(
    heads: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
    swap: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    start: int,
) -> torch.Tensor:
    key_heads, end = keys.shape[0], start + len(heads)
    x = heads[:, :-key_heads]
    turned = torch.addcmul(x * cos[:, None], x.index_select(-1, swap), sin[:, None])
    keys[:, start:end] = turned[:, -key_heads:].transpose(0, 1)
    values[:, start:end] = heads[:, -key_heads:].transpose(0, 1)
    return turned[:, :-key_heads]


@triton.jit(do_not_specialize=["start"])  # it is another one for each question
def _turn_and_store(
    heads,
    cos,
    sin,
    swap,
    query,
    keys,
    values,
    start,
    count,
    key_heads,
    keys_head,
    keys_token,
    values_head,
    values_token,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
    HEADS: tl.constexpr,
):
    token = tl.program_id(0).to(tl.int64)
    head = (tl.program_id(1) * HEADS + tl.arange(0, HEADS))[:, None]
    place = tl.arange(0, BLOCK)
    own = place < WIDTH
    c = tl.load(cos + token * WIDTH + place, own)[None, :].to(tl.float32)
    s = tl.load(sin + token * WIDTH + place, own)[None, :].to(tl.float32)
    partner = tl.load(swap + place, own, 0)[None, :]
    place = place[None, :]
    own = own[None, :]
    queries = count - 2 * key_heads
    turns = head < count - key_heads
    row = heads + (token * count + head) * WIDTH
    x = tl.load(row + place, (head < count) & own)
    other = tl.load(row + partner, turns & own)
    part = (x.to(tl.float32) * c).to(x.dtype)  # rounded as by torch.addcmul's first argument
    turned = part.to(tl.float32) + other.to(tl.float32) * s
    tl.store(query + (token * queries + head) * WIDTH + place, turned, (head < queries) & own)
    key = (head - queries).to(tl.int64)
    spot = keys + key * keys_head + (start + token) * keys_token + place
    tl.store(spot, turned, (key >= 0) & turns & own)
    value = key - key_heads
    spot = values + value * values_head + (start + token) * values_token + place
    tl.store(spot, x, (value >= 0) & (head < count) & own)


# --- 8-bit weights ----------------------------------------------------------------------------


def widened(weight: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """8-bit floats as new numbers of another type, of the same shape: the same values."""
    weight = weight.contiguous()
    out = torch.empty(weight.shape, dtype=dtype, device=weight.device)
    if out.numel():
        _widened[(blocks(out.numel(), _FLAT),)](weight, out, out.numel(), BLOCK=_FLAT, num_warps=8)
    return out


@triton.jit
def _widened(weight, out, count, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    tl.store(out + place, tl.load(weight + place, inside).to(out.dtype.element_ty), inside)


def scaled(y: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """A product y [..., rows] with the scales [rows] of its weights' rows and their bias, in place:
    y · scale + bias, rounded after each as torch does it. Gives y."""
    rows = y.view(-1, y.shape[-1])
    width = rows.shape[1]
    block = min(triton.next_power_of_2(width), _WIDE)
    if y.numel():
        _scaled[(len(rows), blocks(width, block))](
            *(rows, scale, scale if bias is None else bias, width),
            BIAS=bias is not None,
            BLOCK=block,
        )
    return y


def scaled_reference(
    y: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    y = (y * scale).to(y.dtype)
    return y if bias is None else y + bias.to(y.dtype)


@triton.jit
def _scaled(y, scale, bias, width, BIAS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    old = tl.load(y + row * width + column, inside)
    factor = tl.load(scale + column, inside).to(tl.float32)
    new = (old.to(tl.float32) * factor).to(old.dtype)
    if BIAS:
        shift = tl.load(bias + column, inside).to(old.dtype)
        new = (new.to(tl.float32) + shift.to(tl.float32)).to(old.dtype)
    tl.store(y + row * width + column, new, inside)
