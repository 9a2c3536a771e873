"""The line that always says where the pictures go, what the engine does and how fast it was."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from app.store import Turn
from app.ui.buttons import Glyph
from app.ui.line import Line
from app.ui.look import Look
from app.ui.places import Place

HEIGHT = 30  # px
ROOMY = 720  # px, from where there is room for the model's name
INKS = {"cold": "ink2", "starting": "warm", "ready": "accent", "failed": "danger"}


class Status(QWidget):
    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(self.tr("Status"))
        self._glyph = Glyph(look, "monitor", "ink2", 14)
        self.where = Line("small")
        self.model = Line("small")
        self.engine = Line("small")
        self.speed = Line("small")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(self.tr("The engine's progress"))
        self.bar.setFixedWidth(96)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 0, 20, 6)
        row.setSpacing(8)
        row.addWidget(self._glyph)
        said = QHBoxLayout()
        said.setSpacing(0)  # the lines keep a little room of their own
        for line in (self.where, self.model, self.engine):
            said.addWidget(line)
        row.addLayout(said)
        row.addWidget(self.bar)
        row.addStretch(1)
        row.addWidget(self.speed)
        self.bar.hide()

    def show_place(self, place: Place) -> None:
        self._glyph.draw("monitor" if place.local else "server", INKS[place.state])
        self.where.say(
            self.tr("Pictures stay on this machine")
            if place.local
            else self.tr("Pictures go to {host}").format(host=place.where)
        )
        if place.local:
            self.where.setToolTip(f"{self.where.said}\n{place.model}")
        self.model.say(f"· {place.model}" if place.model else "")
        self._fit_model()
        said = self._state(place)
        self.engine.say(f"· {said}" if said else "")
        self.bar.setVisible(place.state == "starting")
        self.bar.setRange(0, 0 if place.progress is None else 100)
        self.bar.setValue(round((place.progress or 0) * 100))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_model()

    def _fit_model(self) -> None:
        """The model's name gives way where there is little room; the tool tip keeps it."""
        self.model.setVisible(bool(self.model.said) and self.width() >= ROOMY)

    def _state(self, place: Place) -> str:
        if place.state == "starting":
            done = "" if place.progress is None else f" {place.progress:.0%}"
            return (place.text or self.tr("Starting the engine")) + done
        if place.state == "failed":
            return place.text or self.tr("The engine did not start")
        if not place.local or place.state != "ready":
            return ""
        return f"{self.tr('Ready')} · {place.text}" if place.text else self.tr("Ready")

    def show_pace(self, tokens_per_second: float | None) -> None:
        """While an answer streams."""
        if tokens_per_second is not None:
            self.speed.say(self._pace(tokens_per_second))

    def show_turn(self, turn: Turn) -> None:
        """What the last answer took."""
        parts = []
        if turn.first_token is not None:
            seconds = f"{turn.first_token:.1f}"
            parts.append(self.tr("first token after {seconds} s").format(seconds=seconds))
        pace = speed(turn)
        if pace is not None:
            parts.append(self._pace(pace))
        self.speed.say(" · ".join(parts))

    def clear_turn(self) -> None:
        self.speed.say("")

    def _pace(self, tokens_per_second: float) -> str:
        return self.tr("{count} tokens/s").format(count=f"{tokens_per_second:.0f}")


def speed(turn: Turn) -> float | None:
    """Tokens a second of a finished turn: those after the first one, and the time they took."""
    if turn.usage is None or turn.usage.completion < 2:
        return None
    seconds = turn.usage.seconds - (turn.first_token or 0.0)
    return (turn.usage.completion - 1) / seconds if seconds > 0 else None
