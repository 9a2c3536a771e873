"""A window of another program whose surface can be dragged as a file; for the live tests."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QMimeData, QTimer, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget


class Source(QWidget):
    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def mouseMoveEvent(self, _event: QMouseEvent) -> None:
        drag, data = QDrag(self), QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(self._file))])
        drag.setMimeData(data)
        drag.exec()


if __name__ == "__main__":
    application = QApplication(sys.argv)
    source = Source(Path(sys.argv[1]))
    source.setGeometry(1000, 60, 160, 120)
    source.show()
    QTimer.singleShot(500, lambda: print("shown", flush=True))
    application.exec()
