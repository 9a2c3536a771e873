"""A field that takes the keys pressed in it as a chord instead of typing them."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLineEdit

from app.capture.hotkey.chord import MODIFIERS, Chord, Modifier, read, shown
from app.ui import strokes
from app.vocabulary import UsageFault

_WIDTH = 190  # px
_PLAIN_ENDS = ("Tab", "Escape", "Backspace", "Delete", "Enter", "Space")


class ChordField(QLineEdit):
    """Waits for a chord from the click or the key that wakes it until it has one, loses the focus
    or hears Esc. Backspace or Del alone takes the chord away."""

    recorded = Signal(str)  # the chord as text, "" for none
    waited = Signal(bool)  # whether it waits for keys now
    refused = Signal(str)  # why what was pressed can't be one

    def __init__(self, name: str) -> None:
        super().__init__()
        self.chord = ""
        self.waiting = False
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setFixedWidth(_WIDTH)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._show()

    def show_chord(self, text: str) -> None:
        self.chord = text
        self._show()

    def wait(self, waiting: bool) -> None:
        if waiting != self.waiting:
            self.waiting = waiting
            self._show()
            self.waited.emit(waiting)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.wait(True)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Nothing to select."""

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.wait(False)

    def event(self, event: QEvent) -> bool:
        """Keys that would move the focus or be a shortcut are a chord's here."""
        kind = event.type()
        keys = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
        if kind not in keys or not self.waiting:
            return super().event(event)
        pressed = cast(QKeyEvent, event)
        if kind == QEvent.Type.KeyPress and self._leaves(pressed):
            return super().event(event)
        event.accept()
        if kind == QEvent.Type.KeyPress and not pressed.isAutoRepeat():
            self._take(pressed)
        elif kind == QEvent.Type.KeyRelease:
            self._show(strokes.modifiers(pressed))
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Awake it is `event` that hears; this is the sleeping field."""
        match strokes.key(event):
            case "Enter" | "Space":
                self.wait(True)
            case "Backspace" | "Delete":
                self._settle("")
            case _:
                event.ignore()

    def _leaves(self, event: QKeyEvent) -> bool:
        """Tab goes on to the next field, as everywhere."""
        held = strokes.modifiers(event) - {"Shift"}
        if strokes.key(event) == "Tab" and not held:
            self.wait(False)
            return True
        return False

    def _take(self, event: QKeyEvent) -> None:
        held, key = strokes.modifiers(event), strokes.key(event)
        if key is None:
            self._show(held)
        elif not held and key == "Escape":
            self.wait(False)
        elif not held and key in ("Backspace", "Delete"):
            self._settle("")
        else:
            self._try(Chord(held, key))

    def _try(self, chord: Chord) -> None:
        try:
            self._settle(str(read(str(chord))))
        except UsageFault as fault:
            self._show()
            self.refused.emit(fault.message)

    def _settle(self, text: str) -> None:
        changed = text != self.chord
        self.chord = text
        self.wait(False)
        self._show()
        if changed:
            self.recorded.emit(text)

    def _show(self, held: frozenset[Modifier] = frozenset()) -> None:
        """The chord; while it waits, what is held so far."""
        if not self.waiting:
            self.setPlaceholderText(self.tr("None"))
            self.setText(spelt(self.chord))
            return
        self.setPlaceholderText(self.tr("Press keys…"))
        ordered = "+".join(name for name in MODIFIERS if name in held)
        self.setText(f"{shown(Chord(held, '…'))}" if ordered else "")


def spelt(text: str) -> str:
    """A chord of the settings as this system's users know it; as it stands if it is none."""
    try:
        return shown(read(text)) if text else ""
    except UsageFault:
        return text
