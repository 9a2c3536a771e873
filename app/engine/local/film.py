"""The process that opens a video's container: `python -m app.engine.local.film`. Hostile files end
here, under limits of memory and of processor time; holds no torch and knows no model.

In, on stdin: a line of JSON {"bytes", "indices", "size", "memory", "seconds"}, then the container.
Out, on stdout: `LINE` and a line of JSON {"frames", "fps", "height", "width"}, then for each index
`FRAME` and the frame as raw RGB of the size that was asked for. Where it goes wrong the next thing
is `LINE` and a line of JSON {"kind", "message", "detail"}.
"""

from __future__ import annotations

import json
import os
import sys
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from app.vocabulary import EndpointFault

LINE, FRAME = b"L", b"F"

MOST_PIXELS = 80_000_000
_THREADS = 8
_BROKEN_PACKETS = 50  # that are stepped over in one go
_STARTS = (  # FFmpeg's name of the container, by its first bytes
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"OggS", "ogg"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"GIF8", "gif"),
)
_CLOCKED = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv"})  # can be jumped in
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def main() -> int:
    out = _take_stdout()
    try:
        asked = json.loads(sys.stdin.buffer.readline())
        _bound(asked["memory"], asked["seconds"])
        _show(sys.stdin.buffer.read(asked["bytes"]), asked, out)
    except Exception as error:  # a process's entry: everything becomes a line
        _say(out, _as_error(error))
        return 1
    return 0


def _show(data: bytes, asked: dict[str, Any], out: BinaryIO) -> None:
    film = _Film(data)
    _say(out, film.head())
    height, width = asked["size"]
    for index in asked["indices"]:
        out.write(FRAME + film.frame(index, (height, width)))
    out.flush()


@dataclass(frozen=True, slots=True)
class _Packets:
    """What a stream holds, by its packets: when each frame is shown, rising, and which of them
    decoding can begin at; in units of the stream's clock. `trusted` is False where the container
    keeps no good clock: there frames are told apart by counting, and `shown` are mere numbers."""

    shown: tuple[int, ...]
    keys: tuple[int, ...]
    trusted: bool


