"""The quick windows that are open, and one that waits hidden, so that the next is there at once;
knows neither the capture nor the main window."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, QRect, QTimer, Signal

from app.ui.look import Look
from app.ui.popup.quick import Quick
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.vocabulary import Frame

CALM = 1_200  # ms after one was shown until the next is built
GONE = 200  # ms after one was closed until then


class Taken(Protocol):
    """What was captured, and where it stood in the desktop's logical pixels."""

    @property
    def frame(self) -> Frame: ...

    @property
    def place(self) -> QRect: ...


class Quicks(QObject):
    """`opened_in_window`, `words_moved` and `moved_to_window` as a quick window's own."""

    opened_in_window = Signal(int)  # conversation
    words_moved = Signal(str)
    moved_to_window = Signal(object, str)  # Frame, words
    settings_wanted = Signal()

    def __init__(self, services: Services, look: Look) -> None:
        super().__init__()
        self._services = services
        self._look = look
        self._tasks = Tasks(services.noticed.emit)
        self._spare: Quick | None = None
        self._open: list[Quick] = []
        self._calm = QTimer(self, singleShot=True)
        self._calm.timeout.connect(self.prepare)
        self._calm.start(CALM)

    @property
    def windows(self) -> tuple[Quick, ...]:
        return tuple(self._open)

    def prepare(self) -> None:
        """Builds the one that waits; takes some 40 ms, so it is done when nothing is under way."""
        if any(known.busy for known in self._open):
            self._calm.start(CALM)
        elif self._spare is None:
            self._spare = self._build()

    def ask(self, taken: Taken) -> Quick:
        """A window for what was taken, beside where that was. Earlier ones go, unless they are
        pinned or still answer."""
        for known in self.windows:
            if not known.pinned and not known.busy:
                known.close()
        quick, self._spare = self._spare or self._build(), None
        self._open.append(quick)
        quick.open(taken.frame, taken.place)
        self._calm.start(CALM)
        return quick

    async def close(self) -> None:
        """Takes all of them away; before the services' own end."""
        for quick in self.windows:
            quick.close()
        self._calm.stop()
        spare, self._spare = self._spare, None
        if spare is not None:
            await self._bury(spare)
        await self._tasks.end()

    def _build(self) -> Quick:
        quick = Quick(self._services, self._look)
        quick.opened_in_window.connect(self.opened_in_window)
        quick.words_moved.connect(self.words_moved)
        quick.moved_to_window.connect(self.moved_to_window)
        quick.settings_wanted.connect(self.settings_wanted)
        quick.closed.connect(lambda: self._leave(quick))
        return quick

    def _leave(self, quick: Quick) -> None:
        if quick in self._open:
            self._open.remove(quick)
            self._calm.start(GONE)
            self._tasks.spawn(self._bury(quick), "end a quick window", kept=True)

    async def _bury(self, quick: Quick) -> None:
        await quick.end()
        quick.deleteLater()
