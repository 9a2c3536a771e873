"""What can be done by name or key, and the windows that open only now and then: built when they
first do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog

from app.capture.listing import windows
from app.keys import Keys
from app.ui.commands import Command
from app.ui.dress import Dress
from app.ui.finder import Finder
from app.ui.gallery import Gallery
from app.ui.preferences import Preferences
from app.ui.session import Session
from app.ui.sheet import Sheet
from app.ui.tasks import Tasks
from app.vocabulary import CaptureFault, Frame

if TYPE_CHECKING:  # the window owns its actions
    from app.ui.window import Window


class Actions(QObject):
    """Everything a user can do that is not typed or dropped. What concerns more than the window is
    told: whoever built it does it. Its tasks end with `end()`."""

    capture_wanted = Signal()
    record_wanted = Signal()
    quit_wanted = Signal()
    preferences_made = Signal(object)  # Preferences

    def __init__(self, window: Window, session: Session, keys: Keys) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._keys = keys
        self.tasks = Tasks(session.noticed.emit)
        self._finder: Finder | None = None
        self._preferences: Preferences | None = None
        for command in self.commands():
            for keys_text in command.keys:
                shortcut = QShortcut(QKeySequence(keys_text), window)
                shortcut.activated.connect(command.run)

    def commands(self) -> tuple[Command, ...]:
        window = self._window
        return (
            Command(self.tr("New conversation"), "square-pen", self.new_conversation, ("Ctrl+N",)),
            Command(self.tr("Capture the screen"), "scan", self.capture, ("Ctrl+Shift+S",)),
            Command(self.tr("Record the screen"), "video", self.record_wanted.emit),
            Command(self.tr("Attach files"), "paperclip", self.attach, ("Ctrl+O",)),
            Command(self.tr("Go to the question"), "pencil", self.write, ("Ctrl+L",)),
            Command(self.tr("Find anything"), "search", self.find, ("Ctrl+K",)),
            Command(
                self.tr("Show or hide conversations"),
                "panel-left",
                window.toggle_library,
                ("Ctrl+B",),
            ),
            Command(self.tr("Settings"), "settings", self.preferences, ("Ctrl+,",)),
            Command(self.tr("Add endpoint"), "server", self.add_endpoint),
            Command(self.tr("Shortcuts"), "keyboard", self.help, ("F1", "Ctrl+/")),
            Command(self.tr("Quit"), "log-out", self.quit_wanted.emit, ("Ctrl+Q",)),
        )

    def new_conversation(self) -> None:
        self._session.new_conversation()

    def write(self) -> None:
        self._window.composer.prompt.setFocus()

    def attach(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Attach files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(
            lambda names: self._session.attach_files([Path(name) for name in names])
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def capture(self) -> None:
        self.capture_wanted.emit()

    def find(self) -> None:
        if self._finder is None:
            self._finder = Finder(self._window.look, self._window)
        open_one = self._session.open_conversation
        conversations = tuple(
            Command(known.title, "message-square", lambda at=known.id: open_one(at))  # type: ignore[misc]
            for known in self._window.library.conversations
        )
        self._finder.open_with((*self.commands(), *conversations))

    def view(self, frames: tuple[Frame, ...]) -> None:
        gallery = Gallery(frames, Dress.of(self._window.look.theme), self._window)
        gallery.show_frame(0)
        gallery.open()

    def help(self) -> None:
        Sheet(self.commands(), self._window).open()

    def preferences(self) -> None:
        self._prepare_preferences().open()

    def hotkeys(self) -> None:
        """The settings, at the page of hotkeys."""
        preferences = self._prepare_preferences()
        preferences.show_page(preferences.hotkeys)
        preferences.open()

    def add_endpoint(self) -> None:
        preferences = self._prepare_preferences()
        preferences.open()
        preferences.add_endpoint()

    def _prepare_preferences(self) -> Preferences:
        if self._preferences is None:
            made = Preferences(self._window.look, self._session.settings, self._window)
            made.changed.connect(self._session.apply_settings)
            services = self._session.services
            made.endpoints.keyed.connect(services.set_key)
            made.endpoints.renamed.connect(self._rename_key)
            made.endpoints.removed.connect(self._forget_key)
            made.endpoints.test_wanted.connect(services.test_endpoint)
            services.endpoint_tested.connect(made.endpoints.show_tested)
            made.models.wanted.connect(services.list_models)
            made.models.folder_given.connect(services.use_model)
            services.models_listed.connect(made.models.show_shelf)
            services.model_refused.connect(made.models.refuse)
            self._session.settings_changed.connect(made.show_settings)
            made.captures.programs_wanted.connect(self._look_for_programs)
            self._preferences = made
            self.preferences_made.emit(made)
            self.tasks.spawn(self._look_at_vault(made), "look at the keyring")
        return self._preferences

    def _look_for_programs(self) -> None:
        self.tasks.spawn(self._list_programs(), "list programs")

    async def _list_programs(self) -> None:
        if self._preferences is not None:
            self._preferences.captures.show_programs(await asyncio.to_thread(_programs))

    # --- keys: the keyring may take its time, so it is asked on a thread ------------------------

    async def _look_at_vault(self, preferences: Preferences) -> None:
        preferences.endpoints.show_vault(await asyncio.to_thread(lambda: self._keys.reason))

    def _rename_key(self, old: str, new: str) -> None:
        self.tasks.spawn(self._move_key(old, new), "move a key")

    async def _move_key(self, old: str, new: str) -> None:
        key = await asyncio.to_thread(self._keys.get, old)
        if key:
            await asyncio.to_thread(self._keys.set, new, key)
        await asyncio.to_thread(self._keys.forget, old)

    def _forget_key(self, name: str) -> None:
        self.tasks.spawn(asyncio.to_thread(self._keys.forget, name), "forget a key")


def _programs() -> frozenset[str]:
    """The names of those that have a window now; none where the desktop does not tell."""
    try:
        shown = windows()
    except CaptureFault:
        return frozenset()
    return frozenset(w.program for w in shown if w.kind == "window" and w.program and not w.own)