class _Film:
    """The first picture stream of a container, gone through forwards."""

    def __init__(self, data: bytes) -> None:
        import av  # noqa: PLC0415  (not there on every machine)

        self._av = av
        self._data = data
        self._rewind()
        width, height = self._stream.width, self._stream.height
        if width * height > MOST_PIXELS:
            raise EndpointFault("unsupported", f"is too large ({width} × {height} pixels).")
        self._packets = self._scanned()
        self._rewind()
        self._last: Any = None
        self._at = -1  # where `_last` stands, in units of `_packets.shown`
        self._drawn: tuple[Any, bytes] | None = None  # a frame may stand twice

    def head(self) -> dict[str, Any]:
        """What is known before the frames are: their count, pace and size as shown upright."""
        shown = self._packets.shown
        picture = _upright(self._reached(shown[0]))
        fps = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        if not 0 < fps <= 1000:
            seconds = float((shown[-1] - shown[0]) * self._stream.time_base)
            fps = (len(shown) - 1) / seconds if seconds > 0 else 1.0
        return {"frames": len(shown), "fps": fps, "height": picture.height, "width": picture.width}

    def frame(self, index: int, size: tuple[int, int]) -> bytes:
        """The frame of this number, or where it is damaged the next one that is whole: RGB."""
        from PIL import Image  # noqa: PLC0415  (only this process needs it without torch)

        found = self._reached(self._packets.shown[index])
        if self._drawn is None or self._drawn[0] is not found:
            height, width = size
            drawn = _upright(found).resize((width, height), Image.Resampling.BICUBIC)
            self._drawn = (found, drawn.tobytes())
        return self._drawn[1]

    def _rewind(self) -> None:
        """Begin anew. Opened again, since not every container finds back to its start."""
        self._container = _opened(self._av, self._data)
        if not self._container.streams.video:
            raise EndpointFault("unsupported", "holds sound and no picture; send a video.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = min(_THREADS, os.cpu_count() or 1)
        self._decoded = self._container.decode(self._stream)

    def _scanned(self) -> _Packets:
        """Read all packets, without decoding: heads of files are often wrong about frames."""
        shown: list[int | None] = []
        keys: list[int] = []
        try:
            for packet in self._container.demux(self._stream):
                if not packet.size or packet.is_discard:
                    continue
                shown.append(packet.pts)
                if packet.is_keyframe and packet.pts is not None:
                    keys.append(packet.pts)
        except self._av.error.FFmpegError:
            pass  # cut short: what was found so far is all there is
        if not shown:
            raise EndpointFault("bad_request", "is damaged or empty; send it again.")
        known = sorted(time for time in shown if time is not None)
        if len(known) < len(shown) or self._container.format.name not in _CLOCKED:
            return _Packets(tuple(range(len(shown))), (), trusted=False)
        return _Packets(tuple(known), tuple(sorted(keys)), trusted=True)

    def _reached(self, time: int) -> Any:
        """The frame that is shown at `time`, which lies not before the last one asked for."""
        place = bisect_right(self._packets.keys, time)
        key = self._packets.keys[place - 1] if place else None
        if self._last is not None and self._at < time and key is not None and key > self._at:
            self._jump(key)
        while self._last is None or self._at < time:
            if not self._advance():
                break
        if self._last is None:
            raise EndpointFault("bad_request", "is damaged: no frame can be decoded; send it anew.")
        return self._last

    def _jump(self, key: int) -> None:
        """To a frame that decoding can begin at; where the container lands behind it, on foot."""
        before = self._last, self._at
        with suppress(self._av.error.FFmpegError):
            self._container.seek(key, stream=self._stream, backward=True)
            self._decoded = self._container.decode(self._stream)
            if self._advance() and self._at <= key:
                return
        self._rewind()
        self._last, self._at = before

    def _advance(self) -> bool:
        """Decode one frame more; False at the end. Broken packets are stepped over."""
        for _ in range(_BROKEN_PACKETS):
            try:
                frame = next(self._decoded, None)
            except self._av.error.InvalidDataError:
                self._decoded = self._container.decode(self._stream)
                continue
            if frame is None:
                return False
            timed = self._packets.trusted and frame.pts is not None
            self._last, self._at = frame, frame.pts if timed else self._at + 1
            return True
        return False


def _opened(av: Any, data: bytes) -> Any:
    """The container named after its own first bytes: a playlist must not open other files."""
    form = next((name for start, name in _STARTS if data.startswith(start)), "")
    if data[4:8] in _ATOMS:
        form = "mov"
    elif data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        form = "avi"
    elif data[:1] == b"\x47" and data[188:189] == b"\x47":
        form = "mpegts"
    if not form:
        message = "is no video that can be read; send MP4, MOV, WebM, MKV, AVI or MPEG-TS."
        raise EndpointFault("unsupported", message)
    return av.open(BytesIO(data), format=form, metadata_errors="replace")


def _upright(frame: Any) -> Any:
    """As a player shows it: square pixels, turned as the file says."""
    picture = frame.to_image()
    aspect = float(getattr(frame, "sample_aspect_ratio", None) or 1)
    if aspect != 1 and 0.2 < aspect < 5:
        picture = picture.resize((max(1, round(picture.width * aspect)), picture.height))
    turn = int(getattr(frame, "rotation", 0) or 0)
    return picture.rotate(turn, expand=True) if turn % 360 else picture


# --- the process ----------------------------------------------------------------------------


def _bound(memory: int, seconds: int) -> None:
    if sys.platform == "win32":
        return  # the parent's clock is the only limit there
    import resource  # noqa: PLC0415  (does not exist on Windows)

    wanted = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds * _THREADS),  # an orphan ends too
    )
    for limit, most in wanted:
        hard = resource.getrlimit(limit)[1]
        if hard == resource.RLIM_INFINITY or most <= hard:
            resource.setrlimit(limit, (most, hard))


def _take_stdout() -> BinaryIO:
    """The real stdout for us alone: libraries that print get stderr instead."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _as_error(error: Exception) -> dict[str, str]:
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, EndpointFault):
        return {"kind": error.kind, "message": error.message, "detail": error.detail}
    if isinstance(error, ImportError):
        return {"kind": "no_decoder", "message": "", "detail": detail}
    if isinstance(error, MemoryError):
        message = "needs more memory than it may have; send a smaller one."
        return {"kind": "bad_request", "message": message, "detail": detail}
    message = "is damaged or cut short; send it again."
    return {"kind": "bad_request", "message": message, "detail": detail}


def _say(out: BinaryIO, said: dict[str, Any]) -> None:
    out.write(LINE + json.dumps(said).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
