"""A small quiet button in the transcript; knows an icon, a name, nothing of what it does."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from app.ui.dress import Dress

SIZE = 28  # px, the least that a finger or a hasty pointer hits
GLYPH = 16  # px
THANKS = 1_400  # ms that a tick stands for what was done


class Tool(QToolButton):
    """`thank()` shows a tick for a moment: it was done."""

    def __init__(self, dress: Dress, icon: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setIconSize(QSize(GLYPH, GLYPH))
        self.setFixedSize(SIZE, SIZE)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self._thanks = QTimer(self, singleShot=True, interval=THANKS)
        self._thanks.timeout.connect(self._draw)
        self.wear(dress)

    def wear(self, dress: Dress) -> None:
        self._icons = dress.icons
        self._draw()

    def thank(self) -> None:
        self.setIcon(self._icons.icon("check", "accent", GLYPH))
        self._thanks.start()

    def _draw(self) -> None:
        self.setIcon(self._icons.icon(self._icon, "ink2", GLYPH))


class Floating(Tool):
    """A round one that stands over the text, and so on a ground of its own."""

    def wear(self, dress: Dress) -> None:
        self._theme = dress.theme
        self.setFixedSize(SIZE + 6, SIZE + 6)
        super().wear(dress)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marked = self.hasFocus()
        painter.setPen(QPen(QColor(self._theme.accent if marked else self._theme.edge), 1))
        painter.setBrush(QColor(self._theme.hover if self.underMouse() else self._theme.raised))
        painter.drawEllipse(self.rect().toRectF().adjusted(1, 1, -1, -1))
        at = (self.width() - GLYPH) // 2
        self.icon().paint(painter, at, at, GLYPH, GLYPH)
