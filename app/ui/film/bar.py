"""The small bar of a recording: how long, how large, pause, cancel, finish; knows no recorder."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.capture.record.facts import Progress
from app.settings import Recording
from app.ui.buttons import Glyph, IconButton, label, retone
from app.ui.film import clock
from app.ui.film.plate import Plate
from app.ui.look import Look

HEIGHT = 48  # px
SIGN = 16  # px
SOON = 10.0  # s before a limit at which the bar says so
FULL = 0.9  # of the largest size, from where on it says so
MEGABYTE = 1_000_000


class Dot(QWidget):
    """Red while it records; nothing else in the program has this mark."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._state = "waiting"
        self.setFixedSize(12, 12)

    def show_state(self, state: str) -> None:
        self._state = state
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._state == "recording":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.danger))
            painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))
            return
        painter.setPen(QPen(QColor(theme.ink2), 1.75))
        painter.drawEllipse(QRectF(self.rect()).adjusted(2, 2, -2, -2))


class Sign(Glyph):
    """A microphone where one was wished for: whether it is heard, while it is recorded."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, "mic", "ink", SIGN)

    def show_sound(self, sound: bool, *, recording: bool) -> None:
        said = ""
        if recording:
            said = self.tr("Sound is recorded") if sound else self.tr("No sound is recorded")
            self.draw("mic" if sound else "mic-off", "ink" if sound else "danger")
        else:
            self.clear()
        self.setToolTip(said)
        self.setAccessibleName(said or self.tr("Sound"))


class Bar(Plate):
    """Enter finishes, Space pauses and goes on, Esc cancels; each button can be reached by Tab."""

    paused = Signal(bool)  # whether it shall rest
    cancelled = Signal()
    finished = Signal()

    def __init__(self, look: Look, *, microphone: bool = False) -> None:
        super().__init__(look)
        self._state = "waiting"
        self.setWindowTitle(self.tr("Recording"))
        self.setAccessibleName(self.tr("Recording"))
        self.dot = Dot(look)
        self.time = QLabel("0:00")
        self.sound = Sign(look)
        if not microphone:
            self.sound.hide()
        self.note = label("", "small")  # the size, or what matters more
        self.pause = IconButton(look, "pause", self.tr("Pause"))
        self.cancel = IconButton(look, "x", self.tr("Cancel"))
        self.finish = QPushButton(self.tr("Finish"))
        self._prepare()
        self._lay_out()
        self.pause.clicked.connect(lambda: self.paused.emit(self._state == "recording"))
        self.cancel.clicked.connect(self.cancelled)
        self.finish.clicked.connect(self.finished)

    def _prepare(self) -> None:
        self.finish.setProperty("role", "primary")
        self.finish.setAccessibleName(self.tr("Finish"))
        self.finish.setToolTip(self.tr("Stop and choose what to send"))
        self.cancel.say(self.tr("Cancel the recording"), "Esc")
        self.time.setAccessibleName(self.tr("Time"))
        font = self.time.font()
        font.setWeight(font.Weight.DemiBold)
        font.setFeature(QFont.Tag("tnum"), 1)
        self.time.setFont(font)
        self.time.setMinimumWidth(self.time.fontMetrics().horizontalAdvance("00:00") + 4)
        widest = ("000.0 MB", *self._words().values(), self.tr("{time} left").format(time="0:10"))
        measure = self.note.fontMetrics().horizontalAdvance
        self.note.setMinimumWidth(max(map(measure, widest)))

    def _words(self) -> dict[str, str]:
        return {
            "waiting": self.tr("Starts soon"),
            "paused": self.tr("Paused"),
            "finishing": self.tr("Saving…"),
            "full": self.tr("Nearly full"),
        }

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(8)
        for widget in (self.dot, self.time, self.sound, self.note):
            row.addWidget(widget)
        row.addSpacing(8)
        for button in (self.pause, self.cancel, self.finish):
            row.addWidget(button)
        self.setFixedHeight(HEIGHT)

    def show_progress(self, progress: Progress, limits: Recording) -> None:
        self._state = progress.state
        self.sound.show_sound(progress.sound, recording=progress.state == "recording")
        self.dot.show_state(progress.state)
        waits, ends = progress.state == "waiting", progress.state == "finishing"
        self.time.setText("0:00" if waits else clock.minutes(progress.seconds))
        resting = progress.state == "paused"
        self.pause.draw("play" if resting else "pause")
        self.pause.say(self.tr("Go on") if resting else self.tr("Pause"), "Space")
        self.pause.setEnabled(not (waits or ends))
        self.finish.setEnabled(not (waits or ends))
        self.cancel.setEnabled(not ends)
        self._say(progress, limits)

    def _say(self, progress: Progress, limits: Recording) -> None:
        """Its size, or what matters more now."""
        words = self._words()
        left = limits.longest - progress.seconds
        text, tone = words.get(progress.state, clock.size(progress.bytes)), "small"
        if progress.state == "recording" and left <= SOON:
            text, tone = self.tr("{time} left").format(time=clock.minutes(left + 0.99)), "danger"
        elif progress.state == "recording" and progress.bytes >= FULL * limits.largest * MEGABYTE:
            text, tone = words["full"], "danger"
        retone(self.note, "tone", tone)
        self.note.setText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Escape:
                self.cancel.click()
            case Qt.Key.Key_Space:
                self.pause.click()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.finish.click()
            case _:
                super().keyPressEvent(event)
