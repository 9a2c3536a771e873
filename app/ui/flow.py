"""A text as it streams, cut into blocks and written to its document within a time budget; knows
no widget and no timer."""

from __future__ import annotations

import time
from collections import deque

from app.answer.blocks import Blocks, Cut
from app.ui.document import Document
from app.ui.prose import Reader
from app.ui.rows import Piece

BITE = 4_000  # characters cut at once: about a millisecond
BATCH = 24  # rows written between two looks at the clock


class Flow:
    """Feeds one document. `work` is called again and again while it returns True."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._blocks = Blocks()
        self._reader = Reader()
        self._waiting: deque[str] = deque()  # text not yet cut
        self._settled: deque[str] = deque()  # blocks not yet written
        self._writing: tuple[Piece, ...] = ()  # the rows of a long block, and how far they are
        self._written = 0
        self._open: Cut | None = None  # not yet shown
        self._line = ""  # what the open code has of a line break that has not been shown
        self._ending = False

    def feed(self, text: str) -> None:
        self._waiting.extend(text[at : at + BITE] for at in range(0, len(text), BITE))

    def end(self) -> None:
        """No more text comes: what is open is settled."""
        self._ending = True

    def work(self, seconds: float) -> bool:
        """Writes for about `seconds`; True where more is left to write."""
        until = time.perf_counter() + seconds
        while self._step():
            if time.perf_counter() >= until:
                return True
        return False

    def _step(self) -> bool:
        """The next small piece of work; False where none is left."""
        if self._written < len(self._writing):
            self._write_on()
        elif self._settled:
            self._begin(self._settled.popleft())
        elif self._waiting:
            self._take(self._blocks.feed(self._waiting.popleft()))
        elif self._ending:
            self._ending = False
            self._take(self._blocks.close())
        elif self._open is not None:
            self._show(self._open)
            self._open = None
        else:
            return False
        return True

    def _take(self, cut: Cut) -> None:
        self._settled.extend(cut.settled)
        if cut.grown is not None and self._open is not None and not cut.settled:
            self._open = Cut((), cut.open, cut.code)  # the code before was never shown: anew
        else:
            self._open = cut

    def _begin(self, block: str) -> None:
        self._writing, self._written = self._reader.read(block), 0

    def _write_on(self) -> None:
        self._written = min(self._written + BATCH, len(self._writing))
        if self._written < len(self._writing):
            self.document.show(self._writing[: self._written])
        else:
            self.document.settle(self._writing)

    def _show(self, cut: Cut) -> None:
        if cut.grown is None:
            self._line = "\n" if cut.code is not None and cut.open.endswith("\n") else ""
            self.document.show(self._reader.read(cut.open))
            return
        grown = self._line + cut.grown
        self._line = "\n" if grown.endswith("\n") else ""
        self.document.extend(grown.removesuffix("\n").split("\n"))
