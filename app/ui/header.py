"""The line above the transcript: the conversation's title and the choice of an endpoint."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.settings import LOCAL, Settings
from app.ui.buttons import IconButton
from app.ui.line import Line
from app.ui.look import Look
from app.ui.menu import Menu
from app.ui.theme import CONTROL

HEIGHT = 48  # px
NAME = 24  # characters of an endpoint's name that are shown


class Header(QWidget):
    """`endpoint_chosen` carries a profile's name, or LOCAL for this machine."""

    library_wanted = Signal()
    endpoint_chosen = Signal(str)
    add_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._settings = Settings()
        self.setFixedHeight(HEIGHT)
        self.library = IconButton(look, "panel-left", self.tr("Show or hide conversations"))
        self.library.say(self.tr("Show or hide conversations"), "Ctrl+B")
        self.library.clicked.connect(self.library_wanted)
        self.title = Line("title")
        self.endpoint = QToolButton()
        self.menu = Menu(self.endpoint)
        self._prepare()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self.library)
        row.addWidget(self.title, 1)
        row.addWidget(self.endpoint)
        look.changed.connect(self._draw)

    def _prepare(self) -> None:
        self.endpoint.setFixedHeight(CONTROL)
        self.endpoint.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.endpoint.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.endpoint.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.endpoint.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron follows
        self.endpoint.setIconSize(QSize(14, 14))
        self.endpoint.setToolTip(self.tr("Who answers"))
        self.endpoint.setMenu(self.menu)
        self.menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.menu.aboutToShow.connect(self._fill)
        self.show_settings(self._settings)
        self._draw()

    def show_title(self, title: str) -> None:
        self.title.say(title)

    def show_settings(self, settings: Settings) -> None:
        self._settings = settings
        name = self._name(settings.endpoint)
        self.endpoint.setText(name if len(name) <= NAME else f"{name[: NAME - 1]}…")
        self.endpoint.setAccessibleName(self.tr("Endpoint: {name}").format(name=name))

    def _name(self, endpoint: str) -> str:
        return self.tr("This machine") if endpoint == LOCAL else endpoint

    def _fill(self) -> None:
        self.menu.clear()
        group = QActionGroup(self.menu)
        for endpoint in (LOCAL, *(profile.name for profile in self._settings.profiles)):
            action = self.menu.addAction(self._name(endpoint))
            action.setCheckable(True)
            action.setChecked(endpoint == self._settings.endpoint)
            action.setData(endpoint)
            group.addAction(action)
        group.triggered.connect(lambda action: self.endpoint_chosen.emit(action.data()))
        self.menu.addSeparator()
        add = self.menu.addAction(self.tr("Add endpoint…"))
        add.triggered.connect(self.add_wanted)

    def _draw(self, _theme: object = None) -> None:
        self.endpoint.setIcon(self._look.icons.icon("chevron-down", "ink2", 14))
