"""Which moments of a video are worth a look: by change and by time. Pure; it knows no video.

A moment is what was seen from its time on, as a coarse grey picture; the distance of two is the
share of its cells that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SCENE = 0.30  # share of the picture from which it is another scene
SAME = 0.002  # share below which two pictures show the same
_NOISE = 6  # steps of grey that the encoder makes by itself
_GAP = 0.25  # seconds between two moments of one scene


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """`print` is a small grey picture, rows by columns; all of one video have one size."""

    time: float
    print: NDArray[np.uint8] = field(repr=False)


def distance(one: Moment, other: Moment) -> float:
    """The share of the picture that differs, 0 to 1."""
    apart = np.abs(one.print.astype(np.int16) - other.print.astype(np.int16))
    return float((apart > _NOISE).mean())


def thinned(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Those of a video's pictures that are worth comparing: the first and the last of each scene,
    and between them four a second, as far as anything changed."""
    kept: Moment | None = None
    last: Moment | None = None
    for moment in moments:
        if kept is None or last is None:
            yield (kept := moment)
        elif distance(last, moment) >= SCENE:
            if last is not kept:
                yield last
            yield (kept := moment)
        elif moment.time - kept.time >= _GAP and distance(kept, moment) > SAME:
            yield (kept := moment)
        last = moment
    if last is not None and kept is not None and distance(kept, last) > SAME:
        yield last


def choose(
    moments: Sequence[Moment], end: float, *, most: int, every: float | None = None
) -> tuple[float, ...]:
    """Times, rising, at most `most` of them. With room for it each scene has one, at least; two
    neighbours never show the same. `every` asks for one each so many seconds, as far as there is
    something new; without it those follow that tell the most."""
    if not moments or most < 1:
        return ()
    scenes = _scenes(moments)
    kept = {_settled(scene) for scene in _longest(scenes, moments, end, most)}
    wanted = _at_times(moments, every, end) if every is not None else _telling(moments, kept, most)
    for index in wanted:
        if len(kept) >= most:
            break
        if _is_new(moments, kept, index):
            kept.add(index)
    return tuple(moments[index].time for index in _without_twins(moments, sorted(kept)))


def _scenes(moments: Sequence[Moment]) -> list[range]:
    """Stretches of moments between two changes of scene. Also one that came about in small steps:
    what has drifted that far from how its scene began is another."""
    starts = [0]
    for index in range(1, len(moments)):
        jumped = distance(moments[index - 1], moments[index]) >= SCENE
        if jumped or distance(moments[starts[-1]], moments[index]) >= SCENE:
            starts.append(index)
    return [range(*bounds) for bounds in pairwise([*starts, len(moments)])]


def _settled(scene: range) -> int:
    """How a scene ends up says more than how it begins."""
    return scene[-1]


def _longest(scenes: list[range], moments: Sequence[Moment], end: float, most: int) -> list[range]:
    """The scenes that were seen the longest, where there is no room for all."""

    def seconds(scene: range) -> float:
        after = moments[scene[-1] + 1].time if scene[-1] + 1 < len(moments) else end
        return after - moments[scene[0]].time

    return sorted(scenes, key=seconds, reverse=True)[:most]


def _at_times(moments: Sequence[Moment], every: float, end: float) -> list[int]:
    """What was to be seen at each step of time."""
    times = np.array([moment.time for moment in moments])
    steps = np.arange(times[0], max(end, times[0]) + 1e-6, max(every, 1e-3))
    return [max(0, int(np.searchsorted(times, step + 1e-6, "right")) - 1) for step in steps]


def _telling(moments: Sequence[Moment], kept: set[int], most: int) -> list[int]:
    """Moments by how far they are from all that is chosen before them, the farthest first."""
    far = np.array([min(distance(moments[at], one) for at in kept) for one in moments])
    found: list[int] = []
    while len(kept) + len(found) < most:
        index = int(far.argmax())
        if far[index] <= SAME:
            break
        found.append(index)
        closer = np.array([distance(moments[index], one) for one in moments])
        far = np.minimum(far, closer)
    return found


def _is_new(moments: Sequence[Moment], kept: set[int], index: int) -> bool:
    """Whether it differs from its neighbours among those that are kept."""
    if index in kept:
        return False
    before = max((at for at in kept if at < index), default=None)
    after = min((at for at in kept if at > index), default=None)
    near = (moments[at] for at in (before, after) if at is not None)
    return all(distance(moments[index], other) > SAME for other in near)


def _without_twins(moments: Sequence[Moment], chosen: list[int]) -> list[int]:
    """Of two neighbours that show the same the later goes."""
    kept: list[int] = []
    for index in chosen:
        if not kept or distance(moments[kept[-1]], moments[index]) > SAME:
            kept.append(index)
    return kept
