"""Which frames of a video are shown and how their times are written, by the rules of the
checkpoint's own processor. Pure; knows no decoder.

Sources, all in transformers: `sample_frames` of Glm4vVideoProcessor and Glm46VVideoProcessor,
`replace_video_token` of Glm4vProcessor and Glm46VProcessor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from app.engine.local.footage import Reel
from app.engine.local.glm.look import Filming, Rule

_DENSITIES = ((30, 3.0), (300, 1.0), (math.inf, 0.5))  # up to so many seconds, pairs a second
_MOST_FRAMES = 640
_LONGEST = 2400  # seconds that count


def sample(reel: Reel, filming: Filming, temporal: int = 2) -> list[int]:
    """The numbers of the frames to show, rising, an even count of at least two: the last one
    stands twice where there is an odd one."""
    seconds = reel.duration or round((reel.frames - 1) / reel.fps) + 1
    if filming.sampling == "glm46v":
        chosen = _denser_when_short(reel, seconds, temporal)
    else:
        chosen = _steady(reel, seconds, filming)
    # a clip shorter than one step leaves transformers with nothing; its first frame is shown here
    once = list(dict.fromkeys(chosen)) or [0]
    return once + once[-1:] * (len(once) % 2)


def thinned(count: int, filming: Filming) -> list[int]:
    """Which of `count` frames that somebody else has chosen are shown: all, up to what the rule
    itself would ever choose."""
    most = int(filming.longest * filming.fps)
    if filming.sampling == "glm46v":
        most = _MOST_FRAMES
    return list(range(count)) if count <= most else _evenly(0, count - 1, most)


def stamps(times: Sequence[float], rule: Rule) -> tuple[str, ...]:
    """What stands behind each pair of frames: the time of the first of them, seconds from the
    start, as text."""
    first = times[::2]
    if rule == "glm46v":
        return tuple(f"{time:.1f} seconds" for time in first)
    return tuple(str(int(time)) for time in first)


def _steady(reel: Reel, seconds: float, filming: Filming) -> list[int]:
    """At one pace; a video that is too long for it is spread over as many frames as the longest."""
    last = reel.frames - 1
    if seconds <= filming.longest:
        count = max(math.floor(seconds * filming.fps), 1)
        return [min(last, math.ceil(n * reel.fps / filming.fps)) for n in range(count)]
    count = int(filming.longest * filming.fps)
    if count >= reel.frames:
        return list(range(reel.frames))
    moments = np.linspace(0, seconds, count)
    return [min(last, math.ceil(moment * reel.fps)) for moment in moments]


def _denser_when_short(reel: Reel, seconds: float, temporal: int) -> list[int]:
    counted = min(seconds, _LONGEST)
    density = temporal * next(pairs for most, pairs in _DENSITIES if counted <= most)
    wanted = min(int(counted * density), _MOST_FRAMES)
    last = reel.frames - 1
    if reel.frames < wanted:
        return _evenly(0, last, wanted)
    chosen = _stepped(reel, 1 / density, int(seconds))
    if len(chosen) < wanted:
        return _evenly(0, chosen[-1], wanted)
    return chosen if len(chosen) == wanted else _evenly(0, last, wanted)


def _stepped(reel: Reel, step: float, end: int) -> list[int]:
    """The first frame of each step of so many seconds, the video's own first one at least, up to
    the whole second `end`. Added up in floating point, as there, so that the choice is the same."""
    chosen: list[int] = []
    frame_time, moment = 1 / reel.fps, 0.0
    for number in range(reel.frames):
        if number * frame_time >= moment:
            moment += step
            chosen.append(number)
            if moment >= end:
                break
    return chosen


def _evenly(first: int, last: int, count: int) -> list[int]:
    spread: list[int] = np.linspace(first, last, count, dtype=int).tolist()
    return spread
