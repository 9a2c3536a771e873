"""Where the quick window's question is written: the field and one button, which says where the
picture goes; knows not who answers."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from app.ui.buttons import retone
from app.ui.given import Given
from app.ui.line import Line
from app.ui.places import Place
from app.ui.prompt import Prompt

LETTERS = 26  # of a host that stand on the button
translate = QCoreApplication.translate


class Inquiry(QFrame):
    """`asked` carries the question; it stays in the field until `taken`."""

    asked = Signal(str)
    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "composer")
        self._busy = False
        self._place: Place | None = None
        self._sent: str | None = None  # asked, and not yet known to be kept
        self.prompt = Prompt()
        self.prompt.setPlaceholderText(self.tr("Ask about this"))
        self.prompt.setAccessibleName(self.tr("Question"))
        self.says = Line("small")
        self.send = QPushButton()
        self.send.setProperty("role", "primary")
        self.send.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        self.prompt.submitted.connect(self._submit)
        self.prompt.textChanged.connect(self._refresh)
        self.prompt.given.connect(self._refuse)
        self.prompt.focused.connect(
            lambda here: retone(self, "active", "true" if here else "false")
        )
        self.send.clicked.connect(self._press)
        self._refresh()

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setContentsMargins(4, 0, 0, 0)
        foot.setSpacing(8)
        foot.addWidget(self.says, 1)
        foot.addWidget(self.send)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.prompt)
        column.addLayout(foot)

    # --- what is shown ----------------------------------------------------------------------

    def show_place(self, place: Place) -> None:
        """Where the picture goes when it is asked about."""
        self._place = place
        self._refresh()

    def show_busy(self, busy: bool) -> None:
        self._busy = busy
        self._refresh()

    def say(self, words: str, tone: str = "small") -> None:
        """One line beside the button."""
        retone(self.says, "tone", tone)
        self.says.say(words)

    def write(self, text: str) -> None:
        self.prompt.write(text)
        self.prompt.setFocus()

    def taken(self) -> None:
        """The question is kept now: it leaves the field, unless it was changed meanwhile."""
        if self._sent is not None and self.text == self._sent:
            self.prompt.clear()
        self._sent = None

    @property
    def text(self) -> str:
        return self.prompt.toPlainText().strip()

    # --- what is asked ----------------------------------------------------------------------

    def ask(self, question: str) -> None:
        """Asks this, with what is written already below it."""
        if not self._busy:
            self._sent = self.text
            self.asked.emit(f"{question}\n\n{self.text}" if self.text else question)

    def _submit(self) -> None:
        if self.text and not self._busy:
            self._sent = self.text
            self.asked.emit(self.text)

    def _press(self) -> None:
        if self._busy:
            self.stopped.emit()
        else:
            self._submit()

    def _refuse(self, _given: Given) -> None:
        self.say(self.tr("Open it in the window to add files and pictures."))

    def _refresh(self) -> None:
        self.send.setEnabled(self._busy or bool(self.text))
        if self._busy:
            self.send.setText(self.tr("Stop"))
            self.send.setToolTip(self.tr("Stop  Esc"))
        elif self._place is not None:
            self.send.setText(self.tr("Ask · {where}").format(where=_short(self._place)))
            self.send.setToolTip(_whither(self._place))
        self.send.setAccessibleName(self.send.text())


def _short(place: Place) -> str:
    if place.local:
        return translate("Inquiry", "this machine")
    host = place.where
    half = LETTERS // 2
    return host if len(host) <= LETTERS else f"{host[:half]}…{host[-half:]}"


def _whither(place: Place) -> str:
    if place.local:
        return translate("Status", "Pictures stay on this machine")
    return translate("Status", "Pictures go to {host}").format(host=place.where)
