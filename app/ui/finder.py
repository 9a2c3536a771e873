"""The command palette: any action or conversation, found by typing; knows neither's inside."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.buttons import Glyph, label
from app.ui.commands import Command, matches
from app.ui.look import Look

WIDTH, TOP, ROW, ROWS = 560, 72, 38, 9  # px, px, px, rows
AT = int(Qt.ItemDataRole.UserRole)
MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class Finder(QWidget):
    """Lies over the whole window; a click beside it or Esc closes it."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._over = parent
        self._commands: tuple[Command, ...] = ()
        self._back: QWidget | None = None
        self.field = QLineEdit()
        self.field.setProperty("role", "bare")
        self.field.setPlaceholderText(self.tr("Find an action or a conversation"))
        self.field.setAccessibleName(self.tr("Find an action or a conversation"))
        self.rows = QListWidget()
        self.rows.setAccessibleName(self.tr("Found"))
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._none = label(self.tr("Nothing found."), "quiet")
        self._lay_out()
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._run)
        self.rows.itemClicked.connect(lambda _: self._run())
        self.field.installEventFilter(self)
        self.hide()

    def _lay_out(self) -> None:
        self._box = QFrame(self)
        self._box.setProperty("role", "popup")
        line = QFrame()
        line.setProperty("ground", "line")
        line.setFixedHeight(1)
        column = QVBoxLayout(self._box)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(6)
        for widget in (self.field, line, self.rows, self._none):
            column.addWidget(widget)
        self._none.setContentsMargins(8, 4, 8, 8)

    def open_with(self, commands: Sequence[Command]) -> None:
        self._commands = tuple(commands)
        self._back = self.window().focusWidget()
        self.setGeometry(self._over.rect())
        self.field.clear()
        self._fill()
        self.show()
        self.raise_()
        self.field.setFocus()

    def shut(self) -> None:
        self.hide()
        if self._back is not None:
            self._back.setFocus()

    def _fill(self) -> None:
        self.rows.clear()
        for at, command in enumerate(self._commands):
            if matches(command.text, self.field.text()):
                self._add(at, command)
        self.rows.setCurrentRow(0)
        count = self.rows.count()
        self._none.setVisible(count == 0)
        self.rows.setVisible(count > 0)
        self.rows.setFixedHeight(min(count, ROWS) * ROW + 2)
        self._place()

    def _add(self, at: int, command: Command) -> None:
        item = QListWidgetItem()
        item.setData(AT, at)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, command.text)
        item.setSizeHint(QSize(0, ROW))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(10, 0, 10, 0)
        line.setSpacing(10)
        line.addWidget(Glyph(self._look, command.icon))
        line.addWidget(label(command.text), 1)
        if command.keys:
            line.addWidget(label(command.shown_keys, "key"), 0, Qt.AlignmentFlag.AlignVCenter)
        self.rows.addItem(item)
        self.rows.setItemWidget(item, row)

    def _place(self) -> None:
        width = min(WIDTH, self.width() - 32)
        self._box.setFixedWidth(width)
        self._box.adjustSize()
        self._box.move((self.width() - width) // 2, min(TOP, self.height() // 6))

    def _run(self) -> None:
        item = self.rows.currentItem()
        if item is not None:
            command = self._commands[item.data(AT)]
            self.shut()
            command.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in MOVES:
                self.rows.keyPressEvent(event)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.shut()
                return True
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._box.geometry().contains(event.position().toPoint()):
            self.shut()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 90 if self._look.theme.dark else 40))
