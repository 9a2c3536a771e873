"""The words in pictures, read ahead in the worker while the question is still being written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from app.docs.reader import DocumentWorker
from app.ui.tasks import Tasks
from app.vocabulary import DocumentFault, Frame


class Texts:
    """Reads each picture once, however often it is asked for, until `forget`."""

    def __init__(self, worker: DocumentWorker, tasks: Tasks) -> None:
        self._worker = worker
        self._tasks = tasks
        self._reading: dict[int, tuple[Frame, asyncio.Future[Frame]]] = {}  # by identity

    def begin(self, frames: Iterable[Frame]) -> None:
        """Starts reading what has no text layer yet."""
        for frame in frames:
            if frame.text_source == "none" and id(frame) not in self._reading:
                found: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
                self._reading[id(frame)] = (frame, found)
                self._tasks.spawn(self._read(frame, found), "read a picture's text")

    async def of(self, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        """The same frames with their text.

        Raises:
            DocumentFault: a picture can't be read.
        """
        self.begin(frames)
        known = [self._reading.get(id(frame)) for frame in frames]
        # shielded: a question that is stopped leaves the reading to the next one
        return tuple(
            [
                frame if entry is None else await asyncio.shield(entry[1])
                for frame, entry in zip(frames, known, strict=True)
            ]
        )

    def forget(self, frames: Iterable[Frame]) -> None:
        """They are kept elsewhere now."""
        for frame in frames:
            self._reading.pop(id(frame), None)

    async def _read(self, frame: Frame, found: asyncio.Future[Frame]) -> None:
        try:
            read = await self._worker.recognise(frame)
            if not found.done():
                found.set_result(read)
        except DocumentFault as fault:
            self._reading.pop(id(frame), None)
            if not found.done():
                found.set_exception(fault)
                found.exception()  # who asks hears of it; nobody has to ask
        finally:
            found.cancel()
