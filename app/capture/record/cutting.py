"""A part of a recording as an MP4 of its own, with its sound, for servers that take a whole video.
Runs in the recorder's process."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from app.capture.record.film import fit, opened, seek, shown
from app.capture.record.track import RATE
from app.vocabulary import CaptureFault

Told = dict[str, Any]
_CLOCK = Fraction(1, 1000)
_OPTIONS = {"preset": "veryfast", "crf": "23"}
_LEAD = 0.1  # seconds that Opus needs to find its feet
_VOICE = 96_000  # bits a second of AAC, which every player of MP4 takes


def trim(path: str, out: str, start: float, end: float, side: int) -> Iterator[Told]:
    """Writes what was to be seen between two times, beginning at 0. Raises CaptureFault."""
    part = Path(out).with_name(f"{Path(out).name}.part")
    try:
        _encode(path, part, (start, end), side)
        part.replace(out)
    except (FFmpegError, OSError) as error:
        message = "The part of the recording can't be written; make room on the disk, or trim less."
        raise CaptureFault("no_space", message, str(error)) from error
    finally:
        part.unlink(missing_ok=True)
    yield {"type": "trimmed", "bytes": Path(out).stat().st_size}


def _encode(path: str, part: Path, span: tuple[float, float], side: int) -> None:
    start, end = span
    with (
        opened(path) as (container, stream),
        av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as written,
    ):
        width, height = (length + length % 2 for length in fit(stream.width, stream.height, side))
        film = written.add_stream("libx264", rate=30, options=_OPTIONS)
        film.width, film.height, film.pix_fmt = width, height, "yuv420p"
        film.codec_context.time_base = _CLOCK
        voice = _Voice(written, path, span) if container.streams.audio else None
        last = -1
        frame = None
        for time, frame in shown(container, stream, start, end):
            last = max(last + 1, round((max(time, start) - start) * 1000))
            if voice is not None:
                voice.write(last / 1000)
            written.mux(film.encode(_at(frame, last, (width, height))))
        if frame is not None:  # the last picture stands as long as it stood
            final = max(last + 1, round((end - start) * 1000) - 33)
            written.mux(film.encode(_at(frame, final, (width, height))))
        written.mux(film.encode(None))
        if voice is not None:
            voice.close()


class _Voice:
    """The sound of the part, written beside its pictures."""

    def __init__(self, written: Any, path: str, span: tuple[float, float]) -> None:
        self._written = written
        self._stream = written.add_stream("aac", rate=RATE)
        self._stream.codec_context.layout, self._stream.bit_rate = "mono", _VOICE
        self._heard = heard(path, *span)
        self._at = 0  # samples

    def write(self, until: float) -> None:
        """What is heard up to that second of the part."""
        while self._at < until * RATE and (samples := next(self._heard, None)) is not None:
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = RATE
            frame.pts, frame.time_base = self._at, Fraction(1, RATE)
            self._at += samples.shape[1]
            self._written.mux(self._stream.encode(frame))

    def close(self) -> None:
        self.write(float("inf"))
        self._written.mux(self._stream.encode(None))
        self._heard.close()


def heard(path: str, start: float, end: float) -> Generator[NDArray[np.float32]]:
    """What was to be heard between two times, 48 kHz mono; the sound of our films has no gap."""
    with opened(path) as (container, _), suppress(FFmpegError):  # cut short: its end
        stream = container.streams.audio[0]
        seek(container, stream, max(0.0, start - _LEAD))
        even = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        at, last = None, round(end * RATE)
        for frame in container.decode(stream):
            for part in even.resample(frame):
                samples = part.to_ndarray()
                at = round(float(frame.time) * RATE) if at is None else at
                skipped = max(0, round(start * RATE) - at)
                kept = samples[:, skipped : max(0, last - at)]
                at += samples.shape[1]
                if kept.shape[1]:
                    yield np.ascontiguousarray(kept)
            if at is not None and at >= last:
                return


def _at(frame: Any, time: int, size: tuple[int, int]) -> Any:
    drawn = frame.reformat(*size, format="yuv420p", interpolation="AREA")
    drawn.pts, drawn.time_base = time, _CLOCK
    drawn.pict_type = 0
    return drawn
