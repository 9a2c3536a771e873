"""Hotkeys on Windows: RegisterHotKey on a thread that has a message loop, as it demands.

The tables and the choice of words are tried by tests on every system; the thread was written from
the documentation and has not run on Windows. Sources: Microsoft's pages on RegisterHotKey,
WM_HOTKEY, PostThreadMessageW and virtual-key codes.
"""

from __future__ import annotations

import asyncio
import ctypes
import queue
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from app.capture.hotkey.chord import DIGITS, FUNCTIONS, LETTERS, Chord, Modifier, shown
from app.capture.hotkey.culprit import culprit, running
from app.capture.hotkey.wish import Pressed, Refusal, settled, taken

NAME = "Windows"
_NO_REPEAT = 0x4000  # MOD_NOREPEAT: a held key is pressed once
_TAKEN = 1409  # ERROR_HOTKEY_ALREADY_REGISTERED
_WM_QUIT, _WM_HOTKEY, _WM_APP = 0x0012, 0x0312, 0x8000
_FLAGS: dict[Modifier, int] = {"Alt": 1, "Ctrl": 2, "Shift": 4, "Meta": 8}
_CODES: dict[str, int] = {
    **{key: ord(key) for key in (*LETTERS, *DIGITS)},
    **{key: 0x70 + place for place, key in enumerate(FUNCTIONS)},
    # where these signs stand on a US keyboard
    **{"-": 0xBD, "=": 0xBB, "[": 0xDB, "]": 0xDD, ";": 0xBA, "'": 0xDE},
    **{"`": 0xC0, "\\": 0xDC, ",": 0xBC, ".": 0xBE, "/": 0xBF},
    **{"Space": 0x20, "Tab": 0x09, "Enter": 0x0D, "Escape": 0x1B, "Backspace": 0x08},
    **{"Insert": 0x2D, "Delete": 0x2E, "Home": 0x24, "End": 0x23, "PageUp": 0x21},
    **{"PageDown": 0x22, "Left": 0x25, "Up": 0x26, "Right": 0x27, "Down": 0x28},
    **{"Print": 0x2C, "Pause": 0x13, "ScrollLock": 0x91, "Menu": 0x5D},
}


def code(key: str) -> int:
    """The virtual-key code of one of `chord.KEYS`."""
    return _CODES[key]


def flags(modifiers: frozenset[Modifier]) -> int:
    """As RegisterHotKey takes them."""
    return sum(_FLAGS[modifier] for modifier in modifiers) | _NO_REPEAT


def owner(chord: Chord) -> str:
    """Who on Windows itself is known to have this chord; empty where nobody is."""
    if chord.key == "Print":
        return "the Snipping Tool (Settings › Accessibility › Keyboard)"
    if chord.modifiers == {"Meta", "Shift"} and chord.key in ("S", "R"):
        return "the Snipping Tool"
    if chord.key == "F12" and not chord.modifiers:
        return "Windows, which keeps it for debuggers"
    return "Windows itself" if "Meta" in chord.modifiers else ""


class Registrations:
    """The hotkeys of one thread, which lives until `close`. To be made by a running loop."""

    def __init__(self, pressed: Pressed) -> None:
        self.name = NAME
        self.held: dict[str, str] = {}
        self._pressed = pressed
        self._loop = asyncio.get_running_loop()
        self._actions: dict[int, str] = {}  # by the numbers that WM_HOTKEY brings
        self._pump = Pump(self._hear)

    async def bind(self, wishes: Mapping[str, str]) -> tuple[Refusal, ...]:
        chords, senseless = settled(wishes)
        wanted = {
            number: (flags(c.modifiers), code(c.key)) for number, c in enumerate(chords.values(), 1)
        }
        self._actions = dict(enumerate(chords, 1))
        failed = await self._pump.take(wanted)
        if not failed:
            return senseless
        programs = await asyncio.to_thread(running)
        refused = (
            Refusal(action, wishes[action], _reason(chords[action], failed[number], programs))
            for number, action in self._actions.items()
            if number in failed
        )
        return (*senseless, *refused)

    async def close(self) -> None:
        await asyncio.to_thread(self._pump.close)

    def _hear(self, number: int) -> None:
        self._loop.call_soon_threadsafe(self._press, number)

    def _press(self, number: int) -> None:
        action = self._actions.get(number)
        if action is not None:
            self._pressed(action)


class Pump:
    """A thread with a message loop that registers hotkeys and hears them."""

    def __init__(self, heard: Callable[[int], None]) -> None:
        library: Any = getattr(ctypes, "WinDLL")  # noqa: B009 (there only on Windows)
        self._user = library("user32", use_last_error=True)
        self._kernel = library("kernel32")
        self._heard = heard
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._numbers: tuple[int, ...] = ()
        self._id = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hotkeys", daemon=True)
        self._thread.start()
        self._ready.wait()

    async def take(self, wanted: Mapping[int, tuple[int, int]]) -> dict[int, int]:
        """Registers these in place of all before; the system's errors by number."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[dict[int, int]] = loop.create_future()

        def work() -> None:
            failed = self._register(wanted)
            loop.call_soon_threadsafe(done.set_result, failed)

        self._work.put(work)
        self._user.PostThreadMessageW(self._id, _WM_APP, 0, 0)
        return await asyncio.shield(done)

    def close(self) -> None:
        self._user.PostThreadMessageW(self._id, _WM_QUIT, 0, 0)
        self._thread.join(5)

    def _run(self) -> None:
        message = _Message()
        self._id = self._kernel.GetCurrentThreadId()
        self._user.PeekMessageW(ctypes.byref(message), None, 0, 0, 0)  # makes the queue
        self._ready.set()
        while self._user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            if message.message == _WM_HOTKEY:
                self._heard(int(message.w))
            elif message.message == _WM_APP:
                self._work.get()()
        self._register({})

    def _register(self, wanted: Mapping[int, tuple[int, int]]) -> dict[int, int]:
        for number in self._numbers:
            self._user.UnregisterHotKey(None, number)
        failed: dict[int, int] = {}
        for number, (modifiers, key) in wanted.items():
            if not self._user.RegisterHotKey(None, number, modifiers, key):
                failed[number] = int(getattr(ctypes, "get_last_error")())  # noqa: B009
        self._numbers = tuple(number for number in wanted if number not in failed)
        return failed


class _Message(ctypes.Structure):
    """MSG."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("message", ctypes.c_uint),
        ("w", ctypes.c_size_t),
        ("l", ctypes.c_ssize_t),
        ("time", ctypes.c_uint32),
        ("x", ctypes.c_long),
        ("y", ctypes.c_long),
        ("private", ctypes.c_uint32),
    )


def _reason(chord: Chord, error: int, programs: Collection[str]) -> str:
    if error == _TAKEN:
        return taken(chord, culprit(owner(chord), programs))
    return f"Windows does not give {shown(chord)} to a program (error {error}). Choose another key."
