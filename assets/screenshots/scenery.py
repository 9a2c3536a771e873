"""The desktop that stands behind the program in its pictures: a wallpaper, a document and a
terminal in which something fails. Another program's windows, so a process of its own; SIGUSR1 makes
the terminal work on, for a recording.

    python assets/screenshots/scenery.py light|dark
"""

from __future__ import annotations

import signal
import sys

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

TERMINAL = QRect(64, 84, 640, 404)
DOCUMENT = QRect(596, 40, 600, 660)
HEAD = 34  # px of a window's own title bar
LINE = 23  # px from one line of the terminal to the next
SHOWN = 15  # lines
FAILED = (
    "$ make import",
    "Reading orders-05.csv ... 1204 rows",
    "Traceback (most recent call last):",
    '  File "import.py", line 48, in <module>',
    '    amount = Decimal(row["amount"])',
    "decimal.InvalidOperation: not a number",
    "",
    "row 317  Ana Torres",
    "         ana.torres@example.org",
    "         4111 1111 1111 1111",
    "         1.249,00 EUR",
    "",
    "$ ",
)
WORK = (
    "$ make test",
    "tests/test_amounts.py  ........  passed",
    "tests/test_orders.py   ........  passed",
    "tests/test_export.py   ....",
    "FAILED test_export.py: expected 1249.00",
    "       got 1.249 in row 317",
    "tests/test_mail.py     ......    passed",
    "21 passed, 1 failed in 6.2 s",
    "",
    "$ ",
)
PARAGRAPHS = (
    "The shop moved to the new ledger on Monday. Until the export",
    "of the old till is switched off, both files come in every night.",
    "",
    "Dates are written with the year first, amounts with a point.",
    "Rows from abroad keep the currency of the customer.",
)
ROWS = (
    ("Source", "Rows", "Amount"),
    ("Web shop", "1,204", "48,310.20"),
    ("Till, harbour", "866", "12,094.75"),
    ("Till, station", "541", "9,780.00"),
    ("By telephone", "38", "2,415.60"),
)
WEEKS = (58, 71, 64, 90, 112, 96, 40, 62, 83, 79, 104, 121)  # px


class Wallpaper(QWidget):
    def __init__(self, dark: bool) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_X11NetWmWindowTypeDesktop)
        self.setGeometry(QApplication.primaryScreen().geometry())
        self._shades = ("#20303A", "#111A20") if dark else ("#B9CDD0", "#8FAFB4")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        fill = QLinearGradient(QPointF(0, 0), QPointF(0, self.height()))
        for at, shade in enumerate(self._shades):
            fill.setColorAt(at, QColor(shade))
        painter.fillRect(self.rect(), fill)


class Framed(QWidget):
    """A window that draws its own title bar."""

    def __init__(self, title: str, place: QRect, ground: str, ink: str) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint)
        self.setWindowTitle(title)
        self.setGeometry(place)
        self.ground, self.ink = QColor(ground), QColor(ink)

    def faint(self, share: float) -> QColor:
        colour = QColor(self.ink)
        colour.setAlphaF(share)
        return colour

    def frame(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), self.ground)
        painter.fillRect(QRect(0, 0, self.width(), HEAD), self.faint(0.06))
        painter.setPen(QPen(self.faint(0.25), 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(self.faint(0.75))
        painter.setFont(letters(13))
        painter.drawText(0, 0, self.width(), HEAD, Qt.AlignmentFlag.AlignCenter, self.windowTitle())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.faint(0.6), 1.4))
        x, y = self.width() - 21.0, HEAD / 2
        painter.drawLine(QPointF(x - 4, y - 4), QPointF(x + 4, y + 4))
        painter.drawLine(QPointF(x - 4, y + 4), QPointF(x + 4, y - 4))


class Terminal(Framed):
    def __init__(self) -> None:
        super().__init__("Terminal", TERMINAL, "#22262B", "#E6E6E3")
        self._lines = list(FAILED)
        self._left = list(WORK)
        self._work = QTimer(self, interval=600)
        self._work.timeout.connect(self._go_on)

    def start(self) -> None:
        self._lines.pop()
        self._work.start()

    def _go_on(self) -> None:
        if not self._left:
            self._work.stop()
            return
        self._lines.append(self._left.pop(0))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.frame(painter)
        painter.setFont(letters(15, "DejaVu Sans Mono"))
        for at, line in enumerate(self._lines[-SHOWN:]):
            y = HEAD + 26 + at * LINE
            failed = line.startswith(("decimal.", "FAILED", "       got"))
            painter.setPen(QColor("#FF8A80") if failed else self.ink)
            painter.drawText(20, y, line)
        if self._lines[-1] == "$ ":
            painter.fillRect(QRect(40, y - 14, 9, 18), self.faint(0.8))


class Document(Framed):
    def __init__(self, dark: bool) -> None:
        shades = ("#2B2D31", "#E3E1DC") if dark else ("#FFFFFF", "#24262A")
        super().__init__("Orders in May", DOCUMENT, *shades)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.frame(painter)
        painter.setPen(self.ink)
        painter.setFont(letters(26, weight=QFont.Weight.DemiBold))
        painter.drawText(156, 104, "Orders in May")
        painter.setFont(letters(14))
        painter.setPen(self.faint(0.85))
        for at, line in enumerate(PARAGRAPHS):
            painter.drawText(QRect(156, 130 + at * 24, 420, 24), 0, line)
        top = 296
        for at, row in enumerate(ROWS):
            head = at == 0
            painter.setFont(letters(14, weight=QFont.Weight.DemiBold if head else None))
            y = top + at * 32
            painter.drawText(156, y, row[0])
            for text, right in ((row[1], 410), (row[2], 560)):
                painter.drawText(right - 120, y - 16, 120, 22, Qt.AlignmentFlag.AlignRight, text)
            painter.fillRect(QRectF(156, y + 11, 404, 1), self.faint(0.3 if head else 0.12))
        self._chart(painter)

    def _chart(self, painter: QPainter) -> None:
        for at, high in enumerate(WEEKS):
            painter.fillRect(QRectF(156 + at * 34, 610 - high, 22, high), QColor("#6F9AA3"))
        painter.fillRect(QRectF(156, 610, 404, 1), self.faint(0.3))
        painter.setFont(letters(12))
        painter.setPen(self.faint(0.7))
        painter.drawText(156, 632, "Orders per day, 1 to 12 May")


def letters(
    size: int, family: str = "Noto Sans CJK SC", weight: QFont.Weight | None = None
) -> QFont:
    font = QFont(family)
    font.setPixelSize(size)
    if weight is not None:
        font.setWeight(weight)
    return font


def main() -> None:
    application = QApplication(sys.argv)
    dark = sys.argv[1:] == ["dark"]
    windows = (Wallpaper(dark), Document(dark), Terminal())
    for window in windows:
        window.show()
    terminal = windows[2]
    assert isinstance(terminal, Terminal)
    signal.signal(signal.SIGUSR1, lambda *_: QTimer.singleShot(0, terminal.start))
    breath = QTimer(application, interval=50)  # signals are heard between two of Qt's own events
    breath.timeout.connect(lambda: None)
    breath.start()
    QTimer.singleShot(300, terminal.raise_)
    application.exec()


if __name__ == "__main__":
    main()
