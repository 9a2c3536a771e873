"""The field in which a text on the picture is written, as large as its words; knows no mark."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QInputMethodEvent, QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

EDGE = 6  # px around the words
LEAST = 80  # px


class Field(QPlainTextEdit):
    """Enter, or a click elsewhere, ends it; Shift+Enter breaks the line. `written` comes once."""

    written = Signal(str)

    def __init__(self, parent: QWidget, font: QFont, ink: str, ground: str) -> None:
        super().__init__(parent)
        self._composing = False
        self._ended = False
        self.setAccessibleName(self.tr("Text on the picture"))
        self.setFont(font)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(EDGE)
        size, weight = font.pixelSize(), int(font.weight())
        self.setStyleSheet(
            f"QPlainTextEdit {{ background: {ground}; color: {ink}; border-radius: 6px; "
            f"border: 1px dashed {ink}; font-size: {size}px; font-weight: {weight}; }}"
        )
        self.textChanged.connect(self._fit)

    def begin(self, x: int, y: int, text: str, room: QRect) -> None:
        """Stands so that its words begin at that point, or as near to it as `room` allows."""
        self._room = room
        self.move(x - EDGE - 1, y - EDGE - 1)
        self.setPlainText(text)
        self._fit()
        self.show()
        self.selectAll()
        self.setFocus()

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self.written.emit(self.toPlainText())

    def forget(self) -> None:
        """Nothing was written."""
        self._ended = True
        self.deleteLater()

    def _fit(self) -> None:
        measure = self.fontMetrics()
        lines = self.toPlainText().split("\n")
        wide = max(measure.horizontalAdvance(line) for line in lines) + measure.height()
        width = min(max(LEAST, wide + 2 * EDGE + 4), self._room.width())
        height = measure.lineSpacing() * len(lines) + 2 * EDGE + 4
        self.resize(width, height)
        left = min(self.x(), self._room.right() - width)
        top = min(self.y(), self._room.bottom() - height)
        self.move(max(self._room.left(), left), max(self._room.top(), top))

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not enter or self._composing or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        else:
            self.end()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.end()
