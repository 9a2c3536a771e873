"""A small window without a frame, in the shape of a card; knows nothing of what stands on it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QBitmap,
    QColor,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

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
        painter.fillPath(_card(self, inset=1), QColor(theme.raised))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut to its shape: without a compositor see-through corners would be black."""
        super().resizeEvent(event)
        shape = QBitmap(self.size())
        shape.clear()
        painter = QPainter(shape)
        painter.fillPath(_card(self), Qt.GlobalColor.color1)
        painter.end()
        self.setMask(QRegion(shape))


def _card(widget: QWidget, inset: int = 0) -> QPainterPath:
    path = QPainterPath()
    box = QRectF(widget.rect()).adjusted(inset, inset, -inset, -inset)
    path.addRoundedRect(box, RADIUS - inset, RADIUS - inset)
    return path
