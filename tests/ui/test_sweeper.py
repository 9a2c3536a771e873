from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.ui.sweeper import Sweeper


class Knot(QObject):
    """A Qt object that only the collector can free."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self


def allocate() -> list[list[int]]:
    return [[number] for number in range(50_000)]


def test_no_worker_collects_a_qt_object_and_the_next_sweep_does(qt: QApplication) -> None:
    sweeper = Sweeper(qt)
    try:
        freed = weakref.ref(Knot())
        worker = threading.Thread(target=allocate)
        worker.start()
        worker.join()
        assert freed() is not None
        kept = allocate()
        sweeper.sweep()
        assert freed() is None
        assert kept
    finally:
        sweeper.deleteLater()
        gc.enable()
