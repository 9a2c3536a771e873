"""Another program's window that is written in, for the live tests: an editor without a frame of its
own doing, at a place that is known."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication, QPlainTextEdit


def main() -> int:
    application = QApplication(sys.argv)
    paper = QPlainTextEdit()
    paper.setWindowTitle("Paper")
    paper.setGeometry(*map(int, sys.argv[1:5]))
    paper.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
