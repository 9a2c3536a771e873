"""How long ranks may take, and a clock for it. Knows no process."""

from __future__ import annotations

import time
from dataclasses import dataclass

TICK = 0.25  # seconds between two looks at the clock


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds. `load` is for a process to come up and have its network; `read` for a part of a
    prompt, and for the first use of anything, which may compile kernels; `step` for a token;
    `silence` between two signs of life, of which `beat` is the distance; `agree` until all ranks
    have told of an error that one of them met; `end` for an orderly end."""

    load: float = 600.0
    read: float = 60.0
    step: float = 4.0
    silence: float = 3.0
    beat: float = 0.5
    agree: float = 2.0
    end: float = 2.0


LIMITS = Limits()


class Clock:
    """Seconds in which this process ran: one that was stopped, or starved on a busy machine, must
    not think that the others hang. It stands still unless it is looked at every TICK."""

    def __init__(self) -> None:
        self.now = 0.0
        self._last = time.monotonic()

    def look(self) -> float:
        last, self._last = self._last, time.monotonic()
        self.now += min(self._last - last, 2 * TICK)
        return self.now
