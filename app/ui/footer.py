"""What stands under an answer: how it went, what it took, what can be done with it; knows only
the values it is shown."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.store import Turn
from app.ui.buttons import label, retone
from app.ui.dress import Dress
from app.ui.tool import GLYPH, SIZE, Tool

HEIGHT = 32  # px
INSET = (SIZE - GLYPH) // 2  # px from the edge of a tool to its drawing
BEAT = 450  # ms between two steps of the dots


class Footer(QWidget):
    copied = Signal()
    retried = Signal()
    edited = Signal()

    def __init__(self, dress: Dress, parent: QWidget) -> None:
        super().__init__(parent)
        self._copy = Tool(dress, "copy", self.tr("Copy the answer"), self)
        again = Tool(dress, "refresh-cw", self.tr("Ask again"), self)
        edit = Tool(dress, "pencil", self.tr("Edit the question"), self)
        self._tools = (self._copy, again, edit)
        self._copy.clicked.connect(self._press_copy)
        again.clicked.connect(self.retried)
        edit.clicked.connect(self.edited)
        self._facts = label(tone="small")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for tool in self._tools:
            row.addWidget(tool)
        row.addStretch(1)
        row.addWidget(self._facts)
        self.setFixedHeight(HEIGHT)

    def show_streaming(self, tokens_per_second: float | None) -> None:
        for tool in self._tools:
            tool.hide()
        if tokens_per_second is not None:
            self._facts.setText(self._rate(tokens_per_second))

    def show_turn(self, turn: Turn) -> None:
        """An ended turn: what can be done, and its figures."""
        for tool in self._tools:
            tool.show()
        self._copy.setVisible(bool(turn.answer))
        self._facts.setText(" · ".join(self._figures(turn)))

    def wear(self, dress: Dress) -> None:
        for tool in self._tools:
            tool.wear(dress)

    def _figures(self, turn: Turn) -> list[str]:
        figures: list[str] = []
        usage = turn.usage
        if usage is not None and usage.completion:
            figures.append(self.tr("{count} tokens").format(count=f"{usage.completion:,}"))
            writing = usage.seconds - (turn.first_token or 0.0)
            if writing > 0.05 and usage.completion > 1:
                figures.append(self._rate((usage.completion - 1) / writing))
        if turn.first_token is not None:
            seconds = f"{turn.first_token:.1f}"
            figures.append(self.tr("first token {seconds} s").format(seconds=seconds))
        return figures

    def _rate(self, tokens_per_second: float) -> str:
        shown = (
            f"{tokens_per_second:.0f}" if tokens_per_second >= 10 else f"{tokens_per_second:.1f}"
        )
        return self.tr("{rate} tok/s").format(rate=shown)

    def _press_copy(self) -> None:
        self.copied.emit()
        self._copy.thank()


class Notice(QWidget):
    """One sentence below what came: how the answer ended, where that was not the usual way."""

    retried = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._says = label(wrap=True)
        self._retry = QPushButton(self.tr("Retry"))
        self._retry.setAccessibleName(self.tr("Retry"))
        self._retry.clicked.connect(self.retried)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self._says, 1)
        self._row.addWidget(self._retry)

    def show_turn(self, turn: Turn) -> bool:
        """Whether there is anything to say."""
        words, failed = self._words(turn), turn.state in ("failed", "interrupted")
        self._says.setText(words)
        self._says.setToolTip(turn.error.detail if turn.error is not None else "")
        retone(self._says, "tone", "danger" if turn.state == "failed" else "small")
        self._retry.setVisible(failed)
        self.setAccessibleName(words)
        return bool(words)

    def arrange(self, width: int) -> int:
        return max(HEIGHT, self._row.heightForWidth(width))

    def _words(self, turn: Turn) -> str:
        if turn.state in ("failed", "interrupted") and turn.error is not None:
            return turn.error.message
        match turn.state:
            case "failed":
                return self.tr("The answer failed.")
            case "interrupted":
                return self.tr("Sightline ended before this answer did. What came is kept.")
            case "length":
                return self.tr("The answer was cut at the length limit.")
            case "cancelled":
                return self.tr("Stopped.")
            case "done" if not turn.answer.strip():
                return self.tr("The model ended without an answer.")
        return ""


class Waiting(QWidget):
    """Three calm dots and what is happening, until the first word comes."""

    def __init__(self, dress: Dress, parent: QWidget) -> None:
        super().__init__(parent)
        self._dress = dress
        self._beat = 0
        self._says = QLabel(self)
        self._says.setProperty("tone", "small")
        self._says.move(34, 0)
        self._timer = QTimer(self, interval=BEAT)
        self._timer.timeout.connect(self._step)
        self.setFixedHeight(24)

    def say(self, words: str) -> None:
        self._says.setText(words)
        self._says.setFixedSize(self._says.sizeHint().width() + 4, 24)
        self.setAccessibleName(words)

    def wear(self, dress: Dress) -> None:
        self._dress = dress
        self.update()

    def start(self) -> None:
        self._timer.start()
        self.show()

    def stop(self) -> None:
        self._timer.stop()
        self.hide()

    def _step(self) -> None:
        self._beat = (self._beat + 1) % 3
        self.update(0, 0, 34, 24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for dot in range(3):
            colour = QColor(self._dress.theme.accent)
            colour.setAlphaF(1.0 if dot == self._beat else 0.35)
            painter.setPen(QColor(0, 0, 0, 0))
            painter.setBrush(colour)
            painter.drawEllipse(4 + dot * 9, 9, 5, 5)
