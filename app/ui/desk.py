"""The program around its window: hotkeys, tray, captures, what later starts ask for, and whether it
stays when the window goes; does none of these itself."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPoint, QTimer, Signal
from PySide6.QtWidgets import QApplication

from app.capture.hotkey.wish import Refusal
from app.capture.obstacle import Obstacle
from app.capture.record.facts import Area
from app.handover import Invocation
from app.settings import Hotkeys, Settings
from app.store import Store
from app.ui.bindings import Bindings
from app.ui.chords import spelt
from app.ui.farewell import Farewell
from app.ui.film.recorder import Film, RecorderFlow
from app.ui.instance import Instance
from app.ui.preferences import Preferences
from app.ui.relaunch import relaunch
from app.ui.screen.shutter import Shutter, Wish
from app.ui.session import Session
from app.ui.tasks import Tasks
from app.ui.tray import RECENT, Tray
from app.ui.window import Window
from app.vocabulary import Error, Frame

CALM = 2_000  # ms after the start until what can wait is made ready


class Desk(QObject):
    """`quitted` is told once the user wants the program to end."""

    quitted = Signal()

    def __init__(self, session: Session, window: Window, instance: Instance) -> None:
        super().__init__()
        self.session = session
        self._services = session.services
        self.window = window
        self._hotkeys: Hotkeys | None = None  # as they are bound
        self._refused = ""  # what the window says of keys
        self._corner: QPoint | None = None
        self._by_menu = False  # whether the recording was asked for in one
        self.tasks = Tasks(session.noticed.emit)
        self.tray = Tray(self)
        self.bindings = Bindings(self.tasks)
        self.shutter = Shutter(self._services, window.look, self.tasks)
        self.recorder = RecorderFlow(self._services, window.look, self._choose_area)
        self.farewell = Farewell(window)
        self._calm = QTimer(self, singleShot=True, interval=CALM)
        self._calm.timeout.connect(self.shutter.quicks.prepare)
        self._connect_program(instance)
        self._connect_tray()
        window.may_close = self._may_close

    def begin(self, said: Invocation) -> None:
        """Shows what is to be seen at first, and does what the start asked for."""
        self.tray.show_settings(self.session.settings)
        self.tray.show_place(self.session.place)
        self._invoke(said)
        self.tray.show()
        self._take_settings(self.session.settings)
        self._list_recent()
        self.tasks.spawn(self.recorder.offer_left_over(), "look for recordings left over")
        self._calm.start()

    def leave(self) -> None:
        """Takes everything off the screen; what the window keeps of itself is kept."""
        if self.window.isVisible():
            self.window.closed.emit()
            self.window.hide()
        self.bindings.opened.disconnect()  # the keyboard may open only now, and the menu is gone
        self.tray.close()

    async def end(self) -> None:
        """Lets go of the keys and of what runs; before the session's own end."""
        self._calm.stop()
        await self.bindings.close()
        await self.tasks.end()
        await self.recorder.close()
        await self.shutter.close()

    # --- who hears whom ---------------------------------------------------------------------

    def _connect_program(self, instance: Instance) -> None:
        instance.invoked.connect(self._invoke)
        self.bindings.pressed.connect(self._press)
        self.bindings.opened.connect(lambda _: self._show_keys())
        self.bindings.refused.connect(self._warn_of_keys)
        self._services.settings_changed.connect(self._take_settings)
        self._services.place_changed.connect(self.tray.show_place)
        self._services.conversations_changed.connect(self._list_recent)
        self.session.noticed.connect(self._notice)
        window = self.window
        window.closed.connect(self._stay_or_quit)
        window.deeds.capture_wanted.connect(lambda: self.shutter.take(Wish(deed="attach")))
        window.deeds.quit_wanted.connect(self.quitted)
        window.deeds.preferences_made.connect(self._equip)
        window.deeds.record_wanted.connect(self._record)
        self.shutter.attached.connect(self._attach)
        self.shutter.permit.reopened.connect(self._start_anew)
        self.recorder.state_changed.connect(self.tray.show_recording)
        self.recorder.noticed.connect(self.session.noticed)
        self.recorder.taken.connect(self._ask_film)
        quicks = self.shutter.quicks
        quicks.opened_in_window.connect(self._continue)
        quicks.words_moved.connect(self.window.composer.ask_again)
        quicks.moved_to_window.connect(self._write_on)
        quicks.settings_wanted.connect(self._preferences)
        self.farewell.quitted.connect(self.quitted)
        self.farewell.stayed.connect(self._stay)

    def _connect_tray(self) -> None:
        tray = self.tray
        tray.clicked.connect(self._click)
        tray.capture_wanted.connect(lambda kind: self.shutter.take(Wish(kind, menu=True)))
        tray.record_wanted.connect(lambda: self._record(menu=True))
        tray.opened.connect(self._continue)
        tray.endpoint_chosen.connect(self._services.choose_endpoint)
        tray.pause_chosen.connect(self._pause)
        tray.window_wanted.connect(self.show_window)
        tray.settings_wanted.connect(self._preferences)
        tray.quit_wanted.connect(self.quitted)

    # --- what is asked of the program --------------------------------------------------------

    def _invoke(self, said: Invocation) -> None:
        match said.verb:
            case "show":
                self.show_window()
            case "record":
                self._record()
            case "region" | "window" | "screen":
                self.shutter.take(Wish(said.verb, region=said.region))

    def _press(self, action: str) -> None:
        match action:
            case "ask_region":
                self.shutter.take(Wish("region"))
            case "ask_window":
                self.shutter.take(Wish("window"))
            case "ask_screen":
                self.shutter.take(Wish("screen"))
            case "record":
                self._record()
            case "show_window":
                self.show_window()
            case "new_chat":
                self.show_window()
                self.session.new_conversation()

    def _click(self) -> None:
        match self.session.settings.tray_click:
            case "snip":
                self.shutter.take(Wish("region"))
            case "window":
                self.show_window()
            case "record":
                self._record()

    def _preferences(self) -> None:
        self.show_window()
        self.window.deeds.preferences()

    def _record(self, *, menu: bool = False) -> None:
        """Starts one, or ends the one that runs."""
        self._by_menu = menu
        if self.shutter.permit.lets():
            self.recorder.toggle()

    async def _choose_area(self) -> Area | None:
        return await self.shutter.snip.area(menu=self._by_menu)

    # --- what a capture becomes ---------------------------------------------------------------

    def _attach(self, frame: Frame) -> None:
        self.show_window()
        self.session.attach_frames(frame.source.name, (frame,))
        self.window.composer.prompt.setFocus()

    def _ask_film(self, film: Film) -> None:
        self.show_window()
        self.session.new_conversation()
        self.session.attach_frames(film.name, film.frames, film.clips)
        self.session.ask(film.question)

    def _continue(self, conversation: int) -> None:
        """What was begun in a quick window goes on in the window."""
        self.show_window()
        self.session.open_conversation(conversation)

    def _write_on(self, frame: Frame, text: str) -> None:
        """Nothing was asked in the quick window yet."""
        self.session.new_conversation()
        self._attach(frame)
        self.window.composer.prompt.setPlainText(text)

    # --- the window's life --------------------------------------------------------------------

    def _start_anew(self) -> None:
        relaunch()
        self.quitted.emit()

    def show_window(self) -> None:
        """In front, where it was, with the keys."""
        window = self.window
        if window.isMinimized():
            window.showNormal()
        elif not window.isVisible():
            window.show()
            if self._corner is not None:
                window.move(self._corner)  # a window manager may place it anew
        window.raise_()
        window.activateWindow()

    def _may_close(self) -> bool:
        """Whether the window goes at once; else what becomes of the program is asked first."""
        settings = self.session.settings
        application = QApplication.instance()
        leaving = isinstance(application, QApplication) and application.isSavingSession()
        if leaving or not settings.close_to_tray or settings.tray_missed or self.tray.there:
            self._corner = self.window.pos()
            return True
        barred = isinstance(self.bindings.way, Obstacle)
        self.farewell.ask("" if barred else spelt(settings.hotkeys.show_window))
        return False

    def _stay(self) -> None:
        """From now on it is known that no tray shows the program."""
        self._services.apply_settings(replace(self._services.settings, tray_missed=True))
        self.window.close()

    def _stay_or_quit(self) -> None:
        if not self._services.settings.close_to_tray:
            self.quitted.emit()

    # --- what is told -------------------------------------------------------------------------

    def _take_settings(self, settings: Settings) -> None:
        self.tray.show_settings(settings)
        if settings.hotkeys != self._hotkeys:
            self._hotkeys = settings.hotkeys
            self.bindings.want(settings.hotkeys)
            self._show_keys()

    def _pause(self, paused: bool) -> None:
        self.bindings.pause(paused)
        self._show_keys()

    def _show_keys(self) -> None:
        barred = isinstance(self.bindings.way, Obstacle)
        keys = None if barred else self._services.settings.hotkeys
        self.tray.show_keys(keys, paused=self.bindings.paused)

    def _equip(self, preferences: Preferences) -> None:
        """The settings were opened for the first time: their page of hotkeys hears the keyboard."""
        page, bindings = preferences.hotkeys, self.bindings
        page.show_way(bindings.way)
        page.show_refused(bindings.wrong)
        page.show_held(bindings.names)
        bindings.opened.connect(page.show_way)
        bindings.refused.connect(page.show_refused)
        bindings.held.connect(page.show_held)
        page.recording_changed.connect(bindings.give_way)

    def _warn_of_keys(self, refused: tuple[Refusal, ...]) -> None:
        said = " ".join(dict.fromkeys(refusal.reason for refusal in refused))
        before, self._refused = self._refused, said
        if not said:
            if before and self.window.banner.text == before:
                self.window.banner.dismiss()
            return
        self.window.banner.warn(said, self.tr("Open settings"), self.window.deeds.hotkeys)
        if not self.window.isVisible():
            self.tray.say(said)

    def _notice(self, error: Error) -> None:
        """What the window's banner says, said where it is seen when the window is not: a key that
        does nothing and says nothing is broken."""
        if self.window.isVisible() or self.tray.say(error.message):
            return
        if error.kind in ("capture_failed", "no_display", "bad_input"):
            self.show_window()

    def _list_recent(self) -> None:
        self.tasks.spawn(self._read_recent(), "recent conversations")

    async def _read_recent(self) -> None:
        found = await self._services.database.call(Store.conversations, "", RECENT)
        self.tray.show_conversations(found)
