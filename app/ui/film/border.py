"""The line around what is being recorded, and the number that counts down to it; knows no
recorder. Both let every click through, and the line stands outside what is filmed."""

from __future__ import annotations

import math

from PySide6.QtCore import QElapsedTimer, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from app.ui.look import Look

GAP = 1  # px between the area and the line: what is filmed may end in the middle of a pixel
LINE = 3  # px, of which the outer one is light, so that the line is seen on any ground
RIM = "#FFFFFF"
DISC = 96  # px
VEIL = QColor(20, 20, 22, 225)
EARLY = 0.35  # s before the first frame at which the number is gone

_FLAGS = (
    Qt.WindowType.Tool
    | Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.WindowTransparentForInput
    | Qt.WindowType.WindowDoesNotAcceptFocus
    | Qt.WindowType.X11BypassWindowManagerHint  # a manager would keep it inside the screen
)


class _Pane(QWidget):
    """A window that is only looked at."""

    def __init__(self, look: Look) -> None:
        super().__init__(None, _FLAGS)
        self._look = look
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        look.changed.connect(lambda _: self.update())


class Border(_Pane):
    """Red while it records, quiet while it waits."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._live = False
        self.setAccessibleName(self.tr("The recorded area"))

    def surround(self, area: QRect) -> None:
        """Stands around `area`; where the screen ends there, that side can't be seen."""
        reach = GAP + LINE
        self.setGeometry(area.adjusted(-reach, -reach, reach, reach))
        # a shape needs no compositor, as see-through paint would
        inside = QRect(LINE, LINE, self.width() - 2 * LINE, self.height() - 2 * LINE)
        self.setMask(QRegion(self.rect()).subtracted(QRegion(inside)))

    def show_live(self, live: bool) -> None:
        if live != self._live:
            self._live = live
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(RIM))
        ink = QColor("#D92D20") if self._live else QColor("#6E6A63")
        inner = LINE - 1
        pen = QPen(ink, inner)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        half = 1 + inner / 2
        painter.drawRect(QRectF(self.rect()).adjusted(half, half, -half, -half))


class Countdown(_Pane):
    """The seconds until it begins, in the middle of the area; gone before the first frame."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._left = 0.0
        self._since = QElapsedTimer()
        self._clock = QTimer(self, interval=50)
        self._clock.timeout.connect(self._tick)
        self.setFixedSize(DISC, DISC)
        self.setMask(QRegion(self.rect(), QRegion.RegionType.Ellipse))

    @property
    def number(self) -> int:
        """What is shown; 0 for nothing."""
        left = self._left - self._since.elapsed() / 1000 if self._since.isValid() else 0.0
        return math.ceil(left) if left > EARLY else 0

    def count(self, seconds: float, area: QRect) -> None:
        """So many seconds are left."""
        self._left = seconds
        self._since.restart()
        self.move(area.center() - self.rect().center())
        self._clock.start()
        self._tick()

    def end(self) -> None:
        self._clock.stop()
        self._since.invalidate()
        self.hide()

    def _tick(self) -> None:
        if self.number == 0:
            self.end()
            return
        self.setAccessibleName(str(self.number))
        self.setVisible(True)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(VEIL.name()))
        font = QFont(self.font())
        font.setPixelSize(44)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self.number))
