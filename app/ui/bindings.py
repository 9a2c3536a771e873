"""The keys that are taken everywhere, as the settings want them; knows no system's way to take
them and nothing of what they do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from PySide6.QtCore import QObject, Signal

from app.capture.hotkey.hotkeys import open_hotkeys
from app.capture.hotkey.wish import Hotkeys as Keyboard
from app.capture.hotkey.wish import Refusal
from app.capture.obstacle import Obstacle
from app.settings import Hotkeys
from app.ui.tasks import Tasks


class Bindings(QObject):
    """Binds the newest wish; an earlier one that still waits for the desktop comes before it.

    `opened` carries the name of the way that takes keys here, or the Obstacle. `refused` carries
    all that is refused by now, as a tuple of Refusal, also when it is empty; `held` what the
    desktop calls the keys that it has assigned, by action."""

    pressed = Signal(str)  # the action
    opened = Signal(object)  # str | Obstacle
    refused = Signal(object)  # tuple[Refusal, ...]
    held = Signal(object)  # dict[str, str]

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._keyboard: Keyboard | None = None
        self._wanted: dict[str, str] = {}
        self._turn = asyncio.Lock()
        self._ended = False
        self._yielding = False
        self.paused = False
        self.way: str | Obstacle = ""  # as `opened` told it
        self.wrong: tuple[Refusal, ...] = ()  # as `refused` did
        self.names: dict[str, str] = {}  # as `held` did

    def want(self, hotkeys: Hotkeys) -> None:
        """Takes these keys from now on, in place of those before."""
        self._wanted = asdict(hotkeys)
        self._renew()

    def pause(self, paused: bool) -> None:
        """Lets every key go, or takes them again."""
        if paused != self.paused:
            self.paused = paused
            self._renew()

    def give_way(self, yielding: bool) -> None:
        """Lets every key go while a field waits for one, or takes them again."""
        self._yielding = yielding
        self._renew()

    async def close(self) -> None:
        """Frees every key."""
        self._ended = True
        async with self._turn:
            if self._keyboard is not None:
                await self._keyboard.close()
                self._keyboard = None

    def _renew(self) -> None:
        self._tasks.spawn(self._bind(), "bind hotkeys")

    async def _bind(self) -> None:
        async with self._turn:
            if self._ended:
                return
            if self._keyboard is None:
                found = await open_hotkeys(self.pressed.emit, self._refuse)
                self.way = found if isinstance(found, Obstacle) else found.name
                self.opened.emit(self.way)
                if isinstance(found, Obstacle):
                    return
                self._keyboard = found
            rest = self.paused or self._yielding
            refused = await self._keyboard.bind({} if rest else dict(self._wanted))
            self._refuse(refused)

    def _refuse(self, refused: tuple[Refusal, ...]) -> None:
        keyboard = self._keyboard
        self.wrong = refused
        self.refused.emit(refused)
        if keyboard is not None:
            self.names = dict(keyboard.held)
            self.held.emit(self.names)
