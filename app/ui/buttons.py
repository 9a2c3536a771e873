"""Buttons that carry an icon in the theme's ink and a name for those who don't see it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QWidget,
)

from app.ui.icons import ICON
from app.ui.look import Look
from app.ui.theme import CONTROL

INSET = 8  # px between a field's edge and its text


class IconButton(QToolButton):
    """A quiet square button; reached with Tab, it leaves the focus alone when clicked."""

    def __init__(self, look: Look, icon: str, name: str, *, size: int = CONTROL) -> None:
        super().__init__()
        self._look = look
        self._icon = icon
        self._ink = "ink2"
        self.setIconSize(QSize(ICON, ICON))
        self.setFixedSize(size, size)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.say(name)
        self._dress()
        look.changed.connect(self._dress)

    def say(self, name: str, keys: str = "") -> None:
        """The name that a screen reader speaks and the pointer shows, with its shortcut."""
        shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}  {shown}" if keys else name)

    def draw(self, icon: str, ink: str = "ink2") -> None:
        self._icon, self._ink = icon, ink
        self._dress()

    def _dress(self) -> None:
        self.setIcon(self._look.icons.icon(self._icon, self._ink))


class Glyph(QLabel):
    """An icon that is only looked at."""

    def __init__(self, look: Look, icon: str, ink: str = "ink2", size: int = ICON) -> None:
        super().__init__()
        self._look = look
        self._drawn = (icon, ink, size)
        self.setFixedSize(size, size)
        self._dress()
        look.changed.connect(self._dress)

    def draw(self, icon: str, ink: str = "ink2") -> None:
        self._drawn = (icon, ink, self._drawn[2])
        self._dress()

    def _dress(self) -> None:
        self.setPixmap(self._look.icons.pixmap(*self._drawn))


class Segments(QFrame):
    """A choice of one among a few, all in sight. `chosen` carries the value chosen by hand."""

    chosen = Signal(str)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setProperty("role", "segments")
        self.setAccessibleName(name)
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for value, text in choices:
            row.addWidget(self._segment(name, value, text))

    def _segment(self, name: str, value: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setProperty("role", "segment")
        button.setAccessibleName(f"{name}: {text}")
        button.setFixedHeight(CONTROL - 2)
        button.clicked.connect(lambda: self.chosen.emit(value))
        self._group.addButton(button)
        self._buttons[value] = button
        return button

    def choose(self, value: str) -> None:
        """Show `value` as chosen, saying nothing."""
        self._buttons[value].setChecked(True)

    @property
    def value(self) -> str:
        return next((value for value, b in self._buttons.items() if b.isChecked()), "")


def label(text: str = "", tone: str = "", *, wrap: bool = False) -> QLabel:
    """A line of text in one of the style sheet's tones; plain, whatever it holds."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    return made


def field_label(text: str, field: QWidget) -> QLabel:
    """The name beside a field, at the height of its first line; the field is called the same."""
    made = label(text, "field")
    made.setBuddy(field)
    field.setAccessibleName(text)
    return made


def inset(spin: QAbstractSpinBox) -> None:
    """Room before and after its text, which a style sheet's padding does not reach."""
    spin.lineEdit().setTextMargins(INSET, 0, INSET, 0)


def retone(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet reads, and have the widget drawn anew."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
