"""The icon in the desktop's panel and its menu: what is shown of the program and what can be asked
of it; does none of it."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QSystemTrayIcon

from app.settings import LOCAL, Hotkeys, Settings
from app.store import Conversation
from app.ui.chords import spelt
from app.ui.emblem import RecordState, emblem
from app.ui.menu import Menu
from app.ui.places import Place

RECENT = 8  # conversations
SHOWN = 6_000  # ms that a message stands
TITLE = 40  # characters of one's title


class Tray(QObject):
    """`capture_wanted` carries "region", "window" or "screen", `opened` a conversation,
    `endpoint_chosen` a profile's name or LOCAL. What the menu was clicked for comes once the menu
    is gone."""

    clicked = Signal()
    capture_wanted = Signal(str)
    record_wanted = Signal()
    opened = Signal(int)
    endpoint_chosen = Signal(str)
    pause_chosen = Signal(bool)
    window_wanted = Signal()
    settings_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = Settings()
        self._place: Place | None = None
        self._recording: RecordState = "idle"
        self._hotkeys: Hotkeys | None = None
        self._icon = QSystemTrayIcon(emblem(), self)
        self._icon.activated.connect(self._hear)
        self.menu = Menu()
        self._fill()
        self._icon.setContextMenu(self.menu)
        self.destroyed.connect(self.menu.deleteLater)

    # --- its life ---------------------------------------------------------------------------

    @property
    def there(self) -> bool:
        """Whether the desktop has a tray now; one that comes later gets the icon too."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    @property
    def place(self) -> QRect:
        """Where the icon stands, where the desktop tells; else empty."""
        return self._icon.geometry()

    def show(self) -> None:
        self._icon.show()

    def close(self) -> None:
        """Takes the icon away; what is told of later still finds the menu."""
        self._icon.hide()

    # --- what is shown ----------------------------------------------------------------------

    def show_settings(self, settings: Settings) -> None:
        self._settings = settings
        self._offer_endpoints()

    def show_place(self, place: Place) -> None:
        """Who answers, and whether a model is loaded."""
        self._place = place
        self.state.setText(self._state(place))
        self._explain()

    def show_recording(self, state: RecordState) -> None:
        self._recording = state
        self._icon.setIcon(emblem(state))
        self._write_keys()
        self._explain()

    def show_conversations(self, conversations: tuple[Conversation, ...]) -> None:
        self.recent.clear()
        for known in conversations[:RECENT]:
            action = self.recent.addAction(_escaped(known.title, TITLE))
            action.triggered.connect(lambda _=False, at=known.id: self.opened.emit(at))
        self.recent.setEnabled(bool(conversations))

    def show_keys(self, hotkeys: Hotkeys | None, *, paused: bool) -> None:
        """The keys beside what they do; None where none can be taken here."""
        self._hotkeys = None if paused else hotkeys
        self._write_keys()
        self.pause.setVisible(hotkeys is not None)
        self.pause.setChecked(paused)
        self._explain()

    def say(self, text: str) -> bool:
        """A message beside the icon; False where the desktop shows none."""
        if not (self.there and QSystemTrayIcon.supportsMessages()):
            return False
        self._icon.showMessage("Sightline", text, emblem(), SHOWN)
        return True

    # --- its menu ---------------------------------------------------------------------------

    def _write_keys(self) -> None:
        """What the entries are called, with the key that does the same: as text, for a shortcut
        would be spelt in Qt's own words."""
        idle = self._recording == "idle"
        texts = {
            "ask_region": self.tr("Ask about a region"),
            "ask_window": self.tr("Ask about a window"),
            "ask_screen": self.tr("Ask about the screen"),
            "record": self.tr("Record the screen") if idle else self.tr("Finish recording"),
            "show_window": self.tr("Open Sightline"),
        }
        for name, text in texts.items():
            keys = spelt(getattr(self._hotkeys, name)) if self._hotkeys else ""
            self._keyed[name].setText(f"{text}\t{keys}" if keys else text)

    def _fill(self) -> None:
        menu = self.menu
        self.state = menu.addAction(self.tr("No model is loaded"))
        self.state.setEnabled(False)
        menu.addSeparator()
        captures = {f"ask_{kind}": self._capture(kind) for kind in ("region", "window", "screen")}
        record = menu.addAction("")
        record.triggered.connect(self.record_wanted)
        menu.addSeparator()
        self.recent = Menu(menu, self.tr("Recent conversations"))
        menu.addMenu(self.recent)
        self.recent.setEnabled(False)
        self.endpoints = Menu(menu, self.tr("Who answers"))
        menu.addMenu(self.endpoints)
        self._offer_endpoints()
        menu.addSeparator()
        self.pause = menu.addAction(self.tr("Pause hotkeys"))
        self.pause.setCheckable(True)
        self.pause.triggered.connect(self.pause_chosen)
        menu.addSeparator()
        show = menu.addAction("")
        show.triggered.connect(self.window_wanted)
        menu.addAction(self.tr("Settings")).triggered.connect(self.settings_wanted)
        menu.addAction(self.tr("Quit")).triggered.connect(self.quit_wanted)
        self._keyed = captures | {"record": record, "show_window": show}
        self._write_keys()

    def _capture(self, kind: str) -> QAction:
        action = self.menu.addAction("")
        action.triggered.connect(lambda: self.capture_wanted.emit(kind))
        return action

    def _offer_endpoints(self) -> None:
        self.endpoints.clear()
        group = QActionGroup(self.endpoints)
        for name in (LOCAL, *(profile.name for profile in self._settings.profiles)):
            text = self.tr("This machine") if name == LOCAL else _escaped(name, TITLE)
            action = self.endpoints.addAction(text)
            action.setCheckable(True)
            action.setChecked(name == self._settings.endpoint)
            action.triggered.connect(lambda _=False, at=name: self.endpoint_chosen.emit(at))
            group.addAction(action)

    def _state(self, place: Place) -> str:
        if not place.local:
            return self.tr("{name} answers, at {host}").format(name=place.name, host=place.where)
        model = place.model or self.tr("The model")
        match place.state:
            case "ready":
                return self.tr("{model} is loaded").format(model=model)
            case "starting":
                done = "" if place.progress is None else f" {place.progress:.0%}"
                return self.tr("{model} is being loaded").format(model=model) + done
            case "failed":
                return self.tr("{model} did not start").format(model=model)
            case "cold":
                return self.tr("{model} is not loaded").format(model=model)

    def _explain(self) -> None:
        """The tool tip: the program, and what it does at the moment."""
        said = ["Sightline"]
        if self._recording in ("recording", "waiting"):
            said.append(self.tr("Recording the screen"))
        elif self._recording == "paused":
            said.append(self.tr("The recording is paused"))
        if self._place is not None:
            said.append(self._state(self._place))
        if self.pause.isVisible() and self.pause.isChecked():
            said.append(self.tr("Hotkeys are paused"))
        self._icon.setToolTip("\n".join(said))

    def _hear(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        """A click, once: a double click is told after the click that it began with. On a Mac a
        click opens the menu, and so is none."""
        if sys.platform == "darwin" or reason != QSystemTrayIcon.ActivationReason.Trigger:
            return
        self.clicked.emit()


def _escaped(text: str, most: int) -> str:
    """A name as a menu shows it: one line, cut, its & no mark of a key."""
    line = " ".join(text.split())
    cut = line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
    return cut.replace("&", "&&")
