"""The settings page of hotkeys: a chord for each action, what is refused, and who takes the keys;
knows no system's way to take them."""

from __future__ import annotations

from dataclasses import asdict, replace

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.capture.hotkey.chord import read
from app.capture.hotkey.hotkeys import ACTIONS, Refusal
from app.capture.obstacle import Obstacle
from app.settings import Hotkeys, Settings
from app.ui.buttons import IconButton, label
from app.ui.chords import ChordField
from app.ui.look import Look
from app.vocabulary import UsageFault

translate = QCoreApplication.translate
_ASSIGNED = "GlobalShortcuts portal"  # the way on which the desktop has the last word
# what does the same from a terminal, and so from a key that the desktop itself takes
_COMMANDS = {
    "ask_region": "sightline snip",
    "ask_window": "sightline snip --window",
    "ask_screen": "sightline snip --full",
    "record": "sightline snip --record",
    "show_window": "sightline",
}


class HotkeysPage(QWidget):
    """`recording_changed` says that a field waits for keys: whoever has taken some must let them
    go until it does no more, or the field never sees them."""

    changed = Signal(object)  # Settings
    recording_changed = Signal(bool)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.settings = Settings()
        self._refused: dict[str, str] = {}  # by the system, by action
        self._mistyped: dict[str, str] = {}  # by the field
        self._held: dict[str, str] = {}
        self._obstacle: Obstacle | None = None
        self.setAccessibleName(self.tr("Hotkeys"))
        self.lead = label("", "quiet", wrap=True)
        self.rows = {action: Row(look, action) for action in ACTIONS}
        self.reset = QPushButton(self.tr("Reset to defaults"))
        self._lay_out()
        self.reset.clicked.connect(self._reset)
        for action, row in self.rows.items():
            self._connect(action, row)
        self.show_way("")

    def _lay_out(self) -> None:
        rows = QVBoxLayout()
        rows.setSpacing(8)
        for row in self.rows.values():
            rows.addWidget(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(16)
        column.addWidget(label(self.tr("Hotkeys"), "display"))
        column.addWidget(self.lead)
        column.addLayout(rows)
        column.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def _connect(self, action: str, row: Row) -> None:
        row.field.recorded.connect(lambda chord: self._record(action, chord))
        row.field.refused.connect(lambda reason: self._mistype(action, reason))
        row.field.waited.connect(self._wait)
        row.clear.clicked.connect(lambda: self._record(action, ""))

    # --- what is shown ----------------------------------------------------------------------

    def show_settings(self, settings: Settings) -> None:
        self.settings = settings
        self._show()

    def show_way(self, found: str | Obstacle) -> None:
        """The name of the way that takes the keys here, "" while none is known, or why none
        does."""
        self._obstacle = found if isinstance(found, Obstacle) else None
        self._refused = {}
        self.lead.setText(_lead(found))
        self._show()

    def show_refused(self, refused: tuple[Refusal, ...]) -> None:
        """All that is refused by now."""
        self._refused = {refusal.action: refusal.reason for refusal in refused}
        self._show()

    def show_held(self, held: dict[str, str]) -> None:
        """What the desktop calls the keys that it has assigned, by action."""
        self._held = dict(held)
        self._show()

    def _show(self) -> None:
        chords = asdict(self.settings.hotkeys)
        clashes = _clashes(chords)
        for action, row in self.rows.items():
            wrong = self._mistyped.get(action) or clashes.get(action) or self._refused.get(action)
            row.show_chord(chords[action])
            row.say("" if self._obstacle else wrong or "", self._held.get(action, ""))
            row.show_command(_COMMANDS.get(action, "") if self._obstacle else None)
        self.reset.setVisible(self._obstacle is None)
        self.reset.setEnabled(self.settings.hotkeys != Hotkeys())

    # --- what the user does -------------------------------------------------------------------

    def _record(self, action: str, chord: str) -> None:
        self._mistyped.clear()
        self._refused.pop(action, None)  # it was about the chord before
        self._change(replace(self.settings.hotkeys, **{action: chord}))

    def _reset(self) -> None:
        self._mistyped.clear()
        self._refused.clear()
        self._change(Hotkeys())

    def _mistype(self, action: str, reason: str) -> None:
        self._mistyped = {action: reason}
        self._show()

    def _wait(self, waiting: bool) -> None:
        if waiting or self._mistyped:
            self._mistyped.clear()
            self._show()
        self.recording_changed.emit(waiting)

    def _change(self, hotkeys: Hotkeys) -> None:
        self.settings = replace(self.settings, hotkeys=hotkeys)
        self._show()
        self.changed.emit(self.settings)


class Row(QWidget):
    """One action: its name, its chord, and below what is to be said of it."""

    def __init__(self, look: Look, action: str) -> None:
        super().__init__()
        title = _title(action)
        self.field = ChordField(title)
        clear, copy = self.tr("Clear: {action}"), self.tr("Copy the command")
        self.clear = IconButton(look, "x", clear.format(action=title))
        self.command = label("", "key")
        self.copy = IconButton(look, "copy", copy)
        self.said = label("", "danger", wrap=True)
        self.held = label("", "small", wrap=True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(label(title, wrap=True), 0, 0)
        for column, widget in enumerate((self.field, self.clear, self.command, self.copy), 1):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.said, 1, 0, 1, 5)
        grid.addWidget(self.held, 2, 0, 1, 5)
        grid.setColumnStretch(0, 1)
        self.copy.clicked.connect(self._copy)

    def show_chord(self, text: str) -> None:
        self.field.show_chord(text)
        self.clear.setEnabled(bool(text))

    def say(self, wrong: str, held: str) -> None:
        self.said.setText(wrong)
        self.said.setVisible(bool(wrong))
        self.held.setText(self.tr("The desktop's key: {key}").format(key=held))
        self.held.setVisible(bool(held))

    def show_command(self, command: str | None) -> None:
        """In place of the chord, where keys can't be taken; "" for an action that has none."""
        keys: tuple[QWidget, ...] = (self.field, self.clear)
        words: tuple[QWidget, ...] = (self.command, self.copy)
        for widget in keys:
            widget.setVisible(command is None)
        for widget in words:
            widget.setVisible(bool(command))
        self.command.setText(command or "")
        self.setVisible(command is None or bool(command))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command.text())


