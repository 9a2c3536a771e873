"""A menu with round corners, also where nothing lays see-through windows over others; knows no
entry."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from app.ui.corners import cut
from app.ui.theme import RADIUS


class Menu(QMenu):
    def __init__(self, parent: QWidget | None = None, title: str = "") -> None:
        super().__init__(title, parent)
        # only X11 may be without a compositor; there the corners are cut out instead
        self._cut = QGuiApplication.platformName() == "xcb"
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, not self._cut)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._cut:
            cut(self, RADIUS)
