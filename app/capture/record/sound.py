"""The sound of one recording: what the ear hears, put where it belongs in the film; what is missing
is silence, and a person is told. Knows no screen."""

from __future__ import annotations

import time

import numpy as np

from app.capture.record.clock import Clock
from app.capture.record.ear import Ear, Samples
from app.capture.record.track import RATE, Track
from app.capture.record.writer import Writer

_OPENING = 8.0  # seconds in which it is known whether there is sound
_NONE = (
    "No sound came from the microphone, so the recording has none; check it in the system's sound "
    "settings."
)
_GONE = "The microphone stopped at {at}; from there on the recording is silent."


class Sound:
    """Every call comes on the recorder's own thread. Without a microphone it does nothing."""

    def __init__(self, wanted: bool) -> None:
        self._ear = Ear() if wanted else None
        self._until = time.monotonic() + _OPENING
        self._track = Track()
        self._lost: float | None = None  # when it went away
        self._writer: Writer | None = None  # where the film has a place for it
        self._paused = 0.0  # when, last

    @property
    def settled(self) -> bool:
        """Whether a recording may begin."""
        return self._ear is None or self._ear.settled or time.monotonic() > self._until

    @property
    def on(self) -> bool:
        """Whether what is said now is recorded."""
        return self._writer is not None and self._lost is None

    @property
    def note(self) -> str:
        """A sentence where it went wrong."""
        if self._ear is None:
            return ""
        if self._writer is None:
            return _NONE
        return _GONE.format(at=_moment(self._lost)) if self._lost is not None else ""

    @property
    def there(self) -> bool:
        """Whether something is heard, so that the film has a place for it."""
        return self._ear is not None and self._ear.heard

    def begin(self, writer: Writer) -> None:
        """From now on it goes there, if there is a place for it."""
        if writer.sounds:
            self._writer = writer
        else:
            self.close()

    def feed(self, clock: Clock) -> None:
        """Gives on what was heard since, but for what was said during a pause."""
        if self._ear is None or self._writer is None:
            return
        over = self._ear.over  # before the last is taken
        for came, samples in self._ear.taken():
            kept = samples
            if clock.paused:  # what comes late was said before
                kept = samples[: max(0, samples.size - round((came - self._paused) * RATE))]
            if kept.size:
                self._put(clock.time(came), kept)
        if not clock.paused:
            now = clock.time(time.monotonic())
            self._be_silent(self._track.fill(now))
            self._watch(now, over=over)

    def pause(self, clock: Clock, now: float) -> None:
        """Before the clock stands still."""
        if not clock.paused:
            self.feed(clock)
            self._paused = now

    def resume(self, clock: Clock) -> None:
        """Before the clock goes on: what is heard next follows the pictures before the pause."""
        if clock.paused:
            self.feed(clock)
            self._be_silent(self._track.end(clock.time(self._paused)))
            self._track.loosen()

    def end(self, at: float) -> None:
        """The sound lasts as long as the pictures."""
        self._be_silent(self._track.end(at))
        self.close()

    def close(self) -> None:
        if self._ear is not None:
            self._ear.close()

    def _put(self, at: float, samples: Samples) -> None:
        place = self._track.place(at, samples.size)
        self._be_silent(place.silence)
        if place.skipped < samples.size:
            self._write(samples[place.skipped :])
            self._lost = None

    def _be_silent(self, count: int) -> None:
        if count:
            self._write(np.zeros(count, np.int16))

    def _write(self, samples: Samples) -> None:
        if self._writer is not None:
            self._writer.add_sound(samples)

    def _watch(self, now: float, *, over: bool) -> None:
        if self._lost is None and (over or self._track.silent):
            self._lost = now if over else max(0.0, now - self._track.silence)


def _moment(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
