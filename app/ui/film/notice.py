"""A word in the corner of the screen, with one or two things to do; for what happens while no
window of ours is open. Knows nothing of what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from app.ui.buttons import Glyph, IconButton, label
from app.ui.film.plate import Plate
from app.ui.look import Look

WIDTH = 380  # px
EDGE = 16  # px to the end of the screen


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: what stands on it and what it does."""

    text: str
    run: Callable[[], None]
    first: bool = False  # the one thing to do


class Notice(Plate):
    """`passed`: nothing was chosen, by its cross or after its seconds. `ended`: it is gone."""

    passed = Signal()
    ended = Signal()

    def __init__(
        self, look: Look, text: str, deeds: Sequence[Deed] = (), *, icon: str = "info"
    ) -> None:
        super().__init__(look)
        self._over = False
        self.setWindowTitle("Sightline")
        self.setAccessibleName(text)
        self.text = text
        self._first: QPushButton | None = None
        self.buttons = [self._button(deed) for deed in deeds]
        self.close_ = IconButton(look, "x", self.tr("Dismiss"), size=28)
        self.close_.clicked.connect(self._pass)
        self._clock = QTimer(self, singleShot=True)
        self._clock.timeout.connect(self._pass)
        self._lay_out(icon)

    def _lay_out(self, icon: str) -> None:
        alarm = icon == "circle-alert"
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(Glyph(self._look, icon, "danger" if alarm else "accent"))
        head.addWidget(label(self.text, wrap=True), 1)
        head.addWidget(self.close_, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 10, 12)
        column.setSpacing(10)
        column.addLayout(head)
        if self.buttons:
            row = QHBoxLayout()
            row.setSpacing(8)
            row.addStretch(1)
            for button in self.buttons:
                row.addWidget(button)
            column.addLayout(row)
        self.setFixedWidth(WIDTH)
        if self._first is not None:
            self._first.setFocus()  # where its window gets the keys at all

    def _button(self, deed: Deed) -> QPushButton:
        button = QPushButton(deed.text)
        button.setAccessibleName(deed.text)
        if deed.first:
            button.setProperty("role", "primary")
            self._first = button
        button.clicked.connect(lambda: self._do(deed))
        return button

    def open(self, seconds: float | None = None, *, lift: int = 0) -> None:
        """Shows itself in the lower corner of the pointer's screen, `lift` pixels higher, for so
        long or until it is answered."""
        self.adjustSize()
        screen = QGuiApplication.screenAt(self.cursor().pos()) or QGuiApplication.primaryScreen()
        room = screen.availableGeometry().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        self.move(room.bottomRight() - QPoint(self.width() - 1, self.height() - 1 + lift))
        self.show()
        self.raise_()
        if seconds is not None:
            self._clock.start(round(seconds * 1000))

    def take_away(self) -> None:
        """As its cross does."""
        self._pass()

    def _do(self, deed: Deed) -> None:
        if self._end():
            deed.run()

    def _pass(self) -> None:
        if self._end():
            self.passed.emit()

    def _end(self) -> bool:
        if self._over:
            return False
        self._over = True
        self._clock.stop()
        self.hide()
        self.deleteLater()
        self.ended.emit()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._pass()
        else:
            super().keyPressEvent(event)
