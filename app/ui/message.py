"""A question in a box of its own, with the program's mark; knows no question."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from app.ui.icons import window_icon

MARK = 48  # px


def message(text: str, details: str, parent: QWidget | None = None) -> QMessageBox:
    box = QMessageBox(parent)
    box.setWindowTitle("Sightline")
    box.setIconPixmap(window_icon().pixmap(MARK, MARK))
    box.setText(text)
    box.setInformativeText(details)
    return box


def choice(box: QMessageBox, text: str, role: QMessageBox.ButtonRole) -> QPushButton:
    """One more thing to choose in it."""
    button = box.addButton(text, role)
    button.setAccessibleName(text)
    return button
