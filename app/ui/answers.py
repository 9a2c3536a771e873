"""The settings page on how answers are made and shown, and the one on looks; knows no session."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings
from app.ui.buttons import Segments, field_label, inset, label

PAUSE = 400  # ms after the last change before it is applied
AUTO = -0.1  # below the lowest temperature: "the model's own"


class Page(QWidget):
    """A page of settings; `changed` carries the settings with this page's part amended."""

    changed = Signal(object)  # Settings

    def __init__(self, title: str) -> None:
        super().__init__()
        self.settings = Settings()
        self.setAccessibleName(title)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(24)
        self.form.setVerticalSpacing(16)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(20)
        column.addWidget(label(title, "display"))
        column.addLayout(self.form)
        column.addStretch(1)


class Appearance(Page):
    def __init__(self) -> None:
        super().__init__(self.tr("Appearance"))
        system = self.tr("System")
        self.theme = Segments(
            self.tr("Theme"),
            (("system", system), ("light", self.tr("Light")), ("dark", self.tr("Dark"))),
        )
        self.language = Segments(
            self.tr("Language"), (("system", system), ("en", "English"), ("zh", "简体中文"))
        )
        self.arrangement = Segments(
            self.tr("Thinking pane"),
            (
                ("auto", self.tr("Automatic")),
                ("beside", self.tr("Beside the answer")),
                ("stacked", self.tr("Above the answer")),
            ),
        )
        for segments in (self.theme, self.language, self.arrangement):
            self.form.addRow(field_label(segments.accessibleName(), segments), segments)
            segments.chosen.connect(self._change)
        self.form.addRow(
            "", label(self.tr("The language changes when Sightline starts again."), "small")
        )

    def show_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.theme.choose(settings.theme)
        self.language.choose(settings.language)
        self.arrangement.choose(settings.layout)

    def _change(self) -> None:
        self.settings = replace(
            self.settings,
            theme=cast(Literal["system", "light", "dark"], self.theme.value),
            language=cast(Literal["system", "en", "zh"], self.language.value),
            layout=cast(Literal["auto", "beside", "stacked"], self.arrangement.value),
        )
        self.changed.emit(self.settings)


class Answers(Page):
    def __init__(self) -> None:
        super().__init__(self.tr("Answers"))
        self._showing = False
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.flush)
        self.prompt = QPlainTextEdit()
        self.prompt.setProperty("role", "field")
        self.prompt.setFixedHeight(112)
        self.prompt.setTabChangesFocus(True)
        self.prompt.setPlaceholderText(self.tr("What every conversation begins with"))
        self.tokens = QSpinBox(minimum=16, maximum=131072, singleStep=256)
        self.temperature = QDoubleSpinBox(minimum=AUTO, maximum=2.0, singleStep=0.1, decimals=1)
        self.temperature.setSpecialValueText(self.tr("The model's own"))
        self.history = QSpinBox(minimum=0, maximum=50)
        for text, field in (
            (self.tr("Instructions"), self.prompt),
            (self.tr("Longest answer, tokens"), self.tokens),
            (self.tr("Temperature"), self.temperature),
            (self.tr("Earlier questions sent along"), self.history),
        ):
            self.form.addRow(field_label(text, field), field)
        for spin in (self.tokens, self.temperature, self.history):
            inset(spin)
            spin.setMaximumWidth(160)
            spin.valueChanged.connect(self._wait)
        self.prompt.textChanged.connect(self._wait)

    def show_settings(self, settings: Settings) -> None:
        self.settings = settings
        if self._pause.isActive():
            return  # what is being typed wins
        self._showing = True
        if self.prompt.toPlainText() != settings.system_prompt:
            self.prompt.setPlainText(settings.system_prompt)
        self.tokens.setValue(settings.max_tokens)
        warmth = settings.temperature
        self.temperature.setValue(AUTO if warmth is None else warmth)
        self.history.setValue(settings.history_turns)
        self._showing = False

    def _wait(self) -> None:
        if not self._showing:
            self._pause.start()

    def flush(self) -> None:
        """Applies what was changed a moment ago."""
        self._pause.stop()
        warmth = round(self.temperature.value(), 1)
        changed = replace(
            self.settings,
            system_prompt=self.prompt.toPlainText().strip(),
            max_tokens=self.tokens.value(),
            temperature=None if warmth < 0 else warmth,
            history_turns=self.history.value(),
        )
        if changed != self.settings:
            self.settings = changed
            self.changed.emit(changed)
