"""What is written in the selection: the secrets in it, looked for once it has settled, and its
text; reads in the document worker and knows no widget."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.capture.encode import to_frame, to_shot
from app.capture.secrets import Secret, find
from app.ui.screen.marks import rect
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.vocabulary import DocumentFault, Frame, Region

SETTLED = 400  # ms without a change
LEAST = 24  # px: nothing is written in less


class Reading(QObject):
    """`found` carries the secrets in the still's own pixels, each time a region was read."""

    found = Signal(object)  # tuple[Secret, ...]

    def __init__(self, still: QImage, texts: Texts, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._still = still
        self._texts = texts
        self._tasks = tasks
        self._region: Region | None = None
        self._read: Region | None = None  # what was read last
        self._task: asyncio.Task[None] | None = None
        self._timer = QTimer(self, singleShot=True, interval=SETTLED)
        self._timer.timeout.connect(self._begin)

    def settle(self, region: Region | None) -> None:
        """The selection is now this one; it is read when it stays so."""
        self._region = region
        if region is None or min(region.width, region.height) < LEAST:
            self._timer.stop()
        elif region != self._read:
            self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()

    async def text(self, picture: QImage) -> str:
        """What is written in a picture. Raises DocumentFault."""
        return (await self._look(picture)).text

    def _begin(self) -> None:
        if self._task is None and self._region is not None:
            self._task = self._tasks.spawn(self._search(self._region), "look for secrets")
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and self._region not in (None, self._read):
            self._timer.start()  # it was changed meanwhile

    async def _search(self, region: Region) -> None:
        try:
            frame = await self._look(self._still.copy(rect(region)))
        except DocumentFault:
            self._read = region
            return  # nobody asked for it; copying the text says what is wrong
        if region == self._region:
            self._read = region
            inside = find(frame.lines, region.width, region.height)
            self.found.emit(tuple(_at(secret, region) for secret in inside))

    async def _look(self, picture: QImage) -> Frame:
        frame = await asyncio.to_thread(lambda: to_frame(to_shot(picture, "selection")))
        try:
            (read,) = await self._texts.of((frame,))
        finally:
            self._texts.forget((frame,))
        return read


def _at(secret: Secret, corner: Region) -> Secret:
    """Counted from the still's corner and not from the region's."""
    return Secret(
        secret.kind,
        tuple(
            Region(part.x + corner.x, part.y + corner.y, part.width, part.height)
            for part in secret.regions
        ),
    )
