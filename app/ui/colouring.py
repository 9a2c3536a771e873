"""Colours the code of one document as it comes, a few lines at a time; knows no widget."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.ui.document import Code, Document
from app.ui.highlight import Lexing, Line

SLICE = 60  # lines coloured at once: about 2 ms
PAUSE = 0.35  # s, at least, between two readings of code that still grows
SHARE = 10  # a reading that took long waits this many times as long for the next


@dataclass(slots=True)
class _Job:
    code: Code
    reading: Lexing
    settled: bool
    seconds: float = 0.0


class Colouring:
    """Reads finished code once, and growing code now and then, so that the work stays in
    proportion to its length."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._finished = 0  # pieces of code that keep their colours
        self._job: _Job | None = None
        self._lines: tuple[Line, ...] = ()
        self._coloured = 0
        self._rest_until = 0.0

    def work(self, seconds: float) -> bool:
        """Works for about `seconds`; True where there is more to do now."""
        if self._job is None:
            self._job = self._begin()
        elif self._coloured < len(self._lines):
            self._colour(self._job)
        else:
            self._read(self._job, seconds)
        return self._job is not None or any(c.settled for c in self._left())

    def _left(self) -> list[Code]:
        return self._document.codes[self._finished :]

    def _begin(self) -> _Job | None:
        left = self._left()
        if not left:
            return None
        code = left[0]
        if not code.settled and (time.perf_counter() < self._rest_until or code.lines < 2):
            return None
        if not code.language:
            self._finished += code.settled
            return None
        reading = Lexing(self._document.code_text(code), code.language)
        return _Job(code, reading, code.settled)

    def _read(self, job: _Job, seconds: float) -> None:
        began = time.perf_counter()
        more = job.reading.work(seconds)
        job.seconds += time.perf_counter() - began
        if more:
            return
        self._rest_until = time.perf_counter() + max(PAUSE, SHARE * job.seconds)
        known = any(code is job.code for code in self._document.codes)
        self._lines, self._coloured = (job.reading.lines if known else ()), 0
        if not self._lines:
            self._leave(job)

    def _colour(self, job: _Job) -> None:
        part = self._lines[self._coloured : self._coloured + SLICE]
        self._document.colour(job.code, part, self._coloured)
        self._coloured += len(part)
        if self._coloured >= len(self._lines):
            self._leave(job)

    def _leave(self, job: _Job) -> None:
        self._finished += job.settled
        self._job, self._lines, self._coloured = None, (), 0
