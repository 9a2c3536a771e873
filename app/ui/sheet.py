"""The help sheet: every shortcut on one page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.ui.buttons import label
from app.ui.commands import Command


class Sheet(QDialog):
    def __init__(self, commands: Sequence[Command], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout()
        grid.setHorizontalSpacing(48)
        grid.setVerticalSpacing(10)
        lines = [(command.text, command.shown_keys) for command in commands if command.keys]
        for row, (text, keys) in enumerate([*self._typed(), *lines]):
            grid.addWidget(label(text), row, 0)
            grid.addWidget(label(keys, "key"), row, 1, Qt.AlignmentFlag.AlignRight)
        close = QPushButton(self.tr("Close"))
        close.setAccessibleName(self.tr("Close"))
        close.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(16)
        column.addWidget(label(self.tr("Shortcuts"), "display"))
        column.addLayout(grid)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def _typed(self) -> list[tuple[str, str]]:
        """Keys that are no commands: they belong to the field they are typed in."""
        return [
            (self.tr("Send the question"), "Enter"),
            (self.tr("Start a new line"), "Shift+Enter"),
            (self.tr("Stop the answer, close what is open"), "Esc"),
            (self.tr("Rename or delete a conversation"), "F2, Del"),
        ]
