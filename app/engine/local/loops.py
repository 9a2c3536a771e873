"""Whether an answer only repeats itself; knows tokens and nothing of what they say."""

from __future__ import annotations

from collections.abc import Sequence

_CYCLE = 96  # tokens: so long a stretch that only repeats itself is a loop, not a table
_TURNS = 4  # and it must have come round this often


def loops(written: Sequence[int], repeat: int | None = None) -> bool:
    """Whether an answer only repeats itself: its end is the same few tokens over and over, or,
    for a model so small that this means it is lost, its last `repeat` tokens stood in it before or
    are a shorter cycle.

    An answer is ended rather than turned: keeping a small model from a number that it is about to
    copy makes it invent another.
    """
    if repeat is not None and (_stood_before(written, repeat) or _cycles(written, repeat)):
        return True
    return _cycles(written, _CYCLE)


def _cycles(written: Sequence[int], count: int) -> bool:
    if len(written) < count:
        return False
    tail = list(written[-count:])
    return any(tail[period:] == tail[:-period] for period in range(1, count // _TURNS + 1))


def _stood_before(written: Sequence[int], count: int) -> bool:
    tail = list(written[-count:])
    if len(written) < 2 * count:
        return False
    return any(
        written[place] == tail[0] and list(written[place : place + count]) == tail
        for place in range(len(written) - 2 * count + 1)
    )
