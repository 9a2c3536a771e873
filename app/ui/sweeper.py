"""When Python's cyclic garbage goes: on the GUI thread, and only there.

WORKAROUND PySide destroys a Qt object in whatever thread collects it; collected on a worker's
thread, a timer or a socket notifier takes the program down with it; drop when Qt objects are
handed to their own thread to be deleted.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY = 2_000  # ms


class Sweeper(QObject):
    """Turns automatic collection off and collects from time to time instead, one generation
    at a time and by Python's own thresholds."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.sweep)
        self._timer.start()

    def sweep(self) -> None:
        counts, limits = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > limits[generation]:
                gc.collect(generation)
                return
