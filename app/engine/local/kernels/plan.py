"""How the products of a matrix and one vector are cut, and which cuts are worth timing for a shape;
knows no kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import triton

SHORT = 1024  # columns, fewer than which are too few for the tensor cores' threads
_SMS = 132  # of an H100 or H200: programs that stay come in multiples of this
_LONG = 8192  # columns, more than which registers hardly hold
_TILE = 16384  # bytes on their way to a program at a time


@dataclass(frozen=True, slots=True)
class Plan:
    """How a product is cut: `rows` of weights a tile, whole ones in parts of `columns` (one part
    where 0), or, if `along`, one part after the other. `programs` share the tiles, one a tile where
    0 or `along`; `stages` of tiles are on their way through shared memory; `lines` of 128 bytes a
    program are asked for into L2 before it waits for x. `packed`: E4M3 is multiplied as float16, in
    short sums; `tensor`: they, or steps, by the tensor cores, 16 rows or more a tile, where
    `programs` share only those of steps, in one part. `release`: a program lets the next kernel
    start at once (0), when it has its first tile's sums (1), or never (2)."""

    rows: int
    columns: int = 0
    warps: int = 4
    programs: int = 0
    stages: int = 1
    lines: int = 0
    along: bool = False
    packed: bool = False
    tensor: bool = False
    release: int = 0

    @property
    def words(self) -> bool:
        """Whether the kernel reads E4M3 four a word."""
        return self.packed or self.tensor


@lru_cache(maxsize=256)
def tensor_plans(rows: int, columns: int) -> tuple[Plan, ...]:
    """The first ones by how long a whole step took with them, on an H200 (tests/bench/NOTES.md)."""
    part = max(_part(columns), SHORT)
    along = (
        Plan(16, 2048, 8, stages=2, along=True, tensor=True),
        Plan(16, 1024, 4, stages=3, along=True, tensor=True),
        Plan(16, 1024, 4, stages=2, along=True, tensor=True),
        Plan(16, 2048, 8, stages=3, along=True, tensor=True),
        Plan(32, 1024, 8, stages=3, along=True, tensor=True),
    )
    if columns > _LONG:
        stay, go = Plan(2, part, 4, 4 * _SMS, 2, packed=True), Plan(4, part, 8, packed=True)
        return (go, stay, *along) if part == 4096 else (stay, go, *along)
    large, small = Plan(4, part, 4, packed=True), Plan(8, part, 8, packed=True)
    first: tuple[Plan, ...]
    if rows > 32 * _SMS and columns <= part:  # x is made ready by fewer programs than it has tiles
        stay = replace(large, programs=4 * _SMS, stages=3)
        first = stay, replace(small, programs=2 * _SMS, stages=3), large, *along[1:3]
    elif rows > 64 * _SMS:
        first = large, *along[1:3], small
    elif columns > 4000:
        first = along[0], large, small, *along[1:3]
    else:
        first = small, large, *along[:3]
    whole = Plan(16, part, 8, tensor=True), Plan(32, part, 8, tensor=True)
    return (
        *first,
        *whole,
        replace(whole[0], release=1),
        Plan(16, part, 16, tensor=True),
    )


@lru_cache(maxsize=256)
def tensor_step_plans(rows: int, columns: int) -> tuple[Plan, ...]:
    """The first ones by how long a whole step took with them, on an H100."""
    first: tuple[Plan, ...] = ()
    if columns > _LONG:
        first = (Plan(16, 2048, 8, tensor=True),)
    elif rows > 64 * _SMS and columns == 4096:
        first = (Plan(16, 4096, 4, 2 * _SMS, 3, tensor=True),)
    plans = (
        *first,
        Plan(32, 4096, 8, tensor=True),
        Plan(16, 2048, 4, stages=2, tensor=True),
        Plan(16, 2048, 4, tensor=True),
        Plan(32, 2048, 8, tensor=True),
        Plan(32, 2048, 8, tensor=True, release=1),
        Plan(32, 2048, 8, stages=2, tensor=True),
        Plan(16, 4096, 8, tensor=True),
    )
    if columns <= _LONG:
        return plans
    # half a row would not stay in registers
    return tuple(plan for plan in plans if plan.rows * plan.columns < 32 * 4096)


@lru_cache(maxsize=256)
def number_plans(columns: int, row_bytes: int) -> tuple[Plan, ...]:
    part, few = _part(columns), _power(_TILE // row_bytes)
    stages = 3 if few * row_bytes <= 2 * _TILE else 2  # two programs' tiles have to fit
    once = (
        Plan(2 * few, part, 8),
        Plan(few, part, 4),
        Plan(2 * few, part, 8, release=1),
        Plan(few, part, 4, release=1),
    )
    again = (
        Plan(few, part, 4, 2 * _SMS, stages, 512),
        Plan(few, part, 4, 2 * _SMS, stages, release=1),
        Plan(few, part, 8, 2 * _SMS, stages, 512),
        Plan(few, part, 4, 4 * _SMS, 2, 256),
        Plan(2 * few, part, 8, 2 * _SMS, 2, 512),
    )
    along = (
        Plan(8, 1024, 4, 0, 4, 256, along=True),
        Plan(8, 1024, 4, 0, 3, along=True),
    )
    return again + along + once if columns > _LONG else once + again + along


@lru_cache(maxsize=256)
def step_plans(columns: int, row_bytes: int) -> tuple[Plan, ...]:
    few, warps = _power(_TILE // 2 // row_bytes), 4 if columns <= _LONG else 16
    along = (
        Plan(8, 2048, 4, lines=256, along=True),
        Plan(16, 2048, 8, lines=512, along=True),
        Plan(8, 1024, 4, lines=256, along=True),
    )
    whole = (
        Plan(few, 0, warps, 2 * _SMS, lines=512),
        Plan(few, 0, warps, 4 * _SMS, lines=256),
        Plan(2 * few, 0, warps, 2 * _SMS, lines=512),
        Plan(few, 0, warps, _SMS, lines=1024),
        Plan(few, 0, 8, 2 * _SMS, lines=512),
        Plan(2 * few, 0, max(warps, 8)),
    )
    if columns > _LONG:  # one program's registers fill a multiprocessor
        return (Plan(2 * few, 0, warps, _SMS, lines=2048), *whole, *along)
    return whole + along


def _part(columns: int) -> int:
    """The columns of a part: a large power of two that leaves little of the last one empty."""
    sizes = (4096, 2048, 1024, 512, 256)
    return next((n for n in sizes if triton.cdiv(columns, n) * n * 8 <= columns * 9), 128)


def _power(number: int) -> int:
    """The power of two at or below a number, at least 2: a gate's row and its half's."""
    return 1 << max(number.bit_length() - 1, 1)
