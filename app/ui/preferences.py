"""The settings window: its pages side by side; every change is told at once."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QWidget,
)

from app.settings import Settings
from app.ui.answers import Answers, Appearance
from app.ui.captures import Captures
from app.ui.endpoints import Endpoints
from app.ui.hotkeys import HotkeysPage
from app.ui.icons import ICON
from app.ui.look import Look
from app.ui.models import Models
from app.ui.recording import Recording
from app.ui.templates import Templates

SIZE = QSize(800, 620)


class Preferences(QDialog):
    changed = Signal(object)  # Settings

    def __init__(self, look: Look, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self.setWindowTitle(self.tr("Settings"))
        self.resize(SIZE)
        self.pages = QStackedWidget()
        self.names = QListWidget()
        self.names.setAccessibleName(self.tr("Pages"))
        self.names.setFixedWidth(168)
        self.names.setIconSize(QSize(ICON, ICON))
        self.endpoints = Endpoints()
        self.models = Models(look)
        self.appearance = Appearance()
        self.answers = Answers()
        self.captures = Captures(look)
        self.hotkeys = HotkeysPage(look)
        self.recording = Recording()
        self.templates = Templates(look)
        self._icons: list[str] = []
        for page, icon, text in (
            (self.endpoints, "server", self.tr("Endpoints")),
            (self.models, "monitor", self.tr("This machine")),
            (self.appearance, "palette", self.tr("Appearance")),
            (self.answers, "message-square", self.tr("Answers")),
            (self.captures, "scan", self.tr("Capture")),
            (self.hotkeys, "keyboard", self.tr("Hotkeys")),
            (self.recording, "video", self.tr("Recording")),
            (self.templates, "sparkles", self.tr("Templates")),
        ):
            self._add(page, icon, text)
            page.changed.connect(self.changed)
        self.names.currentRowChanged.connect(self.pages.setCurrentIndex)
        self.names.setCurrentRow(0)
        self._lay_out()
        self.show_settings(settings)
        self._draw()
        look.changed.connect(self._draw)
        self.finished.connect(lambda _: self.answers.flush())
        self.finished.connect(lambda _: self.recording.flush())
        self.finished.connect(lambda _: self.templates.flush())

    def _lay_out(self) -> None:
        side = QWidget()
        side.setProperty("ground", "panel")
        inside = QHBoxLayout(side)
        inside.setContentsMargins(12, 20, 12, 12)
        inside.addWidget(self.names)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(side)
        row.addWidget(self.pages, 1)

    def _add(self, page: QWidget, icon: str, text: str) -> None:
        item = QListWidgetItem(text)
        item.setSizeHint(QSize(0, 36))
        self.names.addItem(item)
        self.pages.addWidget(page)
        self._icons.append(icon)

    def _draw(self, _theme: object = None) -> None:
        for at, icon in enumerate(self._icons):
            self.names.item(at).setIcon(self._look.icons.icon(icon, "ink2"))

    def show_settings(self, settings: Settings) -> None:
        self.endpoints.show_settings(settings)
        self.models.show_settings(settings)
        self.appearance.show_settings(settings)
        self.answers.show_settings(settings)
        self.captures.show_settings(settings)
        self.hotkeys.show_settings(settings)
        self.recording.show_settings(settings)
        self.templates.show_settings(settings)

    def show_page(self, page: QWidget) -> None:
        self.names.setCurrentRow(self.pages.indexOf(page))

    def add_endpoint(self) -> None:
        """Opens on the form of a new endpoint."""
        self.names.setCurrentRow(0)
        self.endpoints.begin()

    def changeEvent(self, event: QEvent) -> None:
        """Whoever comes back from the terminal sees what was fetched there."""
        super().changeEvent(event)
        back = event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if back and self.models.isVisible():
            self.models.wanted.emit()
