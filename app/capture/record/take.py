"""One recording from its first look to its last: when to look, what is asked meanwhile, where it
ends. Runs in the recorder's own process; knows no parent, only an inbox and someone to tell."""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.capture.record.canvas import Canvas
from app.capture.record.claim import claim
from app.capture.record.clock import Clock
from app.capture.record.eye import Eye, Over
from app.capture.record.facts import Order, Progress, Recorded, State, Why, regions_of_json
from app.capture.record.sound import Sound
from app.capture.record.writer import BEAT, Writer
from app.vocabulary import Region

Inbox = queue.SimpleQueue[dict[str, Any]]
CANCEL = "cancel"
_CHECK = 1.0  # seconds between two looks at everything, whatever the screen says of itself
_LATEST = 3.0  # the same while something changes all the time
_TELL = 0.25  # seconds between two reports
_HEAR = 0.1  # seconds between two looks for sound
_SPARE = 50_000_000  # bytes that stay free on the disk: enough to end the file and to go on
_NEVER = float("-inf")
_FULL = "The disk is full; the recording ended there and is kept."


class Take:
    """`done` is what came of it; None where it was cancelled. Raises CaptureFault."""

    def __init__(self, order: Order, eye: Eye, inbox: Inbox, tell: Callable[[Progress], None]):
        self._order = order
        self._eye = eye
        self._inbox = inbox
        self._tell = tell
        self._canvas = Canvas(eye.width, eye.height)
        self._hidden = order.hidden
        self._veiled: tuple[tuple[int, int], tuple[Region, ...]] | None = None
        self._why: tuple[Why, str] | None = None
        self._cancelled = False
        self._clock = Clock(time.monotonic())
        self._end = 0.0  # seconds of the file
        self._told = self._checked = self._written = _NEVER
        self._skipped = self._dropped = 0
        self._sound = Sound(order.microphone)

    def run(self) -> Recorded | None:
        try:
            return self._run()
        finally:
            self._sound.close()

    def _run(self) -> Recorded | None:
        if not self._waited():
            return None
        self._writer = self._opened()
        claim(self._writer.handle)
        self._warm()
        self._clock = Clock(time.monotonic())
        try:
            self._record()
        finally:
            self._writer.finish()
        if self._cancelled:
            self._order.path.unlink(missing_ok=True)
            return None
        return self._recorded()

    def _waited(self) -> bool:
        """Lets the seconds go that a person asked for, and those in which the microphone opens;
        False if it was called off meanwhile."""
        until = time.monotonic() + self._order.delay
        while (left := until - time.monotonic()) > 0 and self._why is None:
            self._tell(Progress(left, 0, 0, 0, "waiting"))
            self._heed(time.monotonic() + min(left, _TELL))
        while not self._sound.settled and self._why is None:
            self._heed(time.monotonic() + _HEAR / 4)
        return self._why is None and not self._cancelled

    def _opened(self) -> Writer:
        order, canvas, sound = self._order, self._canvas, self._sound.there
        made = Writer(order.path, canvas.size, order.frame_rate, canvas.recycle, sound=sound)
        self._sound.begin(made)
        return made

    def _warm(self) -> None:
        """A first look that is not kept: memory that was never used takes 0.3 s at 4K, in which
        changes would be lost."""
        with suppress(Over):  # said again by the look that counts
            self._put(whole=True)
        for patch in self._canvas.take(None):
            self._canvas.recycle(patch)
        self._canvas.renew()

    def _record(self) -> None:
        period = 1 / self._order.frame_rate
        due = time.monotonic()
        while self._why is None:
            now = time.monotonic()
            if not self._clock.paused:
                self._look(now)
                self._check_limits(now)
            self._report(now)
            due += period
            if (late := int((time.monotonic() - due) / period)) > 0:
                self._skipped += 0 if self._clock.paused else late
                due += late * period
            self._rest(due)
        self._finish()

    def _rest(self, until: float) -> None:
        """Does what is asked until then; sound comes all the time."""
        while self._why is None:
            self._sound.feed(self._clock)
            if (now := time.monotonic()) >= until:
                break
            self._heed(min(until, now + _HEAR))
        self._heed(until)

    def _look(self, now: float) -> None:
        if self._writer.full:
            self._skipped += 1
            return
        file_time = self._clock.time(now)
        try:
            self._see(now)
            patches = self._canvas.take(self._eye.pointer() if self._order.pointer else None)
        except Over as over:
            self._why = (over.why, over.note)
            return
        if patches:
            self._dropped += self._skipped
        self._skipped = 0
        if patches or file_time - self._written >= BEAT:
            self._writer.add(file_time, patches)
            self._written = file_time

    def _see(self, now: float) -> None:
        """Puts what changed on the canvas, and now and then, best while nothing moves, compares
        everything with it."""
        first = self._checked == _NEVER
        changed = not first and self._put(whole=False)
        if now - self._checked < (_LATEST if changed else _CHECK):
            return
        if self._put(whole=True) and not first:
            self._eye.doubt()
        self._checked = now

    def _put(self, *, whole: bool) -> bool:
        changed = False
        for x, y, pixels in self._eye.look(whole=whole):
            self._veil()
            changed |= self._canvas.put(x, y, pixels)
        return changed

    def _veil(self) -> None:
        """Hides what is to be hidden, where the area stands now."""
        corner = self._eye.corner()
        if self._veiled != (corner, self._hidden):
            self._veiled = (corner, self._hidden)
            x, y = corner
            self._canvas.hide(
                Region(part.x - x, part.y - y, part.width, part.height) for part in self._hidden
            )

    def _check_limits(self, now: float) -> None:
        if self._why is not None:
            return
        if self._writer.fault is not None:
            full = self._writer.fault.kind == "no_space"
            self._why = ("disk", _FULL) if full else ("lost", self._writer.fault.message)
        elif self._clock.time(now) >= self._order.longest:
            self._why = ("time", "")
        elif self._writer.bytes >= self._order.largest:
            self._why = ("size", "")
        elif now - self._told >= _TELL and _free(self._order) < _SPARE:
            self._why = ("disk", _FULL)

    def _report(self, now: float) -> None:
        if now - self._told >= _TELL:
            self._told = now
            state: State = "paused" if self._clock.paused else "recording"
            self._tell(self._progress(self._clock.time(now), state))

    def _progress(self, seconds: float, state: State) -> Progress:
        written = self._writer.bytes, self._writer.frames
        return Progress(seconds, *written, self._dropped, state, self._sound.on)

    def _heed(self, until: float) -> None:
        """Does what is asked until then."""
        while self._why is None:
            left = until - time.monotonic()
            try:
                asked = self._inbox.get(timeout=left) if left > 0 else self._inbox.get_nowait()
            except queue.Empty:
                return
            self._obey(asked)

    def _obey(self, asked: dict[str, Any]) -> None:
        now = time.monotonic()
        match asked["do"]:
            case "pause":
                self._sound.pause(self._clock, now)
                self._clock.pause(now)
            case "resume":
                self._sound.resume(self._clock)
                self._clock.resume(now)
            case "hide":
                self._hidden = regions_of_json(asked["hidden"])
                self._checked = _NEVER
            case "finish" | "cancel":
                self._cancelled = asked["do"] == CANCEL
                self._why = ("asked", "")
        self._told = _NEVER

    def _finish(self) -> None:
        self._end = min(self._clock.time(time.monotonic()), self._order.longest)
        self._tell(self._progress(self._end, "finishing"))
        self._sound.feed(self._clock)
        self._sound.end(self._end)
        self._writer.add(self._end, ())  # so that the last picture stands as long as it stood

    def _recorded(self) -> Recorded:
        why, note = self._why or ("asked", "")
        if self._writer.fault is not None and why != "disk":
            full = self._writer.fault.kind == "no_space"
            why, note = ("disk", _FULL) if full else ("lost", self._writer.fault.message)
        width, height = self._canvas.size
        size = self._order.path.stat().st_size
        note = " ".join(filter(None, (note, self._sound.note)))
        sound = self._writer.sounds
        return Recorded(self._order.path, self._end, size, width, height, why, note, sound)


def _free(order: Order) -> int:
    return shutil.disk_usage(order.path.parent).free
