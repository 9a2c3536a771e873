"""Asks what becomes of the program when its window goes and no tray would show it; decides
nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.ui.buttons import retone
from app.ui.message import choice, message


class Farewell(QObject):
    """`stayed` or `quitted` is told; neither where the user thought better of it."""

    stayed = Signal()
    quitted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._box: QMessageBox | None = None
        self._window = window

    def ask(self, key: str) -> None:
        """`key` is the one that brings the window back; empty where there is none."""
        if self._box is not None:
            self._box.raise_()
            return
        details = (
            self.tr(
                "This desktop shows no tray icon. {key} or starting Sightline again brings the "
                "window back."
            ).format(key=key)
            if key
            else self.tr(
                "This desktop shows no tray icon. Starting Sightline again brings the window back."
            )
        )
        box = message(self.tr("Keep Sightline running?"), details, self._window)
        stay = choice(box, self.tr("Keep running"), QMessageBox.ButtonRole.AcceptRole)
        retone(stay, "role", "primary")
        leave = choice(box, self.tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        escape = choice(box, self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(escape)
        stay.clicked.connect(self.stayed)
        leave.clicked.connect(self.quitted)
        box.finished.connect(self._forget)
        self._box = box
        box.open()

    @property
    def box(self) -> QMessageBox | None:
        return self._box

    def _forget(self) -> None:
        if self._box is not None:
            self._box.deleteLater()
            self._box = None
