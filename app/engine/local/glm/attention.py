"""Attention of new tokens over all that were read before them, and the turning of queries and keys
to their positions; knows one layer's heads, no weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast

import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention

from app.engine.local.glm.config import Rope
from app.engine.local.glm.fused import quick
from app.engine.local.glm.state import Keys

_MANY = 128 * 132  # rows of queries that keep all of a Hopper GPU busy


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """What all layers share when the tokens from number `start` on are read: the cosine and signed
    sine [T, D] that turn a head, its dimensions in the order `swap` [D] that puts each beside its
    partner, and which of the tokens before it each may see, [T, S], where that takes saying."""

    start: int
    cos: torch.Tensor
    sin: torch.Tensor
    swap: torch.Tensor
    seen: torch.Tensor | None


class Turns:
    """Positions → angles (arXiv:2104.09864; in three counts: arXiv:2409.12191, M-RoPE).

    The first `rope.width` of a head's `width` dimensions are turned in pairs, neighbours where
    `rope.interleaved` (GLM), else the first half and the second (NeoX); the rest have the angle 0.

    Of each dimension [D]: `speeds` in radians a position, its partner (`swap`) and that one's sign.
    """

    def __init__(self, rope: Rope, width: int, device: torch.device) -> None:
        even = torch.arange(0, rope.width, 2)
        speeds = 1.0 / rope.theta ** (even / rope.width)  # [F], F pairs
        counts = [place % 3 for place, many in enumerate(rope.sections) for _ in range(many)]
        pairs = torch.stack((even, even + 1) if rope.interleaved else (even // 2,) * 2)  # [2, F]
        pairs[1] += 0 if rope.interleaved else rope.width // 2
        one, other = pairs
        self.speeds, self.signs = torch.zeros(2, width)
        self.speeds[one] = self.speeds[other] = speeds
        self.signs[one], self.signs[other] = -1.0, 1.0
        self.swap = torch.arange(width)
        self.swap[one], self.swap[other] = other, one
        self._counts = None
        if counts:  # which of the three counts turns a dimension
            self._counts = torch.zeros(width, dtype=torch.int64)
            self._counts[one] = self._counts[other] = torch.tensor(counts)
            self._counts = self._counts.to(device)
        self.speeds, self.signs = self.speeds.to(device), self.signs.to(device)
        self.swap = self.swap.to(device)

    def passing(self, start: int, positions: torch.Tensor, dtype: torch.dtype) -> Pass:
        """`positions` [T], or [3, T] where time, row and column differ; on the device."""
        if positions.dim() == 1:
            spread = positions[:, None]  # [T, 1]
        elif self._counts is None:
            spread = positions[0, :, None]
        else:
            spread = positions[self._counts].T  # [T, D]
        angles = spread.float() * self.speeds
        seen = _seen(start, positions.shape[-1], positions.device)
        sines = angles.sin() * self.signs
        return Pass(start, angles.cos().to(dtype), sines.to(dtype), self.swap, seen)


def _seen(start: int, count: int, device: torch.device) -> torch.Tensor | None:
    if not start or count == 1:
        return None
    if device.type == "cuda":  # its kernels know this form and need no mask in memory
        return causal_lower_right(count, start + count)
    return torch.ones(count, start + count, dtype=torch.bool, device=device).tril(start)


def turn(x: torch.Tensor, this: Pass) -> torch.Tensor:
    """Turn queries or keys to their positions; x [T, N, D], N heads. Few operations, for a token
    alone takes a GPU longer to be told of than to do."""
    cos, sin = this.cos[:, None], this.sin[:, None]  # [T, 1, D]
    return torch.addcmul(x * cos, x.index_select(-1, this.swap), sin)


def placed(
    heads: torch.Tensor, this: Pass, keys: Keys, key_heads: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Turn queries and keys to their positions and remember keys and values: heads [T, N + 2K, D],
    queries, keys and values side by side → queries [T, N, D], all keys and all values [K, S, D]."""
    if quick(heads) and len(heads) > 1:
        from app.engine.local.kernels.prefill import turn_and_store  # noqa: PLC0415

        end, like = this.start + len(heads), heads[:, -key_heads:].transpose(0, 1)
        held_keys, held_values = keys.reserve(end, like, used=this.start)
        turns = (this.cos, this.sin, this.swap)
        query = turn_and_store(heads, *turns, held_keys, held_values, this.start)
        return query, held_keys[:, :end], held_values[:, :end]
    turned = turn(heads[:, :-key_heads], this)  # [T, N + K, D]
    key, value = turned[:, -key_heads:].transpose(0, 1), heads[:, -key_heads:].transpose(0, 1)
    all_keys, all_values = keys.put(key, value, this.start)
    return turned[:, :-key_heads], all_keys, all_values


