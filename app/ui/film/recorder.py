"""A recording as people see it: from the wish to the question. Knows no session: what was decided
is told by `taken`, and a recording that nobody asked about is never thrown away unseen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path

from PySide6.QtCore import QFileInfo, QLocale, QObject, QRect, Signal
from PySide6.QtGui import QGuiApplication

from app.capture.obstacle import wayland
from app.capture.record.facts import Area, Progress, Recorded
from app.capture.record.recorder import Recorder, discarded, left_over, recovered
from app.capture.record.review import inspected
from app.ui.film.clearing import Arrivals, Clearing
from app.ui.film.notice import Deed, Notice
from app.ui.film.pursuit import Pursuit
from app.ui.film.surround import Surround
from app.ui.film.trim import Film, Trim
from app.ui.look import Look
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.vocabulary import CaptureFault, Error, Region

log = logging.getLogger(__name__)

__all__ = ["Film", "RecorderFlow"]

FOLDER = "recordings"  # in the data folder
GAP = 8  # px between two notices
CLEARED = 0.15  # s until what was below our windows is drawn
REGRET = 10.0  # s in which what was discarded can be had back

AskArea = Callable[[], Awaitable[Area | None]]


class RecorderFlow(QObject):
    """One recording at a time; any number of them wait in their windows to be asked about.
    `state_changed` carries "idle", "waiting", "recording" or "paused"."""

    taken = Signal(object)  # Film
    state_changed = Signal(str)
    noticed = Signal(object)  # Error

    def __init__(self, services: Services, look: Look, ask_area: AskArea) -> None:
        super().__init__()
        self._services = services
        self._look = look
        self._ask_area = ask_area
        self._folder = services.folders.data / FOLDER
        self._tasks = Tasks(self._failed)
        self._state = "idle"
        self._running: asyncio.Task[None] | None = None
        self._recorder: Recorder | None = None
        self._surround: Surround | None = None
        self._unwanted = False  # what is being recorded
        self._closing = False
        self._trims: list[Trim] = []
        self._notices: list[Notice] = []
        services.place_changed.connect(self._place_moved)

    # --- what can be wished -----------------------------------------------------------------

    @property
    def state(self) -> str:
        return self._state

    def toggle(self, area: Area | None = None) -> None:
        """Starts, of an area that is asked for where none is given; or ends what runs."""
        if self._running is None:
            self._running = self._tasks.spawn(self._record(area), "record")
            self._running.add_done_callback(self._over)
        elif self._state == "waiting":
            self.cancel()
        else:
            self.finish()

    def finish(self) -> None:
        """Ends it and opens its window."""
        if self._recorder is not None:
            self._tasks.spawn(self._finish(self._recorder), "finish a recording", kept=True)

    def pause(self, rest: bool = True) -> None:
        if self._recorder is not None:
            self._tasks.spawn(self._pause(self._recorder, rest), "pause a recording")

    def cancel(self) -> None:
        """Ends it; what there is of it can be had back for a while."""
        self._unwanted = True
        if self._recorder is None:
            return
        if self._state == "waiting":
            self._tasks.spawn(self._give_up(self._recorder), "give a recording up")
        else:
            self.finish()

    async def offer_left_over(self) -> None:
        """Asks what to do with recordings that an end of the program left."""
        torn, whole = await asyncio.to_thread(_found, self._folder)
        for path in (*torn, *whole):
            try:
                recorded = await (recovered(path) if path in torn else inspected(path))
            except CaptureFault:
                log.warning("nothing in %s can be played", path)
                continue
            self._offer(recorded)

    async def close(self) -> None:
        """Before the services end: a recording under way is ended and kept for the next start."""
        self._closing = True
        for notice in tuple(self._notices):
            notice.take_away()
        if self._recorder is not None:
            with suppress(CaptureFault):  # there was no picture yet
                await self._recorder.finish()
        await self._tasks.end()
        for trim in self._trims:
            trim.hide()
            trim.deleteLater()
        self._trims.clear()

    # --- one recording ----------------------------------------------------------------------

    async def _record(self, area: Area | None) -> None:
        area = area or (_shared() if wayland() else await self._ask_area())
        if area is None:
            return
        self._unwanted = False
        surround = self._surround = self._around(area)
        clearing = Clearing(surround.area)
        try:
            recorded = await self._film(area, surround, cleared=clearing.hidden)
        finally:
            self._recorder = self._surround = None
            surround.close()
            if not self._closing:
                clearing.back()
            self._show_state("idle")
        if recorded is not None and not self._closing:
            self._keep(recorded)

    async def _film(self, area: Area, surround: Surround, *, cleared: bool) -> Recorded | None:
        """From the wish to the file, however that ends; None where it was given up."""
        settings = self._services.settings
        self._show_state("waiting")
        self._told(Progress(settings.recording.delay, 0, 0, 0, "waiting"))
        surround.open()
        if cleared:
            await asyncio.sleep(CLEARED)
        pursuit = Pursuit(area, settings.never_captured, surround.is_mark)
        hidden = (*surround.hidden, *(await pursuit.look()).private)
        recorder = self._recorder = Recorder(self._folder, self._told)
        await recorder.start(area, settings.recording, hidden=hidden)
        if self._unwanted:  # given up before it had begun
            await recorder.cancel()
        watch = self._tasks.spawn(_watch(pursuit, surround, recorder), "watch over a recording")
        arrivals = Arrivals(surround.windows)
        arrivals.came.connect(lambda rect: self._cover(rect, pursuit, hidden))
        try:
            return await recorder.ended if recorder.ended is not None else None
        finally:
            watch.cancel()
            arrivals.close()

    def _cover(self, rect: QRect, pursuit: Pursuit, hidden: tuple[Region, ...]) -> None:
        """A window of ours comes: black before it is there, and then what of it is seen."""
        if self._recorder is not None and self._surround is not None:
            pursuit.renew()
            places = (*hidden, self._surround.native(rect))
            self._tasks.spawn(self._recorder.hide(places), "cover a window")

    def _around(self, area: Area) -> Surround:
        made = Surround(self._look, area, self._services.settings.recording)
        made.bar.paused.connect(self.pause)
        made.bar.cancelled.connect(self.cancel)
        made.bar.finished.connect(self.finish)
        return made

    def _keep(self, recorded: Recorded) -> None:
        if self._unwanted:
            self._regret(recorded, lambda: self._open(recorded))
        else:
            self._open(recorded)

    def _over(self, _task: asyncio.Task[None]) -> None:
        self._running = None
        self._show_state("idle")

    def _told(self, progress: Progress) -> None:
        if self._surround is not None:
            self._surround.show_progress(progress)
        if progress.state != "finishing":
            self._show_state(progress.state)

    def _show_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    async def _finish(self, recorder: Recorder) -> None:
        await recorder.finish()

    async def _give_up(self, recorder: Recorder) -> None:
        await recorder.cancel()

    async def _pause(self, recorder: Recorder, rest: bool) -> None:
        await (recorder.pause() if rest else recorder.resume())

    # --- its window -------------------------------------------------------------------------

    def _open(self, recorded: Recorded) -> None:
        trim = Trim(self._look, recorded, self._tasks, self._services.place)
        self._trims.append(trim)
        trim.asked.connect(lambda film: self._take(trim, film))
        trim.discarded.connect(lambda: self._discard(trim))
        self._services.warm()
        self._show(trim)

    def _show(self, trim: Trim) -> None:
        trim.show()
        trim.raise_()
        trim.activateWindow()

    def _take(self, trim: Trim, film: Film) -> None:
        self._trims.remove(trim)
        trim.hide()
        trim.deleteLater()
        self.taken.emit(film)
        self._remove(film.path)

    def _discard(self, trim: Trim) -> None:
        self._regret(trim.cut.recorded, lambda: self._show(trim), lambda: self._forget(trim))

    def _forget(self, trim: Trim) -> None:
        if trim in self._trims:
            self._trims.remove(trim)
            trim.deleteLater()

    def _place_moved(self, _place: object) -> None:
        for trim in self._trims:
            trim.show_place(self._services.place)

    # --- what is thrown away ----------------------------------------------------------------

    def _regret(
        self,
        recorded: Recorded,
        back: Callable[[], None],
        gone: Callable[[], None] = lambda: None,
    ) -> None:
        """Says that it is discarded and does so a while later."""
        notice = Notice(
            self._look,
            self.tr("The recording was discarded."),
            (Deed(self.tr("Undo"), back, first=True),),
            icon="trash-2",
        )
        notice.passed.connect(gone)
        notice.passed.connect(lambda: self._remove(recorded.path))
        self._raise(notice, REGRET)

    def _offer(self, recorded: Recorded) -> None:
        when = QFileInfo(str(recorded.path)).lastModified()
        said = QLocale().toString(when, QLocale.FormatType.ShortFormat)
        notice = Notice(
            self._look,
            self.tr("A recording from {when} was saved.").format(when=said),
            (
                Deed(
                    self.tr("Discard"), lambda: self._regret(recorded, lambda: self._open(recorded))
                ),
                Deed(self.tr("Open"), lambda: self._open(recorded), first=True),
            ),
            icon="video",
        )
        self._raise(notice)

    def _raise(self, notice: Notice, seconds: float | None = None) -> None:
        below = sum(other.height() + GAP for other in self._notices)
        self._notices.append(notice)
        notice.ended.connect(lambda: self._notices.remove(notice))
        notice.open(seconds, lift=below)

    def _remove(self, path: Path) -> None:
        if not self._closing:  # else it is offered at the next start: an end is no wish
            self._tasks.spawn(discarded(path), "remove a recording", kept=True)

    def _failed(self, error: Error) -> None:
        self.noticed.emit(error)


def _shared() -> Area:
    """On Wayland what is recorded is chosen in the desktop's own dialog."""
    size = QGuiApplication.primaryScreen().size()
    return Area("screen", Region(0, 0, size.width(), size.height()))


async def _watch(pursuit: Pursuit, surround: Surround, recorder: Recorder) -> None:
    """The border goes with the window that is recorded, and what is private is black."""
    async with aclosing(pursuit.sights()) as sights:
        async for sight in sights:
            surround.follow(sight.region)
            await recorder.hide((*surround.hidden, *sight.private))


def _found(folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Recordings that a crash tore off, and whole ones that nobody asked about."""
    torn = left_over(folder)
    whole = (path for path in folder.glob("*.mkv") if not path.name.endswith(".part.mkv"))
    return torn, tuple(sorted(whole, reverse=True))
