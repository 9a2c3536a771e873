"""Recordings read back: their facts, moments to choose from, pictures at a time. Runs in the
recorder's process; knows our own files only, not hostile ones (those are the document worker's)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from app.capture.record.choice import Moment, thinned
from app.capture.record.choice import choose as chosen_times
from app.vocabulary import CaptureFault

Told = dict[str, Any]
_GRID = 96  # cells across of the picture that is compared
_JUMP = 3.0  # seconds; a shorter way ahead is decoded
_QUALITY = 88  # JPEG; small type stays legible
_THUMB_QUALITY = 80


def inspect(path: str) -> Iterator[Told]:
    """Its length and size. Raises CaptureFault where nothing can be played."""
    with opened(path) as (container, stream):
        last, frames = 0.0, 0
        with suppress(FFmpegError):  # cut short: what was found so far is all there is
            for packet in container.demux(stream):
                if packet.pts is not None:
                    last = max(last, float(packet.pts * packet.time_base))
                    frames += 1
        if not frames:
            raise _damaged(path, "no packet")
        yield {
            "type": "facts",
            "seconds": last,
            "frames": frames,
            "width": stream.width,
            "height": stream.height,
            "sound": bool(container.streams.audio),
        }


def choose(
    path: str, start: float, end: float, most: int, every: float | None, side: int
) -> Iterator[Told]:
    """The pictures that tell what happened between two times, as JPEG, the longest side at most
    `side`."""
    with opened(path) as (container, stream):
        seen = (
            Moment(max(time, start), _grey(frame))
            for time, frame in shown(container, stream, start, end)
        )
        moments = list(thinned(seen))
    times = chosen_times(moments, end, most=most, every=every)
    for time, frame in pictures(path, times):
        size = fit(frame.width, frame.height, side)
        yield _picture(time, frame, size, _QUALITY)


def thumbnails(path: str, start: float, end: float, count: int, height: int) -> Iterator[Told]:
    """Small pictures spread evenly."""
    step = (end - start) / max(count, 1)
    times = [start + (index + 0.5) * step for index in range(count)]
    for time, frame in pictures(path, times):
        size = (max(2, round(frame.width * height / frame.height)), height)
        yield _picture(time, frame, size, _THUMB_QUALITY)


def shown(container: Any, stream: Any, start: float, end: float) -> Iterator[tuple[float, Any]]:
    """What was to be seen from `start` to `end`: the picture that stands at `start` first."""
    before: tuple[float, Any] | None = None
    if start > _JUMP:
        seek(container, stream, start)
    for time, frame in decoded(container, stream):
        if time > end:
            break
        if time <= start:
            before = (time, frame)
            continue
        if before is not None:
            yield before
            before = None
        yield time, frame
    if before is not None:
        yield before


def pictures(path: str, times: Sequence[float]) -> Iterator[tuple[float, Any]]:
    """The picture that stands at each of these rising times."""
    with opened(path) as (container, stream):
        walk = decoded(container, stream)
        held: tuple[float, Any] | None = None
        ahead = next(walk, None)
        for time in times:
            if ahead is not None and time - ahead[0] > _JUMP and seek(container, stream, time):
                walk = decoded(container, stream)
                ahead = next(walk, None) or ahead
            while ahead is not None and (held is None or ahead[0] <= time + 1e-3):
                held, ahead = ahead, next(walk, None)
            if held is not None:
                yield time, held[1]


def decoded(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    """Times and pictures; the end of a file that was cut short is its end."""
    with suppress(FFmpegError):
        for frame in container.decode(stream):
            if frame.time is not None:
                yield float(frame.time), frame


def seek(container: Any, stream: Any, time: float) -> bool:
    with suppress(FFmpegError):
        container.seek(int(time / stream.time_base), stream=stream, backward=True)
        return True
    return False


@contextmanager
def opened(path: str) -> Iterator[tuple[Any, Any]]:
    """The file and its picture stream. Raises CaptureFault."""
    try:
        container = av.open(path, format="matroska")
    except (FFmpegError, OSError) as error:
        raise _damaged(path, str(error)) from error
    with container:
        if not container.streams.video:
            raise _damaged(path, "no picture stream")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream


def fit(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _grey(frame: Any) -> Any:
    height = max(1, round(_GRID * frame.height / frame.width))
    small = frame.reformat(_GRID, min(height, 4 * _GRID), "gray8", interpolation="AREA")
    plane = small.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].copy()


def _picture(time: float, frame: Any, size: tuple[int, int], quality: int) -> Told:
    image = frame.to_image()
    if image.size != size:
        image = image.resize(size, reducing_gap=2.0)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return {
        "type": "picture",
        "time": round(time, 3),
        "width": size[0],
        "height": size[1],
        "jpeg": base64.b64encode(data.getvalue()).decode(),
    }


def _damaged(path: str, detail: str) -> CaptureFault:
    name = path.replace("\\", "/").rpartition("/")[2]
    return CaptureFault("damaged", f"{name} holds nothing that can be played.", detail)