def attend(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, seen: torch.Tensor | None
) -> torch.Tensor:
    """query [T, N, D], keys and values [K, S, D], N a multiple of K → [T, N * D].

    The heads that share a key head are rows of one product for a single token: read one by one,
    they would take several times as long.
    """
    count, heads, width = query.shape
    if count == 1:
        packed = query.reshape(1, keys.shape[0], -1, width)  # [1, K, N/K, D]
        mixed = scaled_dot_product_attention(packed, keys[None], values[None])
        return mixed.reshape(1, heads * width)
    wide = query.transpose(0, 1)[None]  # [1, N, T, D]
    if _flashes(query):
        mixed = flash(wide, keys[None], values[None], causal=True)
    else:
        mixed = scaled_dot_product_attention(
            wide,
            keys[None],
            values[None],
            attn_mask=seen,
            is_causal=seen is None,
            enable_gqa=True,
        )
    return mixed[0].transpose(0, 1).reshape(count, heads * width)


def mix(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attention of everything to everything: query [B, N, L, D], key and value [B, N, S, D] →
    [B, N, L, D], laid out as the query is."""
    if _flashes(query):
        return flash(query, key, value)
    return scaled_dot_product_attention(query, key, value)


def flash(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False
) -> torch.Tensor:
    """FlashAttention (arXiv:2307.08691) on a GPU: query [B, N, L, D], key and value [B, K, S, D],
    only their last dimension side by side → [B, N, L, D], a view of [B, L, N, D]. `causal` lets
    query i see the keys up to i + S - L.

    Never what torch would take by itself: on Hopper that is cuDNN's, which plans anew for each
    length that it hasn't met, and that takes longer than reading a prompt.
    """
    if _ours(query):
        from app.engine.local.kernels.flash import flash as ours  # noqa: PLC0415

        return ours(query, key, value, causal=causal)
    named = torch.ops.aten._scaled_dot_product_flash_attention
    return cast(torch.Tensor, named(query, key, value, 0.0, causal)[0])


def prepare(width: int, dtype: torch.dtype, device: torch.device) -> None:
    """Have the kernels for heads of `width` compiled before the first question."""
    few = torch.zeros(1, 1, 1, width, dtype=dtype, device=device)
    if _flashes(few) and _ours(few.expand(1, _MANY, 1, width)):
        from app.engine.local.kernels.flash import flash as ours  # noqa: PLC0415

        for causal in (False, True):
            ours(few, few, few, causal=causal)


def _ours(query: torch.Tensor) -> bool:
    """Whether our own kernel does it sooner than torch's, which is not made for Hopper; but where
    there are few queries, torch's divides the keys among its programs."""
    batch, heads, length, width = query.shape
    many = batch * heads * length >= _MANY
    hopper = query.is_cuda and _capability(query.get_device())[0] == 9
    return many and hopper and quick(query) and width in (64, 128)


def _flashes(query: torch.Tensor) -> bool:
    """Whether there is a kernel of that kind for it."""
    fits = query.shape[-1] % 8 == 0 and query.shape[-1] <= 256
    halves = query.dtype in (torch.bfloat16, torch.float16)
    return query.is_cuda and halves and fits and _capability(query.get_device())[0] >= 8


@cache
def _capability(device: int) -> tuple[int, int]:
    if torch.version.hip is not None:
        return (0, 0)
    return torch.cuda.get_device_capability(device)
