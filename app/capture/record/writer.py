"""Pictures and sound to a Matroska file that can be played whenever the process is killed; knows no
screen.

A thread of its own encodes, so that a look at the screen never waits for the encoder. Only what
changed is converted: the encoder's own picture is kept and patched. Each cluster is written out
after a quarter of a second, and a picture that stays is written again twice a second, for a cluster
goes to the disk only when the next begins.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from app.capture.record.canvas import Patch, Pixels
from app.capture.record.track import RATE
from app.disk import disk_fault
from app.vocabulary import CaptureFault

BEAT = 0.5  # seconds after which a picture that stays is written again
_CLUSTER = 250  # ms
_BACKLOG = 400_000_000  # bytes of patches that wait for the encoder
_KEY = 10_000  # ms between two pictures that can be jumped to
_CLOCK = Fraction(1, 1000)
_LARGE = 3_000_000  # pixels from which one core is too slow for a picture that moves
_NICE = 10
_BT709, _LIMITED = 1, 1  # ISO/IEC 23091-2's numbers, as FFmpeg has them
# x264's quickest way, each picture handed over at once; constant quality, type stays legible
_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "22"}
_VOICE = 64_000  # bits a second
_APART = 400_000  # µs that a picture waits at most for the sound beside it, or the other way


@dataclass(frozen=True, slots=True)
class _Step:
    """What changed at `time`, ms of the file."""

    time: int
    patches: tuple[Patch, ...]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Sound that follows what was given before."""

    samples: NDArray[np.int16]


class Writer:
    """Raises CaptureFault where the file can't be made; later ones stand in `fault`."""

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: int,
        done: Callable[[Patch], None] = lambda _: None,
        *,
        sound: bool = False,
    ) -> None:
        """`done` hears of each patch that is not looked at any more, on the encoder's thread."""
        self._done = done
        self.sounds = sound
        self.fault: CaptureFault | None = None
        self.frames = 0
        self._path = path
        try:
            self._file = _File(path)
        except OSError as error:
            raise _disk(error, path) from error
        self._film = _Film(self._file, size, rate, sound=sound)
        self._given = self._laid = 0  # bytes of patches; each counted by one thread alone
        self._steps: queue.SimpleQueue[_Step | _Chunk | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="encoder")
        self._thread.start()

    @property
    def bytes(self) -> int:
        """On the disk, as far as they are written."""
        return self._file.size

    @property
    def handle(self) -> int:
        return self._file.handle

    @property
    def full(self) -> bool:
        """Whether the encoder is so far behind that it must not be given more."""
        return self._given - self._laid > _BACKLOG

    def add(self, time: float, patches: tuple[Patch, ...]) -> None:
        """What the picture became at `time`, seconds of the file; without patches it stayed."""
        self._given += sum(patch.pixels.nbytes for patch in patches)
        self._steps.put(_Step(round(time * 1000), patches))

    def add_sound(self, samples: NDArray[np.int16]) -> None:
        """What was heard next, 48 kHz mono: the film has sound from its begin, without a gap."""
        self._steps.put(_Chunk(samples))

    def finish(self) -> None:
        """Waits until everything is written and closed."""
        self._steps.put(None)
        self._thread.join()
        self._file.close()

    def _work(self) -> None:
        _step_back()
        while (step := self._steps.get()) is not None:
            if isinstance(step, _Chunk):
                if self.fault is None:
                    self._try(partial(self._film.hear, step.samples))
                continue
            self._laid += sum(patch.pixels.nbytes for patch in step.patches)
            if self.fault is None:
                self._try(partial(self._film.write, step))
                self.frames += self.fault is None
            for patch in step.patches:
                self._done(patch)
        self._try(self._film.close)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self.fault = self.fault or _disk(error, self._path)
        except Exception as error:  # a thread's entry: the one that waits has to hear of it
            message = "The recording can't be encoded; what was recorded before is kept."
            self.fault = self.fault or CaptureFault("capture_failed", message, repr(error))


