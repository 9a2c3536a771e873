"""What fits: sizes of pages and pictures, times of a video's frames, tokens they cost.

Pure arithmetic; it knows no file, no model and no clock.
"""

from __future__ import annotations

import math

PAGE_SIDE = 2000  # px, the longest side of a drawn page unless asked otherwise
PICTURE_SIDE = 2560  # px, of a picture: small type on a large screen has to stay legible
VIDEO_SIDE = 1280  # px, of a frame of a video
PAGE_DPI = 150.0
SMALLEST_PAGE = 400  # px, a stamp-sized page is enlarged to this
VIDEO_FRAMES = 32
VIDEO_SECONDS = 300.0  # of a whole video that are looked at
VIDEO_TOKENS = 30_000  # that a whole video costs at most
PATCH = 28  # px, one token of GLM-4.5V's picture grid is 28 × 28 pixels (its preprocessor's sizes)


def page_zoom(width: float, height: float, max_side: int | None = None) -> float:
    """Pixels per point for a page of `width` × `height` points."""
    side = max(width, height, 1e-3)
    if max_side is not None:
        return max_side / side if side * PAGE_DPI / 72 > max_side else PAGE_DPI / 72
    zoom = max(PAGE_DPI / 72, SMALLEST_PAGE / side)
    return min(zoom, PAGE_SIDE / side)


def fit(width: int, height: int, max_side: int) -> tuple[int, int]:
    """The largest size of the same shape whose sides are at most `max_side`; never enlarges."""
    scale = min(1.0, max_side / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


def frame_times(
    duration: float, every: float | None = None, most: int = VIDEO_FRAMES
) -> tuple[float, ...]:
    """Seconds at which a video is looked at.

    With `every`: 0, every, 2·every, … Else one a second, each in the middle of its stretch, and
    never more than `most`, spread evenly.
    """
    if every is not None and every > 0:
        count = min(most, max(1, math.ceil(duration / every - 1e-6)))
        return tuple(round(index * every, 3) for index in range(count))
    count = max(1, min(most, round(duration)))
    return tuple(round((index + 0.5) * duration / count, 3) for index in range(count))


def tokens(width: int, height: int) -> int:
    """An estimate of what one picture costs a model that looks at 28 × 28 pixel patches."""
    return math.ceil(width / PATCH) * math.ceil(height / PATCH)


def film_tokens(width: int, height: int, seconds: float) -> int:
    """An estimate of what a whole video costs GLM-4.5V: one pair of frames a second counts as one
    picture, for five minutes at most, and all of them together have an upper limit (the defaults
    of its video processor)."""
    pairs = math.ceil(min(max(seconds, 1.0), VIDEO_SECONDS))
    return min(VIDEO_TOKENS, pairs * tokens(width, height))


def side_for(sizes: tuple[tuple[int, int], ...], budget: int, smallest: int = 448) -> int:
    """The largest side at which pictures of these sizes cost at most `budget` tokens together.

    Never below `smallest`: beyond that, leave pictures out instead (`how_many`).
    """
    largest = max((max(size) for size in sizes), default=PAGE_SIDE)
    low, high = min(smallest, largest), largest
    while low < high:
        middle = (low + high + 1) // 2
        cost = sum(tokens(*fit(*size, middle)) for size in sizes)
        low, high = (middle, high) if cost <= budget else (low, middle - 1)
    return low


def how_many(width: int, height: int, budget: int) -> int:
    """How many pictures of this size fit in `budget` tokens."""
    return budget // tokens(width, height)
