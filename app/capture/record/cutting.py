"""A part of a recording as an MP4 of its own, for servers that take a whole video. Runs in the
recorder's process."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from app.capture.record.film import fit, opened, shown
from app.vocabulary import CaptureFault

Told = dict[str, Any]
_CLOCK = Fraction(1, 1000)
_OPTIONS = {"preset": "veryfast", "crf": "23"}


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
        last = -1
        frame = None
        for time, frame in shown(container, stream, start, end):
            last = max(last + 1, round((max(time, start) - start) * 1000))
            written.mux(film.encode(_at(frame, last, (width, height))))
        if frame is not None:  # the last picture stands as long as it stood
            final = max(last + 1, round((end - start) * 1000) - 33)
            written.mux(film.encode(_at(frame, final, (width, height))))
        written.mux(film.encode(None))


def _at(frame: Any, time: int, size: tuple[int, int]) -> Any:
    drawn = frame.reformat(*size, format="yuv420p", interpolation="AREA")
    drawn.pts, drawn.time_base = time, _CLOCK
    drawn.pict_type = 0
    return drawn