class _Film:
    """The encoder, the container and the picture that the patches are laid on."""

    def __init__(self, file: _File, size: tuple[int, int], rate: int, *, sound: bool) -> None:
        # clusters as short as this, and each written out when it is done
        options = {"cluster_time_limit": str(_CLUSTER), "flush_packets": "1"}
        options |= {"max_interleave_delta": str(_APART)}
        self._container = av.open(file, "w", format="matroska", options=options)
        stream = self._container.add_stream("libx264", rate=rate, options=_OPTIONS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        coder = stream.codec_context
        coder.time_base = _CLOCK
        coder.thread_count = threads(size[0] * size[1], os.cpu_count() or 1)
        coder.gop_size = 100_000  # by time instead
        coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
        coder.color_range = _LIMITED
        self._stream = stream
        self._voice = _voice(self._container) if sound else None
        self._heard = 0  # samples
        self._picture = av.VideoFrame(*size, "yuv420p")
        self._planes = [_plane(plane) for plane in self._picture.planes]
        self._last = -1
        self._key = -_KEY

    def write(self, step: _Step) -> None:
        for patch in step.patches:
            self._lay(patch)
        time = max(step.time, self._last + 1)
        self._last = time
        key = time - self._key >= _KEY
        self._key = time if key else self._key
        self._picture.pts, self._picture.time_base = time, _CLOCK
        self._picture.pict_type = PictureType.I if key else PictureType.NONE
        self._container.mux(self._stream.encode(self._picture))

    def hear(self, samples: NDArray[np.int16]) -> None:
        assert self._voice is not None
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts, frame.time_base = self._heard, Fraction(1, RATE)
        self._heard += samples.size
        self._container.mux(self._voice.encode(frame))

    def close(self) -> None:
        try:
            self._container.mux(self._stream.encode(None))
            if self._voice is not None:
                self._container.mux(self._voice.encode(None))
        finally:
            self._container.close()

    def _lay(self, patch: Patch) -> None:
        for place, part in zip(self._planes, converted(patch.pixels), strict=True):
            shrink = 1 if place is self._planes[0] else 2
            x, y = patch.x // shrink, patch.y // shrink
            height, width = part.shape
            place[y : y + height, x : x + width] = part


def _voice(container: Any) -> Any:
    stream = container.add_stream("libopus", rate=RATE)
    stream.codec_context.layout, stream.bit_rate = "mono", _VOICE
    return stream


def threads(pixels: int, cores: int) -> int:
    """Of the encoder: half of the cores stay for what looks at the screen and what it shows."""
    return max(1, min(4, cores // 2)) if pixels > _LARGE else 1


def _step_back() -> None:
    """Encoding can wait, looking can't: this thread, and those it starts, come after the other.
    Only Linux tells threads apart there."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def converted(pixels: Pixels) -> list[Pixels]:
    """Planes Y, U and V of BGRX pixels of even size (BT.709, limited range)."""
    height, width = pixels.shape[:2]
    given = av.VideoFrame(width, height, "bgra")
    plane = given.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(height, plane.line_size)
    rows[:, : width * 4] = pixels.reshape(height, width * 4)
    # AREA takes no neighbour in: patches of one picture meet without a seam
    drawn = given.reformat(
        format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", interpolation="AREA"
    )
    return [_plane(plane) for plane in drawn.planes]


def _plane(plane: Any) -> Pixels:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


class _File:
    """The file as FFmpeg's writer wants it, with its size; short writes go on."""

    def __init__(self, path: Path) -> None:
        self._raw = os.fdopen(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb", 0
        )
        self.size = 0

    @property
    def handle(self) -> int:
        return self._raw.fileno()

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) :]
        self.size = max(self.size, self._raw.tell())
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def close(self) -> None:
        self._raw.close()


_BINARY = getattr(os, "O_BINARY", 0)


def _disk(error: OSError, path: Path) -> CaptureFault:
    found = disk_fault(error, "write the recording", path.parent)
    return CaptureFault(found.kind, found.message, found.detail)


def drawn(data: bytes, width: int, height: int) -> Pixels:
    """I420 (BT.709, limited range) as BGRX pixels."""
    given = av.VideoFrame(width, height, "yuv420p")
    at = 0
    for plane in given.planes:
        rows, columns = plane.height, plane.width
        size = rows * columns
        _plane(plane)[:] = np.frombuffer(data, np.uint8, size, at).reshape(rows, columns)
        at += size
    return given.reformat(format="bgra", src_colorspace="ITU709").to_ndarray()  # type: ignore[no-any-return]
