"""A small window without a frame, in the shape of a card; knows nothing of what stands on it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.corners import card, cut
from app.ui.look import Look
from app.ui.theme import RADIUS


class Plate(QWidget):
    """Stays above other windows and does not take the focus when it comes."""

    def __init__(self, look: Look, kind: Qt.WindowType = Qt.WindowType.Window) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags | kind)
        self._look = look
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        look.changed.connect(lambda _: self.update())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.edge))
        painter.fillPath(card(self, RADIUS, inset=1), QColor(theme.raised))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        cut(self, RADIUS)
