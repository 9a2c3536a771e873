"""What a key event of Qt's means as part of a chord; knows no widget."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.capture.hotkey import mac
from app.capture.hotkey.chord import FUNCTIONS, KEYS, LETTERS, NAMED, Modifier

_MAC = sys.platform == "darwin"
_HELD: dict[Qt.KeyboardModifier, Modifier] = {
    # Qt calls Command "Control" on a Mac, and the other way round
    Qt.KeyboardModifier.ControlModifier: "Meta" if _MAC else "Ctrl",
    Qt.KeyboardModifier.MetaModifier: "Ctrl" if _MAC else "Meta",
    Qt.KeyboardModifier.AltModifier: "Alt",
    Qt.KeyboardModifier.ShiftModifier: "Shift",
}
_MODIFIERS: dict[int, Modifier] = {
    Qt.Key.Key_Control: "Meta" if _MAC else "Ctrl",
    Qt.Key.Key_Meta: "Ctrl" if _MAC else "Meta",
    Qt.Key.Key_Super_L: "Meta",
    Qt.Key.Key_Super_R: "Meta",
    Qt.Key.Key_Alt: "Alt",
    Qt.Key.Key_Shift: "Shift",
}
_OTHERS = {"Enter": "Return", "ScrollLock": "ScrollLock"}  # where Qt's name is another
_NAMES: dict[int, str] = {
    **{getattr(Qt.Key, f"Key_{name}").value: name for name in (*LETTERS, *FUNCTIONS)},
    **{getattr(Qt.Key, f"Key_{_OTHERS.get(name, name)}").value: name for name in NAMED},
    Qt.Key.Key_Enter.value: "Enter",
    Qt.Key.Key_Backtab.value: "Tab",
}
# where a US keyboard has them, by the codes that Linux and Windows share for these rows: with
# Shift, and on other layouts, the key itself is not what Qt tells
_PLACES: dict[int, str] = {
    **{2 + place: key for place, key in enumerate("1234567890-=")},
    **{16 + place: key for place, key in enumerate("QWERTYUIOP[]")},
    **{30 + place: key for place, key in enumerate("ASDFGHJKL;'`")},
    **{43 + place: key for place, key in enumerate("\\ZXCVBNM,./")},
}
_ON_A_MAC = {mac.code(key): key for key in KEYS}
_XKB = 8  # what X and Wayland add to Linux's codes


def modifiers(event: QKeyEvent) -> frozenset[Modifier]:
    """Those that are held once the event has come, its own key too if it is one and goes down."""
    held = {name for flag, name in _HELD.items() if event.modifiers() & flag}
    own = _MODIFIERS.get(event.key())
    if own is not None:
        (held.add if event.type() == QKeyEvent.Type.KeyPress else held.discard)(own)
    return frozenset(held)


def key(event: QKeyEvent) -> str | None:
    """One of `chord.KEYS`; None for a modifier by itself and for keys that no chord can have."""
    if event.key() in _MODIFIERS or event.modifiers() & Qt.KeyboardModifier.KeypadModifier:
        return None
    return _NAMES.get(event.key()) or _by_place(event)


def _by_place(event: QKeyEvent) -> str | None:
    if _MAC:
        return _ON_A_MAC.get(event.nativeVirtualKey())
    code = event.nativeScanCode() - (_XKB if sys.platform == "linux" else 0)
    if code in _PLACES:
        return _PLACES[code]
    sign = chr(event.key()) if 0 < event.key() < 0x80 else ""  # a platform that tells no code
    return sign if sign in KEYS else None
