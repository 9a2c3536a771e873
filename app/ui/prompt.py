"""The field a question is written in: grows with the text, sends on Enter, never in the middle
of a composition; knows nothing of what is sent where."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit

from app.ui.given import Given, read, takes

LINES = 8  # before the field scrolls


class Prompt(QTextEdit):
    """Plain text of one to eight lines. `submitted` is Enter; `given` carries pasted pictures and
    files; `focused` says whether the cursor stands here."""

    submitted = Signal()
    given = Signal(object)  # Given
    focused = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._composing = False
        self.setAcceptRichText(False)
        self.setAcceptDrops(False)  # the whole window is the target
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(4)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def write(self, text: str) -> None:
        """Put `text` here, with the cursor at its end, so that Ctrl+Z brings the old one back."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        margin = round(2 * self.document().documentMargin())
        wanted = round(self.document().size().height())
        height = max(line + margin, min(wanted, line * LINES + margin)) + 2
        scrolls = wanted > line * LINES + margin
        bar = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            bar.ScrollBarAsNeeded if scrolls else bar.ScrollBarAlwaysOff
        )
        if height != self.height():
            self.setFixedHeight(height)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        breaks = event.modifiers() & (
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier
        )
        if not enter or self._composing:
            super().keyPressEvent(event)
        elif breaks:
            self.insertPlainText("\n")
            self.ensureCursorVisible()
        else:
            self.submitted.emit()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return takes(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        given = read(source)
        if given.text:
            self.insertPlainText(given.text)
            self.ensureCursorVisible()
        elif given != Given():
            self.given.emit(given)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focused.emit(False)
