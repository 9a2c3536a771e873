"""Explains what macOS wants before the screen can be captured, and waits for it; captures
nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox

from app.capture import permission
from app.ui.buttons import retone
from app.ui.message import choice, message

LOOK = 1_000  # ms between two looks at what the system says


def _open_page() -> None:
    QDesktopServices.openUrl(QUrl(permission.PAGE))


@dataclass(frozen=True, slots=True)
class Gate:
    """The system: whether it gives leave, its own question to the user, its page of settings."""

    granted: Callable[[], bool] = permission.granted
    request: Callable[[], None] = permission.request
    show: Callable[[], None] = _open_page


class Permit(QObject):
    """`reopened` is told once the program shall end and start anew, which is when a leave holds."""

    reopened = Signal()

    def __init__(self, gate: Gate | None = None) -> None:
        super().__init__()
        self._gate = gate or Gate()
        self.box: QMessageBox | None = None
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)

    def lets(self) -> bool:
        """Whether the screen may be captured; where not, the explanation is on it."""
        if self._gate.granted():
            return True
        if self.box is None:
            self._explain()
            self._gate.request()
            self._timer.start()
        elif self.box is not None:
            self.box.raise_()
        return False

    def close(self) -> None:
        self._timer.stop()
        if self.box is not None:
            self.box.deleteLater()
            self.box = None

    def _explain(self) -> None:
        box = self.box = message(
            self.tr("macOS must let Sightline see the screen"),
            self.tr(
                "Switch Sightline on in System Settings › Privacy & Security › Screen Recording. "
                "It holds from the next start. Nothing is sent before you ask."
            ),
        )
        box.setWindowModality(Qt.WindowModality.NonModal)
        page = choice(box, self.tr("Open System Settings"), QMessageBox.ButtonRole.ActionRole)
        page.clicked.disconnect()  # from the box, which would close
        page.clicked.connect(self._gate.show)
        self._again = choice(
            box, self.tr("Quit and reopen"), QMessageBox.ButtonRole.DestructiveRole
        )
        self._again.clicked.connect(self.reopened)
        later = choice(box, self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        retone(page, "role", "primary")
        self._page = page
        box.setDefaultButton(page)
        box.setEscapeButton(later)
        box.finished.connect(self.close)
        box.show()

    def _look(self) -> None:
        """Whether the leave has come meanwhile; then one thing is left to do."""
        if self.box is None or not self._gate.granted():
            return
        self._timer.stop()
        self.box.setText(self.tr("macOS lets Sightline see the screen now"))
        self.box.setInformativeText(self.tr("It holds once Sightline has been started again."))
        retone(self._page, "role", "")
        retone(self._again, "role", "primary")
        self.box.setDefaultButton(self._again)
