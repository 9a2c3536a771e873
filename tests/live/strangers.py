"""A window of another program for the live tests: its class, title, colour and place are told on
the command line; it says "shown" once it is there, and ends with its stdin."""

from __future__ import annotations

import sys

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QWidget


def main() -> None:
    name, title, colour, *place = sys.argv[1:]
    application = QApplication([name])
    application.setApplicationName(name)
    window = QWidget()
    window.setWindowTitle(title)
    window.setStyleSheet(f"background: {colour}")
    window.setGeometry(*map(int, place))
    window.show()
    window.activateWindow()
    QTimer.singleShot(300, lambda: print("shown", flush=True))
    ended = QSocketNotifier(0, QSocketNotifier.Type.Read)
    ended.activated.connect(application.quit)
    application.exec()


if __name__ == "__main__":
    main()
