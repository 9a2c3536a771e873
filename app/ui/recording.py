"""The settings page on recording the screen; knows no recorder."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QCheckBox, QSpinBox

from app.capture.record import microphone
from app.settings import Recording as Choice
from app.settings import Settings
from app.ui.answers import PAUSE, Page
from app.ui.buttons import field_label, inset, label

RATES = (1, 60)  # frames a second, as the settings allow
LONGEST_DELAY = 60  # s
MOST_MINUTES = 1440
MOST_MEGABYTES = 1_000_000


class Recording(Page):
    def __init__(self) -> None:
        super().__init__(self.tr("Recording"))
        self._showing = False
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.flush)
        self.rate = QSpinBox(minimum=RATES[0], maximum=RATES[1])
        self.pointer = QCheckBox(self.tr("Show the pointer in the recording"))
        self.microphone = QCheckBox(self.tr("Record the microphone"))
        self.delay = QSpinBox(minimum=0, maximum=LONGEST_DELAY)
        self.longest = QSpinBox(minimum=1, maximum=MOST_MINUTES)
        self.largest = QSpinBox(minimum=1, maximum=MOST_MEGABYTES, singleStep=50)
        self._prepare()
        for text, field in (
            (self.tr("Frames a second"), self.rate),
            (self.tr("Delay"), self.delay),
            (self.tr("Longest"), self.longest),
            (self.tr("Largest"), self.largest),
        ):
            self.form.addRow(field_label(text, field), field)
        self.form.addRow("", self.pointer)
        self.form.addRow("", self.microphone)
        self.form.addRow("", label(self._on_sound(), "small", wrap=True))
        self.form.addRow(
            "",
            label(
                self.tr(
                    "A recording ends by itself when it gets too long or too large; what was "
                    "recorded until then is kept."
                ),
                "small",
                wrap=True,
            ),
        )

    def _on_sound(self) -> str:
        """What becomes of it, or why there is none; looked at once, when the page is made."""
        if microphone.obstacle() is None:
            return self.tr(
                "Sound stays in the recording's file and in a whole video that is sent; it is "
                "never sent with frames."
            )
        self.microphone.setEnabled(False)
        if microphone.device() is None:
            return self.tr(
                "Not possible here: no microphone with PipeWire (pw-record), PulseAudio (parec) or "
                "ALSA (arecord) was found."
            )
        return self.tr("Not possible here: this build has no access to the microphone.")

    def _prepare(self) -> None:
        self.delay.setSuffix(self.tr(" s"))
        self.delay.setSpecialValueText(self.tr("None"))
        self.longest.setSuffix(self.tr(" min"))
        self.largest.setSuffix(self.tr(" MB"))
        for box in (self.pointer, self.microphone):
            box.setAccessibleName(box.text())
            box.toggled.connect(lambda _: self._wait())
        for spin in (self.rate, self.delay, self.longest, self.largest):
            inset(spin)
            spin.setMaximumWidth(160)
            spin.valueChanged.connect(self._wait)

    def show_settings(self, settings: Settings) -> None:
        self.settings = settings
        if self._pause.isActive():
            return  # what is being typed wins
        chosen = settings.recording
        self._showing = True
        self.rate.setValue(chosen.frame_rate)
        self.pointer.setChecked(chosen.pointer)
        self.microphone.setChecked(chosen.microphone and self.microphone.isEnabled())
        self.delay.setValue(chosen.delay)
        self.longest.setValue(_minutes(chosen.longest))
        self.largest.setValue(chosen.largest)
        self._showing = False

    def _wait(self) -> None:
        if not self._showing:
            self._pause.start()

    def flush(self) -> None:
        """Applies what was changed a moment ago."""
        self._pause.stop()
        before = self.settings.recording
        longest = self.longest.value()
        changed = replace(
            before,
            frame_rate=self.rate.value(),
            pointer=self.pointer.isChecked(),
            delay=self.delay.value(),
            # a limit of seconds, set by hand in the file, stays while its minutes do
            longest=before.longest if _minutes(before.longest) == longest else longest * 60,
            largest=self.largest.value(),
            microphone=self._microphone(before.microphone),
        )
        if changed != before:
            self._tell(changed)

    def _microphone(self, before: bool) -> bool:
        """What was wished for stays where it can't be had now."""
        return self.microphone.isChecked() if self.microphone.isEnabled() else before

    def _tell(self, changed: Choice) -> None:
        self.settings = replace(self.settings, recording=changed)
        self.changed.emit(self.settings)


def _minutes(seconds: int) -> int:
    return max(1, -(-seconds // 60))
