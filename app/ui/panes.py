"""The thinking of one turn in a pane of its own: it follows what comes, folds to one line, and
leaves itself alone once it was touched; knows no answer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from app.ui.dress import Dress
from app.ui.page import Page
from app.ui.theme import RADIUS

HEAD = 34  # px of the line that stays when it is folded
EDGE = 14  # px beside and below the text
OUT = 8  # px from the edge of the folded line's button to its drawing
LEAST = 66  # px that the text gets even in a very low window
TOUCHES = (QEvent.Type.Wheel, QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress)


class ThinkingPane(QWidget):
    """`moved` says that it folded or unfolded by hand."""

    moved = Signal()

    def __init__(self, dress: Dress, parent: QWidget) -> None:
        super().__init__(parent)
        self._dress = dress
        self._seconds: float | None = None
        self._thinking = True
        self.folded = False
        self.touched = False
        self.page = Page(dress, self.tr("Thinking"), quiet=True, scrolls=True)
        self.page.setParent(self)
        self.page.viewport().installEventFilter(self)
        self.page.verticalScrollBar().installEventFilter(self)
        self._following = True
        self.page.verticalScrollBar().valueChanged.connect(self._look_where)
        self._head = QToolButton(self)
        self._head.setProperty("role", "chip")
        self._head.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setIconSize(QSize(16, 16))
        self._head.setCursor(Qt.CursorShape.PointingHandCursor)
        self._head.clicked.connect(self._toggle)
        self._say()

    @property
    def text(self) -> str:
        return self.page.markdown

    @property
    def still_thinking(self) -> bool:
        return self._thinking

    @property
    def outset(self) -> int:
        """How far it has to stand out at the left for its one line to begin where text does."""
        return OUT if self.folded else 0

    def set_seconds(self, seconds: float | None, *, thinking: bool) -> None:
        """How long the thinking took, or takes so far."""
        self._seconds, self._thinking = seconds, thinking
        self._say()

    def fold(self, folded: bool = True) -> None:
        """Folds by itself, unless it was touched."""
        if not self.touched and folded != self.folded:
            self.folded = folded
            self._say()

    def wear(self, dress: Dress) -> None:
        self._dress = dress
        self.page.wear(dress)
        self._say()
        self.update()

    def arrange(self, width: int, most: int) -> int:
        """Its height at this width, its text not higher than `most`; puts its parts in place."""
        self._head.setGeometry(
            0 if self.folded else 4, 3, min(self._head.sizeHint().width(), width - 8), HEAD - 6
        )
        self.page.setVisible(not self.folded)
        if self.folded:
            return HEAD
        inner = width - 2 * EDGE
        height = min(self.page.height_of(inner + EDGE - 4), max(most, LEAST))
        self.page.setGeometry(EDGE, HEAD, inner + EDGE - 4, height)
        if self._following:
            bar = self.page.verticalScrollBar()
            bar.setValue(bar.maximum())
        return HEAD + height + EDGE - 4

    def _look_where(self, value: int) -> None:
        self._following = value >= self.page.verticalScrollBar().maximum() - 8

    def _toggle(self) -> None:
        self.folded = not self.folded
        self.touched = True
        self._say()
        self.moved.emit()

    def _say(self) -> None:
        if self._seconds is None:
            words = self.tr("Thinking") if self._thinking else self.tr("Thought")
        elif self._thinking:
            words = self.tr("Thinking · {seconds} s").format(seconds=f"{self._seconds:.1f}")
        else:
            words = self.tr("Thought for {seconds} s").format(seconds=f"{self._seconds:.1f}")
        icon = "chevron-right" if self.folded else "chevron-down"
        self._head.setText(words)
        self._head.setIcon(self._dress.icons.icon(icon, "ink2", 16))
        tip = self.tr("Show the thinking") if self.folded else self.tr("Fold the thinking")
        self._head.setToolTip(tip)
        self._head.setAccessibleName(f"{words}. {tip}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in TOUCHES:
            self.touched = True
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.folded:
            return  # one quiet line
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._dress.theme.line), 1))
        painter.setBrush(QColor(self._dress.theme.panel))
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, RADIUS, RADIUS)
