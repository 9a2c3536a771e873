"""What the user puts in: files and pictures become attachments, frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QImageReader

from app.docs.reader import DocumentWorker, Opened, Remark, Request
from app.ui.attachment import Attachment
from app.ui.tasks import Tasks
from app.vocabulary import Clip, DocumentFault, Frame, Source


class Intake:
    """Holds the attachments of the question being written; `changed` is told after each change."""

    def __init__(
        self,
        worker: DocumentWorker,
        tasks: Tasks,
        changed: Callable[[tuple[Attachment, ...]], None],
    ) -> None:
        self._worker = worker
        self._tasks = tasks
        self._changed = changed
        self._waiting: dict[int, Attachment] = {}
        self._paths: dict[int, Path] = {}
        self._readings: dict[int, asyncio.Task[None]] = {}
        self._count = 0

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(self._waiting.values())

    @property
    def frames(self) -> tuple[Frame, ...]:
        return tuple(frame for item in self._waiting.values() for frame in item.frames)

    @property
    def clips(self) -> tuple[Clip, ...]:
        return tuple(clip for item in self._waiting.values() for clip in item.clips)

    def add_files(self, paths: Sequence[Path]) -> None:
        for path in paths:
            attachment = self._new(path.name)
            self._paths[attachment.id] = path
            self._start(attachment.id, None)

    def add_picture(self, image: bytes, media_type: str, source: Source) -> None:
        width, height = _size(image)
        frame = Frame(image, media_type, width, height, source)
        attachment = self._new(source.name)
        self._put(replace(attachment, frames=(frame,), expected=1, done=True))

    def add_frames(self, name: str, frames: Sequence[Frame], clips: Sequence[Clip] = ()) -> None:
        """What is pictures already; a recording beside its frames, where it may go whole."""
        new = replace(self._new(name), expected=len(frames), done=True)
        self._put(replace(new, frames=tuple(frames), clips=tuple(clips)))

    def unlock(self, attachment: int, password: str) -> None:
        if attachment in self._paths:
            self._put(Attachment(attachment, self._waiting[attachment].name))
            self._start(attachment, password)

    def remove(self, attachment: int) -> None:
        if self._waiting.pop(attachment, None) is None:
            return
        self._paths.pop(attachment, None)
        if reading := self._readings.pop(attachment, None):
            reading.cancel()
        self._changed(self.attachments)

    def clear(self) -> None:
        for attachment in tuple(self._waiting):
            self._forget(attachment)
        self._changed(())

    async def settled(self) -> None:
        """Waits until every attachment is read or failed."""
        while self._readings:
            await asyncio.wait(tuple(self._readings.values()))

    def _forget(self, attachment: int) -> None:
        self._waiting.pop(attachment)
        self._paths.pop(attachment, None)
        if reading := self._readings.pop(attachment, None):
            reading.cancel()

    def _new(self, name: str) -> Attachment:
        self._count += 1
        attachment = Attachment(self._count, name)
        self._put(attachment)
        return attachment

    def _put(self, attachment: Attachment) -> None:
        self._waiting[attachment.id] = attachment
        self._changed(self.attachments)

    def _start(self, attachment: int, password: str | None) -> None:
        task = self._tasks.spawn(self._read(attachment, password), f"read {attachment}")
        self._readings[attachment] = task
        task.add_done_callback(lambda done: self._ended(attachment, done))

    def _ended(self, attachment: int, task: asyncio.Task[None]) -> None:
        if self._readings.get(attachment) is task:
            del self._readings[attachment]

    async def _read(self, attachment: int, password: str | None) -> None:
        request = Request(self._paths[attachment], password=password, ocr="never")
        try:
            async for found in self._worker.read(request):
                self._take(attachment, found)
            self._amend(attachment, done=True)
        except DocumentFault as fault:
            self._amend(attachment, error=fault.as_error())

    def _take(self, attachment: int, found: Opened | Remark | Frame) -> None:
        known = self._waiting.get(attachment)
        if known is None:
            return
        match found:
            case Opened():
                warnings = known.warnings + found.warnings
                self._amend(attachment, expected=found.pages, warnings=warnings)
            case Remark():
                self._amend(attachment, warnings=(*known.warnings, found.text))
            case Frame():
                self._amend(attachment, frames=(*known.frames, found))

    def _amend(self, attachment: int, **changes: object) -> None:
        known = self._waiting.get(attachment)
        if known is not None:
            self._put(replace(known, **changes))  # type: ignore[arg-type]


def _size(image: bytes) -> tuple[int, int]:
    """Read from the header: decoding a 4K picture would hold the window for a quarter second."""
    buffer = QBuffer()
    buffer.setData(QByteArray(image))
    size = QImageReader(buffer).size()
    return size.width(), size.height()
