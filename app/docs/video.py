"""Samples a video: which moments, each drawn upright in its true shape; knows no player.

The container is named to FFmpeg after its first bytes and read through a Python file, so that a
playlist can't make it open other files or addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
from av.error import FFmpegError
from PIL import Image

from app.docs.budget import VIDEO_FRAMES, VIDEO_SIDE, fit, frame_times
from app.docs.encode import encode_photo
from app.docs.faults import damaged, unsupported
from app.docs.request import Limits, Opened, Page, Remark, Request, Told
from app.docs.selection import bounded, select
from app.vocabulary import Frame, Source

RENDERER = f"PyAV {av.__version__}"
_BROKEN_PACKETS = 50
_SEEK = 3.0  # seconds; a shorter way ahead is decoded, a longer one jumped


@dataclass(frozen=True, slots=True)
class Picked:
    """A decoded frame and its time in seconds from the start."""

    frame: Any
    time: float


def read(request: Request, limits: Limits, container: str) -> Iterator[Told]:
    """Frames at the moments `budget.frame_times` gives; `container` is FFmpeg's name for it."""
    with request.path.open("rb") as file:
        opened = _open(file, request.path.name, container)
        try:
            yield from _sample(opened, request, limits)
        finally:
            opened.close()


def _open(file: BinaryIO, name: str, container: str) -> Any:
    try:
        opened = av.open(file, format=container, metadata_errors="replace")
    except (FFmpegError, ValueError) as error:
        raise damaged(name, str(error)) from error
    if not opened.streams.video:
        opened.close()
        raise unsupported(name, "a sound file without a picture")
    opened.streams.video[0].thread_type = "AUTO"
    return opened


def _sample(container: Any, request: Request, limits: Limits) -> Iterator[Told]:
    name = request.path.name
    duration = _duration(container)
    most = limits.video_frames if request.every else request.max_frames or VIDEO_FRAMES
    times = frame_times(duration, request.every, min(most, limits.video_frames))
    numbers, left_out = bounded(
        select(request.pages, len(times), request.after), request.max_frames
    )
    title = str(container.metadata.get("title") or "").strip() or request.path.stem
    yield Opened("video", len(times), title, RENDERER)
    if left_out:
        yield Remark(left_out.replace("pages", "frames"))
    if request.every and len(times) * request.every < duration - request.every:
        yield Remark(f"{name} is long; it is shown up to {_clock(times[-1])} only.")
    yield from _frames(container, request, {n: times[n - 1] for n in numbers})


def _frames(container: Any, request: Request, moments: dict[int, float]) -> Iterator[Told]:
    name = request.path.name
    walk = _Walk(container)
    shown: float | None = None
    for number, time in moments.items():
        yield Page(number)
        try:
            picked = walk.to(time)
        except (FFmpegError, ValueError) as error:
            if shown is None and number == max(moments):
                raise damaged(name, str(error)) from error
            picked = None
        if picked is None:
            continue
        if shown is not None and picked.time <= shown:
            break  # the file ends before its own duration says so
        shown = picked.time
        yield _frame(picked, request)
    if shown is None:
        raise damaged(name, "no frame could be decoded")
    last = max(moments.values())
    if last - shown > 1.0 + 0.1 * last:
        yield Remark(f"{name} is damaged; it can be read up to {_clock(shown)} only.")


class _Walk:
    """Goes forward through the first video stream, jumping where the next moment is far."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._stream = container.streams.video[0]
        self._start = float((self._stream.start_time or 0) * self._stream.time_base)
        self._decoded = container.decode(self._stream)
        self._last: Picked | None = None

    def to(self, time: float) -> Picked | None:
        """The first frame at or after `time`, the last one there is if the video ends before."""
        at = self._last.time if self._last else 0.0
        if self._last and at >= time - 1e-3:
            return self._last
        if time - at > _SEEK:
            self._seek(time)
        while (frame := self._next()) is not None:
            seen = float(frame.time or 0.0) - self._start
            self._last = Picked(frame, max(0.0, seen))
            if seen >= time - 1e-3:
                break
        return self._last

    def _next(self) -> Any:
        """The next frame that can be decoded, None at the end; broken packets are stepped over."""
        for _ in range(_BROKEN_PACKETS):
            try:
                return next(self._decoded, None)
            except av.error.InvalidDataError:
                self._decoded = self._container.decode(self._stream)
        return None

    def _seek(self, time: float) -> None:
        offset = int((time + self._start) / self._stream.time_base)
        try:
            self._container.seek(offset, stream=self._stream, backward=True)
        except FFmpegError:
            return  # no index: go on from here
        self._decoded = self._container.decode(self._stream)


def _frame(picked: Picked, request: Request) -> Frame:
    picture = _upright(picked.frame)
    width, height = fit(*picture.size, request.max_side or VIDEO_SIDE)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    encoded = encode_photo(picture)
    source = Source("video", request.path.name, time=round(picked.time, 3))
    return Frame(encoded.image, encoded.media_type, encoded.width, encoded.height, source)


def _upright(frame: Any) -> Image.Image:
    """As a player shows it: square pixels, turned as the file says."""
    picture: Image.Image = frame.to_image()
    aspect = frame.sample_aspect_ratio if hasattr(frame, "sample_aspect_ratio") else None
    if aspect and float(aspect) not in (0.0, 1.0) and 0.2 < float(aspect) < 5:
        picture = picture.resize((max(1, round(picture.width * float(aspect))), picture.height))
    turn = int(getattr(frame, "rotation", 0) or 0)
    return picture.rotate(turn, expand=True) if turn % 360 else picture


def _duration(container: Any) -> float:
    """Seconds; a recording that was broken off has none in its head, so its packets are read."""
    stream = container.streams.video[0]
    if stream.duration:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return float(container.duration / av.time_base)
    last = 0.0
    try:
        for packet in container.demux(stream):
            if packet.pts is not None:
                last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except FFmpegError:
        pass  # damaged further on: what was found so far is its length
    container.seek(0)
    start = float((stream.start_time or 0) * stream.time_base)
    return max(0.0, last - start)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
