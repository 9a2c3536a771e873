"""What the overlay's keys and clicks do: all of it the first time, one line afterwards. It is only
looked at; knows no overlay."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from app.ui.buttons import label

_CARD = "QFrame#hint { background: #1D1C1A; border-radius: 12px; }"
_LINE = "QFrame#hint { background: #1D1C1A; border-radius: 8px; }"
_TITLE = "color: #FFFFFF; font-size: 16px; font-weight: 600; background: transparent;"
_TEXT = "color: #E9E7E3; font-size: 14px; background: transparent;"
_KEY = (
    "color: #FFFFFF; font-size: 12px; background: #3A3835; border: 1px solid #55524D;"
    "border-radius: 5px; padding: 2px 7px;"
)


class Hint(QFrame):
    """`full` shows every key. The mouse goes through it to what lies below."""

    def __init__(self, parent: QWidget, *, full: bool) -> None:
        super().__init__(parent)
        self.setObjectName("hint")
        self.full = full
        # else a drag that begins on it would end with it
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(_CARD if full else _LINE)
        layout = QVBoxLayout(self)
        if full:
            layout.setContentsMargins(24, 20, 24, 20)
            layout.setSpacing(12)
            layout.addWidget(_said(self.tr("Mark what you mean"), _TITLE))
            layout.addLayout(self._keys())
        else:
            layout.setContentsMargins(14, 8, 14, 8)
            text = self.tr(
                "Drag to mark  ·  click a window, or beside it for the screen  ·  Esc to leave"
            )
            layout.addWidget(_said(text, _TEXT))
        self.adjustSize()

    def _keys(self) -> QGridLayout:
        rows = (
            (self.tr("Drag"), self.tr("mark a region")),
            (self.tr("Click"), self.tr("take a window, or the whole screen beside all windows")),
            (
                self.tr("Arrows"),
                self.tr("move it by 1 px, with Ctrl by 10; with Shift change its size"),
            ),
            (self.tr("Space"), self.tr("held while you drag, moves the region")),
            (",  .", self.tr("regions you marked before")),
            (self.tr("Enter"), self.tr("take it; a double click does so too")),
            (self.tr("Esc"), self.tr("leave; so does a right click")),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        for row, (key, does) in enumerate(rows):
            grid.addWidget(_said(key, _KEY), row, 0, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(_said(does, _TEXT), row, 1)
        return grid

    def stand(self, *, low: bool = False) -> None:
        """In the middle: all of it in the lower part, the line at the top or, if it must, low."""
        pane = self.parentWidget()
        assert pane is not None
        room = pane.rect()
        self.adjustSize()
        bottom = room.height() - self.height() - max(24, room.height() // 10)
        self.move(
            (room.width() - self.width()) // 2,
            max(8, bottom) if self.full or low else 24,
        )

    def give_way(self, box: QRect) -> bool:
        """Whether `box` is free of it then: the line moves, the whole stays until it is read."""
        if not self.isVisible() or not self.geometry().intersects(box):
            return True
        if not self.full:
            self.stand(low=self.y() == 24)
        return not self.full


def _said(text: str, style: str) -> QLabel:
    made = label(text)
    made.setStyleSheet(style)
    return made
