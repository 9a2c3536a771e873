"""What X and, after it, xkbcommon and the portals call a key; knows no keyboard."""

from __future__ import annotations

from app.capture.hotkey.chord import Chord, Modifier

_NAMES = {
    **{"Space": "space", "Enter": "Return", "Backspace": "BackSpace", "PageUp": "Prior"},
    **{"PageDown": "Next", "ScrollLock": "Scroll_Lock", "-": "minus", "=": "equal"},
    **{"[": "bracketleft", "]": "bracketright", ";": "semicolon", "'": "apostrophe"},
    **{"`": "grave", "\\": "backslash", ",": "comma", ".": "period", "/": "slash"},
}
_TRIGGERS: dict[Modifier, str] = {"Ctrl": "CTRL", "Alt": "ALT", "Shift": "SHIFT", "Meta": "LOGO"}


def keysym(key: str) -> str:
    """The keysym of one of `chord.KEYS`: what the key writes without Shift."""
    return _NAMES.get(key) or (key.lower() if len(key) == 1 else key)


def trigger(chord: Chord) -> str:
    """As the portals are told a chord (XDG "shortcuts" specification): SHIFT+LOGO+a."""
    held = (sign for modifier, sign in _TRIGGERS.items() if modifier in chord.modifiers)
    return "+".join((*held, keysym(chord.key)))
