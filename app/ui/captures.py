"""The settings page on what a capture does and may see, and on what stays when the window goes;
knows no screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, cast

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings
from app.ui.answers import Page
from app.ui.buttons import IconButton, Segments, field_label, label
from app.ui.line import Line
from app.ui.look import Look
from app.ui.theme import CONTROL

LIST = 148  # px


class Captures(Page):
    """`programs_wanted` asks which programs run; `show_programs` takes the answer."""

    programs_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__(self.tr("Capture"))
        self._look = look
        self.click = Segments(
            self.tr("Click on the tray icon"),
            (
                ("snip", self.tr("Capture")),
                ("window", self.tr("Open window")),
                ("record", self.tr("Record")),
            ),
        )
        self.closing = Segments(
            self.tr("Closing the window"),
            (("stay", self.tr("Keep running")), ("quit", self.tr("Quit"))),
        )
        self.sign = Segments(
            self.tr("When a picture is taken"),
            (
                ("flash", self.tr("Flash")),
                ("sound", self.tr("Sound")),
                ("none", self.tr("Nothing")),
            ),
        )
        for segments in (self.click, self.closing, self.sign):
            self.form.addRow(field_label(segments.accessibleName(), segments), segments)
            segments.chosen.connect(self._change)
        self.program = QComboBox()
        self.typed = QLineEdit()
        self.add = QPushButton(self.tr("Add"))
        self.rows: dict[str, IconButton] = {}
        self._lay_out_programs()

    def _lay_out_programs(self) -> None:
        self.program.setAccessibleName(self.tr("Program to leave out"))
        self.program.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.program.setMinimumContentsLength(20)
        self.program.setLineEdit(self.typed)
        self.typed.setPlaceholderText(self.tr("Choose a program, or type its name"))
        self.typed.returnPressed.connect(self._add)
        self.add.setAccessibleName(self.tr("Add to the programs never captured"))
        self.add.clicked.connect(self._add)
        choosing = QHBoxLayout()
        choosing.setSpacing(8)
        choosing.addWidget(self.program, 1)
        choosing.addWidget(self.add)
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self._rows.addStretch(1)
        inside = QWidget()
        inside.setLayout(self._rows)
        self.area = QScrollArea(widgetResizable=True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setMaximumHeight(LIST)
        self.area.setWidget(inside)
        about = self.tr(
            "The windows of these programs are blacked out in every picture and recording. "
            "Sightline's own always are."
        )
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(label(self.tr("Never captured"), "group"))
        column.addWidget(label(about, "small", wrap=True))
        column.addLayout(choosing)
        column.addWidget(self.area)
        self.form.addRow(column)

    # --- what is shown ----------------------------------------------------------------------

    def show_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.click.choose(settings.tray_click)
        self.closing.choose("stay" if settings.close_to_tray else "quit")
        self.sign.choose(settings.sign)
        if tuple(self.rows) != settings.never_captured:
            self._fill(settings.never_captured)

    def show_programs(self, names: Iterable[str]) -> None:
        """Those that have a window now, to choose from; what is being typed stays."""
        typed = self.program.currentText()
        left = sorted(set(names) - set(self.settings.never_captured), key=str.casefold)
        self.program.clear()
        self.program.addItems(left)
        self.program.setCurrentIndex(-1)
        self.program.setEditText(typed)

    def _fill(self, names: tuple[str, ...]) -> None:
        while self._rows.count() > 1:  # the stretch stays
            item = self._rows.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = {}
        for at, name in enumerate(names):
            self._rows.insertWidget(at, self._row(name))
        self.area.setVisible(bool(names))

    def _row(self, name: str) -> QFrame:
        row = QFrame()
        row.setProperty("role", "card")
        row.setFixedHeight(CONTROL + 4)
        said = Line()
        said.say(name)
        remove = IconButton(self._look, "x", self.tr("Capture {name} again").format(name=name))
        remove.setFixedSize(QSize(28, 28))
        remove.clicked.connect(lambda: self._remove(name))
        self.rows[name] = remove
        inside = QHBoxLayout(row)
        inside.setContentsMargins(12, 0, 4, 0)
        inside.addWidget(said, 1)
        inside.addWidget(remove)
        return row

    # --- what is chosen ---------------------------------------------------------------------

    def _add(self) -> None:
        name = " ".join(self.program.currentText().split())
        self.program.setCurrentIndex(-1)
        self.program.setEditText("")
        never = self.settings.never_captured
        if name and name.casefold() not in {known.casefold() for known in never}:
            self._tell(replace(self.settings, never_captured=(*never, name)))

    def _remove(self, name: str) -> None:
        never = tuple(known for known in self.settings.never_captured if known != name)
        self._tell(replace(self.settings, never_captured=never))

    def _change(self) -> None:
        self._tell(
            replace(
                self.settings,
                tray_click=cast(Literal["snip", "window", "record"], self.click.value),
                close_to_tray=self.closing.value == "stay",
                sign=cast(Literal["flash", "sound", "none"], self.sign.value),
            )
        )

    def _tell(self, settings: Settings) -> None:
        self.show_settings(settings)
        self.changed.emit(settings)

    # --- what Qt asks -----------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.programs_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in the field adds, and must not press the dialog's button as well."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
