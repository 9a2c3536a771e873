"""Where sound stands in the film: samples are counted, what is missing becomes silence and what is
too much goes, so that sound and pictures never drift apart. Pure; times are seconds of the file."""

from __future__ import annotations

from dataclasses import dataclass

RATE = 48_000  # samples a second
_SLACK = RATE // 10  # that sound may stand off before it is set right: arrivals are uneven
_LATE = RATE * 2 // 5  # that sound may be missing before silence is written for it
_HELD = RATE // 5  # of these that stay open, for sound that is on its way
_GONE = 3 * RATE  # of silence in a row


@dataclass(frozen=True, slots=True)
class Place:
    """What to do with a chunk: so much `silence` before it, so many of its samples left out."""

    silence: int
    skipped: int


class Track:
    def __init__(self) -> None:
        self.at = 0
        """Samples written."""
        self._loose = True  # whether the next chunk is set right to the sample
        self._silent = 0  # samples in a row that nobody sent

    @property
    def silence(self) -> float:
        """Seconds since when no sound has come, as far as it is written."""
        return self._silent / RATE

    @property
    def silent(self) -> bool:
        """Whether no sound has come for so long that it is not late but gone."""
        return self._silent >= _GONE

    def loosen(self) -> None:
        """The next chunk does not follow the last one: the recording was paused between them."""
        self._loose = True

    def place(self, time: float, count: int) -> Place:
        """Takes a chunk of `count` samples whose last one was heard at `time`."""
        over = self.at + count - round(time * RATE)
        silence = skipped = 0
        if self._loose or abs(over) > _SLACK:
            silence, skipped = max(0, -over), min(count, max(0, over))
        if skipped < count:
            self._loose, self._silent = False, 0
        self.at += silence + count - skipped
        return Place(silence, skipped)

    def fill(self, time: float) -> int:
        """Samples of silence to be written because no sound has come for long."""
        missing = round(time * RATE) - self.at
        return self._written(missing - _HELD) if missing > _LATE else 0

    def end(self, time: float) -> int:
        """Samples of silence up to the end of the film."""
        return self._written(max(0, round(time * RATE) - self.at))

    def _written(self, count: int) -> int:
        self.at += count
        self._silent += count
        return count
