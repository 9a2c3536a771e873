"""Which theme is worn now: the chosen one, or the system's as it changes; knows no window."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from app.ui.icons import Icons
from app.ui.style import font, palette, sheet
from app.ui.theme import DARK, LIGHT, Theme

SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}


class Look(QObject):
    """Dresses the application. `changed` carries the theme now worn."""

    changed = Signal(object)  # Theme

    def __init__(self, app: QApplication, choice: str = "system") -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice
        self._system = app.styleHints().colorScheme()
        app.setStyle("Fusion")
        app.setFont(font())
        self.theme: Theme = self._wanted()
        self.icons = Icons(self.theme)
        self._wear()
        app.styleHints().colorSchemeChanged.connect(self._hear_system)
        self._tell_system()

    def choose(self, choice: str) -> None:
        """Wear "light" or "dark", or follow the "system"."""
        if choice != self._choice:
            self._choice = choice
            self._tell_system()
            self._system = self._app.styleHints().colorScheme()
            self._follow()

    def _tell_system(self) -> None:
        """So that title bars and file dialogs, which the platform draws, match."""
        hints = self._app.styleHints()
        if self._choice in SCHEMES:
            hints.setColorScheme(SCHEMES[self._choice])
        elif hints.colorScheme() != Qt.ColorScheme.Unknown:
            hints.unsetColorScheme()

    def _wanted(self) -> Theme:
        scheme = SCHEMES.get(self._choice, self._system)
        return DARK if scheme == Qt.ColorScheme.Dark else LIGHT

    def _hear_system(self, scheme: Qt.ColorScheme) -> None:
        if self._choice not in SCHEMES:  # else it is the echo of what was chosen
            self._system = scheme
            self._follow()

    def _follow(self) -> None:
        theme = self._wanted()
        if theme is not self.theme:
            self.theme = theme
            self.icons = Icons(theme)
            self._wear()
            self.changed.emit(theme)

    def _wear(self) -> None:
        self._app.setPalette(palette(self.theme))
        self._app.setStyleSheet(sheet(self.theme))
