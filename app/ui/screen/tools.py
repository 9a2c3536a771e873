"""The bar beside the selection: tools, colours, what was found, and what can be done with the
picture; it stands outside the selection and always on the screen, and knows no mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.buttons import Glyph, IconButton
from app.ui.line import Line
from app.ui.look import Look
from app.ui.screen.hand import STYLED, TOOLS, WIDTHS, Tool
from app.ui.screen.placing import GAP, stand
from app.ui.screen.swatch import Swatch
from app.ui.theme import SPACE, Theme

NOTE = 480  # px, the widest a note gets
ICONS: dict[Tool, str] = {
    "move": "mouse-pointer-2",
    "box": "square",
    "arrow": "move-up-right",
    "pen": "pencil",
    "label": "type",
    "number": "hash",
    "redact": "eye-off",
    "pixelate": "grid-3x3",
}
KEYS: dict[Tool, tuple[str, ...]] = {
    "move": ("0", "V"),
    "box": ("1", "B"),
    "arrow": ("2", "A"),
    "pen": ("3", "P"),
    "label": ("4", "T"),
    "number": ("5", "N"),
    "redact": ("6", "H"),
    "pixelate": ("7", "X"),
}
DEED_KEYS = {
    "undo": "Ctrl+Z",
    "redo": "Ctrl+Shift+Z",
    "text": "Ctrl+T",
    "copy": "Ctrl+C",
    "save": "Ctrl+S",
    "pin": "Ctrl+P",
    "hide": "Ctrl+H",
}
Deed = Literal["undo", "redo", "text", "copy", "save", "pin", "hide", "take", "leave"]


def colours(theme: Theme) -> tuple[str, ...]:
    """What marks are drawn in: the accent, red, yellow, white, black."""
    return (theme.accent, "#E5484D", "#FFD60A", "#FFFFFF", "#1D1C1A")


class Enter(IconButton):
    """Enter presses it too: in a bar it must not mean the whole selection."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class Press(QPushButton):
    """The same with words on it."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class Bar(QFrame):
    """Signals are what was pressed; what it shows is told to it."""

    chosen = Signal(str)  # Tool
    coloured = Signal(str)
    weighed = Signal(int)  # which of WIDTHS
    pressed = Signal(str)  # Deed

    def __init__(self, pane: QWidget, look: Look, *, deed: Literal["ask", "attach"]) -> None:
        super().__init__(pane)
        self._look = look
        self._deed = deed
        self.setProperty("role", "popup")
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName(self.tr("Tools for the selection"))
        self._tools: dict[Tool, IconButton] = {}
        self._deeds: dict[str, IconButton] = {}
        self._swatches: list[Swatch] = []
        self._weights: list[Swatch] = []
        self.take = Press()
        self.take.setProperty("role", "primary")
        self.take.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.take.clicked.connect(lambda: self.pressed.emit("take"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(SPACE[1] - 2, SPACE[1] - 2, SPACE[1] - 2, SPACE[1] - 2)
        self._column.setSpacing(SPACE[0])
        self._main = self._main_row()
        self._styles = self._style_row()
        self._note = self._note_row()
        for row in (self._main, self._styles, self._note):
            self._column.addWidget(row)
        self._note.hide()
        self._dress()
        look.changed.connect(self._dress)

    # --- what it is made of -----------------------------------------------------------------

    def _main_row(self) -> QWidget:
        names = {
            "move": self.tr("Move marks"),
            "box": self.tr("Box"),
            "arrow": self.tr("Arrow"),
            "pen": self.tr("Pen"),
            "label": self.tr("Text"),
            "number": self.tr("Number"),
            "redact": self.tr("Hide, solid: the safe one for text"),
            "pixelate": self.tr("Pixelate: hides faces and pictures; for text, solid is safe"),
        }
        deeds = (
            ("undo", "undo-2", self.tr("Undo")),
            ("redo", "redo-2", self.tr("Redo")),
            ("text", "scan-text", self.tr("Copy the text")),
            ("copy", "copy", self.tr("Copy the picture")),
            ("save", "download", self.tr("Save as a file")),
            ("pin", "pin", self.tr("Pin to the screen")),
        )
        host, row = _row()
        self._halves = row
        tools, row = _row()
        self._halves.addWidget(tools)
        for tool in TOOLS:
            button = self._button(ICONS[tool], names[tool], KEYS[tool][0])
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, tool=tool: self.chosen.emit(tool))
            self._tools[tool] = button
            row.addWidget(button)
            if tool in ("move", "number"):
                row.addWidget(_line())
        row.addStretch(1)
        made, row = _row()
        self._halves.addWidget(made)
        row.addWidget(_line())
        for deed, icon, name in deeds:
            button = self._button(icon, name, DEED_KEYS[deed])
            button.clicked.connect(self._presses(deed))
            self._deeds[deed] = button
            row.addWidget(button)
            if deed == "redo":
                row.addWidget(_line())
        leave = self._button("x", self.tr("Leave"), "Esc")
        leave.clicked.connect(self._presses("leave"))
        row.addWidget(leave)
        row.addSpacing(SPACE[0])
        row.addStretch(1)
        row.addWidget(self.take)
        return host

    def _style_row(self) -> QWidget:
        names = (
            self.tr("Accent"),
            self.tr("Red"),
            self.tr("Yellow"),
            self.tr("White"),
            self.tr("Black"),
        )
        host, row = _row()
        for colour, name in zip(colours(self._look.theme), names, strict=True):
            swatch = Swatch(self.tr("{colour}  C: the next").format(colour=name), colour, 8)
            swatch.setAccessibleName(name)
            swatch.clicked.connect(self._colours(len(self._swatches)))
            self._swatches.append(swatch)
            row.addWidget(swatch)
        row.addWidget(_line())
        widths = (self.tr("Thin  ["), self.tr("Medium"), self.tr("Thick  ]"))
        for at, name in enumerate(widths):
            weight = Swatch(name, None, 1.5 + WIDTHS[at] * 0.6)
            weight.clicked.connect(lambda _=False, at=at: self.weighed.emit(at))
            self._weights.append(weight)
            row.addWidget(weight)
        row.addStretch(1)
        return host

    def _note_row(self) -> QWidget:
        host, row = _row()
        row.setContentsMargins(SPACE[1], 0, 0, 0)
        row.setSpacing(SPACE[1])
        self._glyph = Glyph(self._look, "shield-alert")
        self._words = Line()
        self._words.setMaximumWidth(NOTE)
        self._hide = Press(self.tr("Hide"))
        self._hide.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._hide.setToolTip(_with(self.tr("Hide them all"), DEED_KEYS["hide"]))
        self._hide.clicked.connect(lambda: self.pressed.emit("hide"))
        for part in (self._glyph, self._words, self._hide):
            row.addWidget(part)
        row.addStretch(1)
        return host

    def _button(self, icon: str, name: str, keys: str) -> IconButton:
        button = Enter(self._look, icon, name)
        button.say(name, keys)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        return button

    def _presses(self, deed: str) -> Callable[[], None]:
        return lambda: self.pressed.emit(deed)

    def _colours(self, at: int) -> Callable[[], None]:
        return lambda: self.coloured.emit(colours(self._look.theme)[at])

    def _dress(self) -> None:
        for swatch, colour in zip(self._swatches, colours(self._look.theme), strict=True):
            swatch.paint(colour)

    # --- what it shows ----------------------------------------------------------------------

    def show_where(self, where: str) -> None:
        if self._deed == "attach":
            self.take.setText(self.tr("Attach"))
        else:
            shown = where if len(where) <= 28 else f"{where[:13]}…{where[-14:]}"
            self.take.setText(self.tr("Ask · {where}").format(where=shown))
        asks = self.tr("Ask; the picture goes to {where}").format(where=where)
        name = asks if self._deed == "ask" else self.tr("Attach the selection")
        self.take.setAccessibleName(name)
        self.take.setToolTip(_with(name, "Return"))

    def show_tool(self, tool: Tool, colour: str, weight: int, *, styled: bool) -> None:
        """`styled`: what is drawn or chosen has a colour."""
        for name, button in self._tools.items():
            button.setChecked(name == tool)
            button.draw(ICONS[name], "accent" if name == tool else "ink2")
        for swatch, shade in zip(self._swatches, colours(self._look.theme), strict=True):
            swatch.setChecked(shade == colour)
        for at, width in enumerate(self._weights):
            width.setChecked(at == weight)
        self._styles.setVisible(styled or tool in STYLED)

    def show_steps(self, *, back: bool, on: bool) -> None:
        self._deeds["undo"].setEnabled(back)
        self._deeds["redo"].setEnabled(on)

    def show_note(self, text: str, icon: str = "info", *, hide: bool = False) -> None:
        """A line under the tools; empty for none. `hide` offers to hide what it speaks of."""
        self._words.say(text)
        self._glyph.draw(icon, "accent" if hide or icon == "check" else "ink2")
        self._hide.setVisible(hide)
        self._note.setVisible(bool(text))

    @property
    def note(self) -> str:
        return "" if self._note.isHidden() else self._words.said

    @property
    def offers(self) -> bool:
        """Whether it offers to hide what was found."""
        return bool(self.note) and not self._hide.isHidden()

    # --- where it stands --------------------------------------------------------------------

    def beside(self, box: QRect, room: QRect) -> None:
        """Beside the selection; rows that come and go never move the tools."""
        ways = QBoxLayout.Direction
        self._fold(ways.LeftToRight)
        if self.sizeHint().width() > room.width() - 2 * GAP:
            self._fold(ways.TopToBottom)
        tall = QSize(self.sizeHint().width(), self._tallest())
        corner, side = stand(tall, box, room)
        upward = side in ("above", "inside")
        self._column.setDirection(ways.BottomToTop if upward else ways.TopToBottom)
        size = self.sizeHint()
        self.resize(size)
        self.move(corner.x(), corner.y() + (tall.height() - size.height() if upward else 0))

    def _fold(self, way: QBoxLayout.Direction) -> None:
        """The tools beside what can be done, or above it on a narrow screen."""
        if self._halves.direction() != way:
            self._halves.setDirection(way)
            self._halves.activate()
            self._main.updateGeometry()
        self._column.activate()  # else the size before is still the least there is

    def _tallest(self) -> int:
        rows = (self._main, self._styles, self._note)
        around = self._column.contentsMargins()
        high = sum(row.sizeHint().height() for row in rows) + 2 * self._column.spacing()
        return high + around.top() + around.bottom() + 2

    # a press on the bar between its buttons is no press on the selection under it
    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()


def _row() -> tuple[QWidget, QHBoxLayout]:
    host = QWidget()
    row = QHBoxLayout(host)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(2)
    return host, row


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("ground", "line")
    line.setFixedSize(1, 20)
    return line


def _with(name: str, keys: str) -> str:
    return f"{name}  {keys}"
