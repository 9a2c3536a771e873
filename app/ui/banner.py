"""A quiet line for what concerns no single answer: what happened, one thing to do, dismiss."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from app.ui.buttons import Glyph, IconButton, label, retone
from app.ui.look import Look


class Banner(QFrame):
    """Shows one message at a time; a newer one takes the older one's place, whose `expired`
    runs then, as it does after `seconds` or when it is dismissed."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self._glyph = Glyph(look, "circle-alert", "danger")
        self._says = label(wrap=True)
        self._button = QPushButton()
        self._close = IconButton(look, "x", self.tr("Dismiss"), size=28)
        self._run: Callable[[], None] | None = None
        self._expired: Callable[[], None] | None = None
        self._clock = QTimer(self, singleShot=True)
        self._clock.timeout.connect(self.dismiss)
        self._close.clicked.connect(self.dismiss)
        self._button.clicked.connect(self._act)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10)
        row.addWidget(self._glyph)
        row.addWidget(self._says, 1)
        row.addWidget(self._button)
        row.addWidget(self._close)
        self.hide()

    def warn(self, text: str, action: str = "", run: Callable[[], None] | None = None) -> None:
        """Something went wrong; it stays until it is dismissed."""
        self._show(text, "alarm", action, run)

    def offer(
        self,
        text: str,
        action: str,
        run: Callable[[], None],
        *,
        expired: Callable[[], None],
        seconds: float = 7.0,
    ) -> None:
        """Something was done and can be undone for a while."""
        self._show(text, "calm", action, run)
        self._expired = expired
        self._clock.start(round(seconds * 1000))

    def dismiss(self) -> None:
        self._clock.stop()
        expired, self._expired = self._expired, None
        self.hide()
        if expired is not None:
            expired()

    @property
    def text(self) -> str:
        return self._says.text()

    def _show(self, text: str, mood: str, action: str, run: Callable[[], None] | None) -> None:
        self.dismiss()
        retone(self, "mood", mood)
        calm = mood == "calm"
        self._glyph.draw("info" if calm else "circle-alert", "accent" if calm else "danger")
        self._says.setText(text)
        self._run = run
        self._button.setText(action)
        self._button.setAccessibleName(action or text)
        self._button.setVisible(bool(action))
        self.setAccessibleName(text)
        self.show()

    def _act(self) -> None:
        run, self._run = self._run, None
        self._expired = None
        self.dismiss()
        if run is not None:
            run()
