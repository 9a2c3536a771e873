"""What is cut out of a recording: its thumbnails, the frame at a moment, the frames to be sent, the
part as a file; one after the other and always the newest wish. Knows no widget and no endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.capture.record.facts import Recorded, Thumb
from app.capture.record.review import chosen, thumbnails, trimmed
from app.docs.budget import film_tokens, fit, tokens
from app.ui.film.filmstrip import HEIGHT
from app.ui.tasks import Tasks
from app.ui.thumbnails import shrink
from app.vocabulary import CaptureFault, Clip, Frame

PICTURES = 14  # thumbnails along the strip
PREVIEW = 720  # px, the height of the frame that is looked at
SMALL = QSize(240, 150)  # px of a chosen frame
SIDE = 1920  # px, the longest side of a video that goes whole
LARGEST = 100_000_000  # bytes of a video that goes whole
MP4 = "video/mp4"


@dataclass(frozen=True, slots=True)
class Part:
    """From when to when, in seconds, and how many frames of it at most."""

    start: float
    end: float
    most: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Chosen:
    """The frames of a part, and each of them small."""

    part: Part
    frames: tuple[Frame, ...]
    pictures: tuple[QImage, ...]


def cost(frames: tuple[Frame, ...], *, paired: bool) -> int:
    """Tokens, about; `paired` where two frames of a video are looked at as one."""
    count = sum(tokens(frame.width, frame.height) for frame in frames)
    return -(-count // 2) if paired else count


def cost_whole(recorded: Recorded, seconds: float) -> int:
    """Tokens, about, of a video that goes whole."""
    return film_tokens(*fit(recorded.width, recorded.height, SIDE), seconds)


class _Newest:
    """Runs one wish at a time; of those that come meanwhile only the last."""

    def __init__(self, tasks: Tasks, name: str) -> None:
        self._tasks = tasks
        self._name = name
        self._next: Callable[[], Awaitable[None]] | None = None
        self._running: asyncio.Task[None] | None = None

    def wish(self, work: Callable[[], Awaitable[None]]) -> None:
        self._next = work
        if self._running is None:
            self._running = self._tasks.spawn(self._work(), self._name)
            self._running.add_done_callback(self._ended)

    async def _work(self) -> None:
        while self._next is not None:
            work, self._next = self._next, None
            await work()

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._running = None


class Cut(QObject):
    """One recording. What can't be read is told once, as `failed`, in a sentence."""

    strip_made = Signal(object)  # tuple[QImage, ...]
    seen = Signal(float, QImage)  # seconds, the frame
    chosen = Signal(object)  # Chosen
    failed = Signal(str)

    def __init__(self, recorded: Recorded, tasks: Tasks, *, largest: int = LARGEST) -> None:
        super().__init__()
        self.recorded = recorded
        self._largest = largest
        self._looks = _Newest(tasks, "look at a recording")
        self._choices = _Newest(tasks, "choose frames")
        self._strips = _Newest(tasks, "thumbnails")

    def make_strip(self) -> None:
        self._strips.wish(self._make_strip)

    def look(self, seconds: float) -> None:
        self._looks.wish(lambda: self._look(seconds))

    def choose(self, part: Part) -> None:
        self._choices.wish(lambda: self._choose(part))

    async def save(self, part: Part, out: Path) -> None:
        """The part as an mp4 at `out`. Raises CaptureFault."""
        await trimmed(self.recorded.path, part.start, part.end, out)

    async def clip(self, part: Part, name: str) -> Clip:
        """The part as it goes whole. Raises CaptureFault."""
        out = self.recorded.path.with_suffix(".part.mp4")
        try:
            await self.save(part, out)
            data = await asyncio.to_thread(_read, out, self._largest)
        finally:
            await asyncio.to_thread(out.unlink, missing_ok=True)
        return Clip(data, MP4, name, part.seconds)

    async def _make_strip(self) -> None:
        try:
            thumbs = await thumbnails(self.recorded.path, count=PICTURES, height=2 * HEIGHT)
        except CaptureFault as fault:
            self.failed.emit(fault.message)
            return
        self.strip_made.emit(await asyncio.to_thread(_decoded, thumbs))

    async def _look(self, seconds: float) -> None:
        height = min(PREVIEW, self.recorded.height)
        try:
            (thumb,) = await thumbnails(
                self.recorded.path, count=1, height=height, start=seconds, end=seconds
            )
        except CaptureFault as fault:
            self.failed.emit(fault.message)
            return
        image = await asyncio.to_thread(QImage.fromData, thumb.jpeg)
        self.seen.emit(seconds, image)

    async def _choose(self, part: Part) -> None:
        path = self.recorded.path
        try:
            frames = await chosen(path, start=part.start, end=part.end, most=part.most, every=None)
        except CaptureFault as fault:
            self.failed.emit(fault.message)
            return
        pictures = await asyncio.to_thread(_shrunk, frames)
        self.chosen.emit(Chosen(part, frames, pictures))


def _decoded(thumbs: tuple[Thumb, ...]) -> tuple[QImage, ...]:
    return tuple(QImage.fromData(thumb.jpeg) for thumb in thumbs)


def _shrunk(frames: tuple[Frame, ...]) -> tuple[QImage, ...]:
    return tuple(_framed(shrink(frame.image, SMALL)) for frame in frames)


def _framed(picture: QImage) -> QImage:
    """With a thin line, so that a white page ends somewhere on a white ground."""
    if picture.isNull():
        return picture
    framed = picture.convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(framed)
    painter.setPen(QPen(QColor(128, 128, 128, 110), 2))
    painter.drawRect(framed.rect().adjusted(1, 1, -1, -1))
    painter.end()
    return framed


def _read(path: Path, largest: int) -> bytes:
    size = path.stat().st_size
    if size > largest:
        raise CaptureFault(
            "too_large",
            f"The video has {size / 1e6:.0f} MB; up to {largest / 1e6:.0f} MB can be sent whole. "
            "Cut it shorter, or send its frames.",
        )
    return path.read_bytes()
