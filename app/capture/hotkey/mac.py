"""Hotkeys on macOS: Carbon's RegisterEventHotKey, which asks for no permission.

The tables are tried by tests on every system; the calls were written from the documentation and
have not run on a Mac. Carbon tells the thread that runs the program's own event loop, so that no
thread is needed; keys that macOS itself keeps (System Settings › Keyboard › Keyboard Shortcuts)
are granted and never come, which nothing reports. Sources: CarbonEvents.h, Events.h (HIToolbox).
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Mapping
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_int32, c_uint32, c_void_p, sizeof
from typing import Any

from app.capture.hotkey.chord import Chord, Modifier, shown
from app.capture.hotkey.culprit import culprit, running
from app.capture.hotkey.wish import Pressed, Refusal, settled, taken

NAME = "macOS"
_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_TAKEN = -9878  # eventHotKeyExistsErr
_SIGN = int.from_bytes(b"SLNE", "big")  # whose hotkeys these are
_FLAGS: dict[Modifier, int] = {"Meta": 0x100, "Shift": 0x200, "Alt": 0x800, "Ctrl": 0x1000}
_CODES: dict[str, int] = {
    # where a US keyboard has them: Carbon knows places, not letters
    **dict(zip("ASDFHGZXCV", range(0x0A), strict=True)),
    **dict(zip("BQWERYT", range(0x0B, 0x12), strict=True)),
    **dict(zip("123465=97-80]OU[IP", range(0x12, 0x24), strict=True)),
    **dict(zip("LJ'K;\\,/NM.", range(0x25, 0x30), strict=True)),
    **{"Enter": 0x24, "Tab": 0x30, "Space": 0x31, "`": 0x32, "Backspace": 0x33, "Escape": 0x35},
    **{"F1": 0x7A, "F2": 0x78, "F3": 0x63, "F4": 0x76, "F5": 0x60, "F6": 0x61, "F7": 0x62},
    **{"F8": 0x64, "F9": 0x65, "F10": 0x6D, "F11": 0x67, "F12": 0x6F, "F13": 0x69, "F14": 0x6B},
    **{"F15": 0x71, "F16": 0x6A, "F17": 0x40, "F18": 0x4F, "F19": 0x50, "F20": 0x5A},
    **{"Insert": 0x72, "Home": 0x73, "PageUp": 0x74, "Delete": 0x75, "End": 0x77},
    **{"PageDown": 0x79, "Left": 0x7B, "Right": 0x7C, "Down": 0x7D, "Up": 0x7E, "Menu": 0x6E},
}


def code(key: str) -> int | None:
    """The key code of one of `chord.KEYS`; None for a key that no Mac has."""
    return _CODES.get(key)


def flags(modifiers: frozenset[Modifier]) -> int:
    """As RegisterEventHotKey takes them."""
    return sum(_FLAGS[modifier] for modifier in modifiers)


class _Id(Structure):
    """EventHotKeyID."""

    _fields_ = (("signature", c_uint32), ("id", c_uint32))


class _Kind(Structure):
    """EventTypeSpec."""

    _fields_ = (("event_class", c_uint32), ("kind", c_uint32))


_PRESSED = _Kind(int.from_bytes(b"keyb", "big"), 5)  # kEventHotKeyPressed
_DIRECT = int.from_bytes(b"----", "big")  # kEventParamDirectObject
_ID_TYPE = int.from_bytes(b"hkid", "big")  # typeEventHotKeyID
_Handler = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)


class Registrations:
    """The hotkeys of this program. To be made by a running loop on the main thread."""

    def __init__(self, pressed: Pressed) -> None:
        self.name = NAME
        self.held: dict[str, str] = {}
        self._pressed = pressed
        self._loop = asyncio.get_running_loop()
        self._carbon = _carbon()
        self._target = c_void_p(self._carbon.GetApplicationEventTarget())
        self._actions: dict[int, str] = {}
        self._references: list[c_void_p] = []
        self._handler = _Handler(self._hear)  # Carbon keeps its address only
        self._installed = c_void_p()
        self._carbon.InstallEventHandler(
            self._target, self._handler, 1, byref(_PRESSED), None, byref(self._installed)
        )

    async def bind(self, wishes: Mapping[str, str]) -> tuple[Refusal, ...]:
        self._free()
        chords, senseless = settled(wishes)
        self._actions = dict(enumerate(chords, 1))
        failed = {
            action: error
            for number, action in self._actions.items()
            if (error := self._register(number, chords[action]))
        }
        if not failed:
            return senseless
        who = culprit("", await asyncio.to_thread(running))
        refused = (
            Refusal(action, wishes[action], _reason(chords[action], error, who))
            for action, error in failed.items()
        )
        return (*senseless, *refused)

    async def close(self) -> None:
        self._free()
        self._carbon.RemoveEventHandler(self._installed)

    def _register(self, number: int, chord: Chord) -> int:
        """Carbon's error; 0 where there is none, 1 for a key that no Mac has."""
        key = code(chord.key)
        if key is None:
            return 1
        reference = c_void_p()
        error = self._carbon.RegisterEventHotKey(
            key, flags(chord.modifiers), _Id(_SIGN, number), self._target, 0, byref(reference)
        )
        if not error:
            self._references.append(reference)
        return int(error)

    def _free(self) -> None:
        for reference in self._references:
            self._carbon.UnregisterEventHotKey(reference)
        self._references.clear()
        self._actions = {}

    def _hear(self, _next: int, event: int, _data: int) -> int:
        found = _Id()
        self._carbon.GetEventParameter(
            c_void_p(event), _DIRECT, _ID_TYPE, None, sizeof(found), None, byref(found)
        )
        action = self._actions.get(int(found.id)) if found.signature == _SIGN else None
        if action is not None:
            self._loop.call_soon(self._pressed, action)
        return 0


def _carbon() -> Any:
    carbon = ctypes.CDLL(_CARBON)
    carbon.GetApplicationEventTarget.restype = c_void_p
    carbon.InstallEventHandler.argtypes = [
        *(c_void_p, _Handler, ctypes.c_ulong, POINTER(_Kind), c_void_p, POINTER(c_void_p))
    ]
    carbon.RegisterEventHotKey.argtypes = [
        *(c_uint32, c_uint32, _Id, c_void_p, c_uint32, POINTER(c_void_p))
    ]
    carbon.UnregisterEventHotKey.argtypes = [c_void_p]
    carbon.RemoveEventHandler.argtypes = [c_void_p]
    carbon.GetEventParameter.argtypes = [
        *(c_void_p, c_uint32, c_uint32, c_void_p, ctypes.c_ulong, c_void_p, c_void_p)
    ]
    return carbon


def _reason(chord: Chord, error: int, who: str) -> str:
    if error == _TAKEN:
        return taken(chord, who)
    if error == 1:
        return f"No Mac has the key {chord.key}. Choose another."
    return f"macOS does not give {shown(chord)} to a program (error {error}). Choose another key."
