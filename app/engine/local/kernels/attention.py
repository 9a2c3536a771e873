"""Attention of one new token over all that were read before it: turns its queries and its key,
keeps its key and value, and mixes; knows where the layers' keys and values lie, no weights.

The tokens are shared out over programs that fit a captured graph, whose number of programs is fixed
(Flash-Decoding, https://pytorch.org/blog/flash-decoding/): each takes its share of the length that
it reads on the device and leaves a part; a second launch puts the parts together. The query heads
that share a key head are the rows of one product (arXiv:2305.13245).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
import triton
from torch.nn.functional import rms_norm, scaled_dot_product_attention

from app.engine.local.kernels.parts import attended, joined

if TYPE_CHECKING:
    from app.engine.local.glm.attention import Turns

_ROWS = 16  # of the smallest product that a tensor core does
_LOG2E = 1.4426950408889634
Norms = tuple[torch.Tensor, torch.Tensor, float]  # weights [D] of queries and of keys, epsilon


@dataclass(frozen=True, slots=True)
class Plan:
    """How the tokens are gone through: `tokens` of them a time by each of `warps` warps, `stages`
    such blocks on their way through shared memory; of a program's share the first `ahead` blocks
    are asked for before the queries are there. The second launch may start once they are, or
    `late`; `columns` of a head are put together by one of its programs, of `joiners` warps."""

    tokens: int = 32
    warps: int = 4
    stages: int = 3
    ahead: int = 2
    late: bool = False
    columns: int = 32
    joiners: int = 4

    @property
    def block(self) -> int:
        """Tokens a time."""
        return self.tokens * self.warps


PLANS = (
    Plan(),
    Plan(16),
    Plan(16, ahead=0),
    Plan(16, late=True),
    Plan(16, stages=2),
    Plan(16, stages=4),
    Plan(16, 8),
    Plan(16, 2, stages=4),
    Plan(columns=64),
    Plan(columns=16),
)


@dataclass(frozen=True, slots=True, eq=False)
class Spin:
    """How a head is turned (arXiv:2104.09864): by `speeds` [D] radians a position (0: not at all),
    each dimension with its partner `swap` [D] (int32) times the sine of the sign `signs` [D]."""

    speeds: torch.Tensor
    signs: torch.Tensor
    swap: torch.Tensor

    @classmethod
    def of(cls, turns: Turns) -> Self:
        """What one position at a time needs: its three counts are the same."""
        speeds, signs, swap = turns.speeds, turns.signs, turns.swap
        return cls(speeds.contiguous(), signs.contiguous(), swap.to(torch.int32).contiguous())


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What the programs leave for the second launch: mixed values, and of the scores the greatest
    (as a power of two) and the sum."""

    mixed: torch.Tensor  # float32 [N, 1 + S, D], the new token's and S shares
    sums: torch.Tensor  # float32 [N, 1 + S, 2]

    @classmethod
    def of(cls, heads: int, width: int, splits: int, device: torch.device | str) -> Self:
        mixed = torch.zeros(heads, splits + 1, width, dtype=torch.float32, device=device)
        return cls(mixed, torch.zeros(heads, splits + 1, 2, dtype=torch.float32, device=device))


def attend(
    qkv: torch.Tensor,
    table: torch.Tensor,
    layer: int,
    place: torch.Tensor,
    spin: Spin,
    parts: Parts,
    out: torch.Tensor,
    *,
    heads: int,
    key_heads: int,
    width: int,
    norms: Norms | None = None,
    splits: int,
    plan: Plan | None = None,
    pdl: bool = False,
) -> None:
    """qkv [(N + 2K) · D], N queries, K keys and K values side by side → out [N · D]; the key and
    the value are kept with the layer's.

    `table` int64 [L, 2] has the addresses of each layer's keys and values, [K, room, D] of the type
    of `out`; `place` int64 [3 or more]: how many tokens are kept, the position of the new one, the
    room. `norms`: root mean square norms of queries and keys before they are turned. All is read
    on the device; `parts` must be as many as `splits`. With `pdl`, place, table and older tokens
    are read before the kernels ahead of it end: these must not write them.
    """
    plan, extra = plan or PLANS[0], {"launch_pdl": True} if pdl else {}
    query_norm, key_norm, eps = norms or (spin.speeds, spin.speeds, 0.0)
    attended[(key_heads * (splits + 1),)](
        qkv, table, layer, place, spin.speeds, spin.signs, spin.swap, query_norm, key_norm, eps,
        width**-0.5 * _LOG2E, out, parts.mixed, parts.sums,
        **_sizes(heads, key_heads, width), SPLITS=splits, WARPS=plan.warps, B=plan.tokens,
        STAGES=plan.stages, AHEAD=plan.ahead, LATE=plan.late, NORMED=norms is not None,
        EXACT=not qkv.is_cuda, PDL=pdl,
        num_warps=plan.warps, **extra,
    )  # fmt: skip
    columns = min(plan.columns, triton.next_power_of_2(width))
    joined[(heads, triton.cdiv(width, columns))](
        parts.mixed, parts.sums, place, out,
        D=width, SPLITS=splits, SPAN=triton.next_power_of_2(splits + 1), BLOCK=plan.block,
        COLUMNS=columns, PDL=pdl, num_warps=plan.joiners, **extra,
    )  # fmt: skip


def _sizes(heads: int, key_heads: int, width: int) -> dict[str, Any]:
    """Constants of the shape; a product has no fewer than 16 rows and columns."""
    rows = max(triton.next_power_of_2(heads // key_heads), _ROWS)
    wide = max(triton.next_power_of_2(width), _ROWS)
    return {"N": heads, "K": key_heads, "D": width, "WIDE": wide, "ROWS": rows}


def attend_reference(
    qkv: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    position: int,
    spin: Spin,
    *,
    norms: Norms | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The mix [N · D] in 64 bits, and the new key and value [K, D]; `keys` and `values` [K, S, D]
    are those of the tokens before."""
    count, _, width = keys.shape
    query, key, value = qkv.double().view(-1, width).tensor_split([-2 * count, -count])
    if norms is not None:
        query = rms_norm(query, (width,), norms[0].double(), norms[2])
        key = rms_norm(key, (width,), norms[1].double(), norms[2])
    angles = (position * spin.speeds).double()
    sine, swap = angles.sin() * spin.signs.double(), spin.swap.long()
    query, key = (x * angles.cos() + x[:, swap] * sine for x in (query, key))
    seen = [
        torch.cat((old.double(), new[:, None]), 1) for old, new in ((keys, key), (values, value))
    ]
    packed = query.view(count, -1, width)  # [K, N / K, D]
    mixed = scaled_dot_product_attention(packed[None], seen[0][None], seen[1][None])
    return mixed.flatten(), key, value
