"""`sightline bench ui`: does the window stay quick while a long answer streams into it?"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import psutil
from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.bench.sample import answer_text
from app.bench.table import Row
from app.store import Turn
from app.ui.exchange import FLUSH, Growth
from app.ui.look import Look
from app.ui.transcript import Transcript
from app.vocabulary import Answer, Usage

RUNS = 3  # unless told otherwise
SIZES = (25_000, 50_000, 100_000)  # characters
RATE = 500  # tokens a second
TOKEN = 4  # characters
TICK = 5  # ms between two looks at the loop
LONG = 12_000  # characters between two long stretches of one kind


@dataclass(frozen=True, slots=True)
class Streamed:
    """What one stream cost: seconds of processor time, the gaps between two turns of the event
    loop in ms, how long the loop's own thread worked in each, and the memory it left in MB."""

    seconds: float
    gaps: tuple[float, ...]
    busy: tuple[float, ...]
    memory: float

    def gap(self, percent: int) -> float:
        return statistics.quantiles(self.gaps, n=100, method="inclusive")[percent - 1]


def measure(runs: int) -> Sequence[Row]:
    """Answers of three lengths at 500 tokens a second, in real time, into a window that is shown:
    gaps of the loop and processor time. One run takes a minute and a half."""
    look = Look(_application())
    rows: list[Row] = []
    for size in SIZES:
        text = stream_text(size)
        rows += _rows(size, [stream(text, look) for _ in range(runs)])
    first, last = rows[0], rows[-6]
    growth = last.median / first.median / (SIZES[-1] / SIZES[0])
    rows.append(Row("processor time, 100k over 4 × 25k", "times", (growth,), at_most=1.25))
    return rows


def stream_text(size: int) -> str:
    """Ordinary answers, and now and then a long file, a long table, a long list, a long
    paragraph: what one block costs that grows and grows."""
    pieces: list[str] = []
    length = 0
    plain = answer_text(size)
    for number, start in enumerate(range(0, size, LONG)):
        pieces += [plain[start : start + LONG - 4_000], "\n```\n\n", _long(number), "\n"]
        length += sum(len(piece) for piece in pieces[-4:])
        if length >= size:
            break
    return "".join(pieces)[:size]


def _long(number: int) -> str:
    match number % 4:
        case 0:
            lines = (f"    total_{n} = add(total_{n - 1}, {n})  # line {n}" for n in range(70))
            return "```python\ndef long():\n" + "\n".join(lines) + "\n```\n"
        case 1:
            return "| a | b | c |\n|---|---|--:|\n" + "".join(
                f"| line {n} | some words in a cell | {n} |\n" for n in range(60)
            )
        case 2:
            return "".join(f"- item {n} of a long list, with `code` in it\n" for n in range(70))
    return "这一段没有换行，它一直写下去，用来测量一个很长的段落在增长时的代价。" * 80 + "\n"


def stream(text: str, look: Look) -> Streamed:
    """Streams `text` into a transcript in a window of its own."""
    window = Transcript()
    window.set_theme(look.theme)
    window.resize(1_000, 760)
    window.show()
    window.add_turn(_turn("", "streaming"))
    _spin(0.5)
    source = _Source(text, window)
    before = time.process_time()
    source.run()
    seconds = time.process_time() - before
    memory = psutil.Process().memory_info().rss / 2**20
    window.close()
    window.deleteLater()
    _spin(0.1)
    return Streamed(seconds, tuple(source.gaps), tuple(source.busy), memory)


class _Source:
    """Gives a text out at the rate of a fast model, in the session's rhythm, and watches the
    loop meanwhile."""

    def __init__(self, text: str, window: Transcript) -> None:
        self._text = text
        self._window = window
        self._at = 0
        self._ticks: list[tuple[float, float]] = []  # s by the clock, s of this thread's work
        self._loop = QEventLoop()
        self._began = 0.0

    @property
    def gaps(self) -> list[float]:
        return [(after - before) * 1000 for (before, _), (after, _) in pairwise(self._ticks)]

    @property
    def busy(self) -> list[float]:
        return [(after - before) * 1000 for (_, before), (_, after) in pairwise(self._ticks)]

    def run(self) -> None:
        flush = QTimer(interval=round(FLUSH * 1000), timerType=Qt.TimerType.PreciseTimer)
        watch = QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        flush.timeout.connect(self._flush)
        watch.timeout.connect(self._look)
        self._began = time.perf_counter()
        watch.start()
        flush.start()
        self._loop.exec()
        flush.stop()
        _spin(0.5)  # what is still to be written and coloured counts
        watch.stop()

    def _look(self) -> None:
        self._ticks.append((time.perf_counter(), time.thread_time()))

    def _flush(self) -> None:
        seconds = time.perf_counter() - self._began
        until = min(len(self._text), round(seconds * RATE) * TOKEN)
        tokens = range(self._at, until, TOKEN)
        events = tuple(Answer(self._text[at : min(at + TOKEN, until)]) for at in tokens)
        self._at = until
        if events:
            self._window.grow(Growth(1, events, seconds, float(RATE)))
        if until >= len(self._text):
            self._window.end_turn(_turn(self._text, "done"))
            self._loop.quit()


def _rows(size: int, streamed: Sequence[Streamed]) -> list[Row]:
    name = f"{size // 1000}k characters"
    return [
        Row(f"{name}: processor time", "s", tuple(one.seconds for one in streamed)),
        Row(f"{name}: gap, p50", "ms", tuple(one.gap(50) for one in streamed)),
        Row(f"{name}: gap, p99", "ms", tuple(one.gap(99) for one in streamed), at_most=20),
        Row(f"{name}: gap, worst", "ms", tuple(max(one.gaps) for one in streamed), at_most=60),
        Row(f"{name}: own work in a gap, worst", "ms", tuple(max(one.busy) for one in streamed)),
        Row(f"{name}: memory after it", "MB", tuple(one.memory for one in streamed)),
    ]


def _turn(answer: str, state: str) -> Turn:
    usage = Usage(1, len(answer) // TOKEN, 0, len(answer) / TOKEN / RATE) if answer else None
    return Turn(
        1, 1, "What does it say?", (), "", answer,
        "done" if state == "done" else "streaming", "bench", "bench", 0.0, usage,
    )  # fmt: skip


def _application() -> QApplication:
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    running = QCoreApplication.instance()
    return running if isinstance(running, QApplication) else QApplication(["sightline"])


def _spin(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()