def _title(action: str) -> str:
    titles = {
        "ask_region": translate("HotkeysPage", "Ask about a region"),
        "ask_window": translate("HotkeysPage", "Ask about the window under the pointer"),
        "ask_screen": translate("HotkeysPage", "Ask about the whole screen"),
        "record": translate("HotkeysPage", "Start or stop recording"),
        "show_window": translate("HotkeysPage", "Show the window"),
        "new_chat": translate("HotkeysPage", "New chat"),
    }
    return titles[action]


def _lead(found: str | Obstacle) -> str:
    if isinstance(found, Obstacle):
        return translate(
            "HotkeysPage",
            "No program can take keys here: {reason}. Bind these commands to keys in your "
            "desktop's keyboard settings instead.",
        ).format(reason=found.reason)
    if found == _ASSIGNED:
        return translate(
            "HotkeysPage",
            "Your desktop assigns these keys ({way}). It may ask you first, and it may choose "
            "others; its keyboard settings change them.",
        ).format(way=found)
    if not found:
        return translate("HotkeysPage", "These keys work in every program.")
    return translate(
        "HotkeysPage", "These keys work in every program. They are taken through {way}."
    ).format(way=found)


def _clashes(chords: dict[str, str]) -> dict[str, str]:
    """What is to be said of actions that have one chord: each names the other."""
    by_chord: dict[object, list[str]] = {}
    for action, text in chords.items():
        if text:
            by_chord.setdefault(_meaning(text), []).append(action)
    said = translate("HotkeysPage", "The same keys as this: {other}. Choose others.")
    return {
        action: said.format(other=_title(other))
        for actions in by_chord.values()
        if len(actions) > 1
        for action, other in zip(actions, (*actions[1:], actions[0]), strict=True)
    }


def _meaning(text: str) -> object:
    """Two texts of one chord are one; what is none is itself."""
    try:
        return read(text)
    except UsageFault:
        return text
