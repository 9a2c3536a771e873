from __future__ import annotations

from PySide6.QtWidgets import QApplication

from app.bench.ui import RATE, TOKEN, stream, stream_text
from app.ui.look import Look


def test_the_text_is_as_long_as_asked_and_always_the_same() -> None:
    assert stream_text(30_000) == stream_text(30_000)
    assert len(stream_text(30_000)) == 30_000


def test_a_stream_takes_its_time_and_is_watched() -> None:
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication([])
    measured = stream(stream_text(2_000), Look(app, "light"))
    assert sum(measured.gaps) >= 2_000 / TOKEN / RATE * 1000
    assert 0 < measured.gap(50) <= measured.gap(99) <= max(measured.gaps)
    assert measured.seconds > 0 and measured.memory > 0
    app.setStyleSheet("")
