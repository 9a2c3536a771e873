"""A line to type in a terminal, with a button that copies it; knows no terminal."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.ui.buttons import IconButton, label
from app.ui.formats import mono_families
from app.ui.look import Look
from app.ui.theme import CODE
from app.ui.tool import SIZE, THANKS


class Snippet(QFrame):
    def __init__(self, look: Look, text: str) -> None:
        super().__init__()
        self.text = text
        self.setProperty("role", "snippet")
        self.setAccessibleName(text)
        self._line = label(text, "code", wrap=True)
        self._line.setFont(_fixed())
        self._line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = IconButton(look, "copy", self.tr("Copy “{text}”").format(text=text), size=SIZE)
        self.copy.clicked.connect(self._copy)
        self._thanks = QTimer(self, singleShot=True, interval=THANKS)
        self._thanks.timeout.connect(lambda: self.copy.draw("copy"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 4, 3)
        row.setSpacing(8)
        row.addWidget(self._line, 1)
        row.addWidget(self.copy)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.copy.draw("check", "accent")
        self._thanks.start()


def _fixed() -> QFont:
    font = QFont()
    font.setFamilies(mono_families())
    font.setPixelSize(CODE)
    return font
