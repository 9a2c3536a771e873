"""The veil over the window while something is dragged above it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.ui.buttons import Glyph, label
from app.ui.look import Look


class DropVeil(QWidget):
    def __init__(self, look: Look, over: QWidget) -> None:
        super().__init__(over)
        self._look = look
        self._over = over
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        box = QFrame()
        box.setProperty("role", "drop")
        inside = QVBoxLayout(box)
        inside.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside.setSpacing(12)
        words = label(self.tr("Drop to attach"), "title")
        inside.addWidget(Glyph(look, "plus", "accent", 28), 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addWidget(words, 0, Qt.AlignmentFlag.AlignHCenter)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 16, 16, 16)
        outer.addWidget(box)
        self.hide()

    def cover(self) -> None:
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        ground = QColor(self._look.theme.paper)
        ground.setAlpha(200)
        QPainter(self).fillRect(self.rect(), ground)
