"""A chord, the keys pressed together for a hotkey, as text and as a value; knows no system's codes.

As text it is modifiers and one key with `+` between them: "Meta+Shift+A". Meta is the key with the
desktop's sign on it: Super on Linux, Windows on Windows, Command on a Mac.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from app.vocabulary import UsageFault

Modifier: TypeAlias = Literal["Meta", "Ctrl", "Alt", "Shift"]

MODIFIERS: tuple[Modifier, ...] = get_args(Modifier)  # in the order they are written
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = tuple("0123456789")
FUNCTIONS = tuple(f"F{number}" for number in range(1, 25))
SIGNS = tuple("-=[];'`\\,./")
_ALONE = ("Print", "Pause", "ScrollLock", "Menu", *FUNCTIONS)  # nobody types with these
NAMED = (
    *("Space", "Tab", "Enter", "Escape", "Backspace", "Insert", "Delete", "Home", "End"),
    *("PageUp", "PageDown", "Left", "Right", "Up", "Down", "Print", "Pause", "ScrollLock", "Menu"),
)
KEYS: tuple[str, ...] = (*LETTERS, *DIGITS, *FUNCTIONS, *SIGNS, *NAMED)

_OTHER_NAMES: dict[str, str] = {
    "control": "Ctrl",
    "option": "Alt",
    **dict.fromkeys(("super", "win", "windows", "cmd", "command"), "Meta"),
    "esc": "Escape",
    "return": "Enter",
    "ins": "Insert",
    "del": "Delete",
    **dict.fromkeys(("pgup", "prior"), "PageUp"),
    **dict.fromkeys(("pgdown", "pgdn", "next"), "PageDown"),
    **dict.fromkeys(("prtsc", "printscreen"), "Print"),
}
_NAMES = {name.lower(): name for name in (*MODIFIERS, *KEYS)} | _OTHER_NAMES
# in the order Apple writes them
_APPLE: dict[Modifier, str] = {"Ctrl": "⌃", "Alt": "⌥", "Shift": "⇧", "Meta": "⌘"}


@dataclass(frozen=True, slots=True)
class Chord:
    """`key` is one of KEYS."""

    modifiers: frozenset[Modifier]
    key: str

    def __str__(self) -> str:
        """As `read` reads it back, in one order whatever the order it was typed in."""
        return "+".join((*(name for name in MODIFIERS if name in self.modifiers), self.key))


def read(text: str) -> Chord:
    """The chord that `text` means, in any order and case and by any usual name.

    Raises:
        UsageFault: it means none, or one that would take a key from everyone who types.
    """
    modifiers: set[Modifier] = set()
    keys: list[str] = []
    for part in (part.strip() for part in text.split("+")):
        name = _NAMES.get(part.lower())
        if name is None:
            raise _senseless(f"“{text}” is no hotkey: there is no key called “{part}”.")
        modifier = _modifier(name)
        if modifier is None:
            keys.append(name)
        else:
            modifiers.add(modifier)
    if len(keys) != 1:
        said = "it has no key beside its modifiers" if not keys else "it has more than one key"
        raise _senseless(f"“{text}” is no hotkey: {said}.")
    return _allowed(Chord(frozenset(modifiers), keys[0]))


def shown(chord: Chord, platform: str = sys.platform) -> str:
    """The chord as that system's users know it: Super+Shift+A, Win+Shift+A, ⇧⌘A."""
    if platform == "darwin":
        return "".join(sign for name, sign in _APPLE.items() if name in chord.modifiers) + chord.key
    return str(chord).replace("Meta", "Win" if platform == "win32" else "Super")


def _modifier(name: str) -> Modifier | None:
    return next((modifier for modifier in MODIFIERS if modifier == name), None)


def _allowed(chord: Chord) -> Chord:
    if chord.modifiers <= {"Shift"} and chord.key not in _ALONE:
        meta = {"win32": "Win", "darwin": "Command"}.get(sys.platform, "Super")
        raise _senseless(f"{shown(chord)} is needed for typing. Add Ctrl, Alt or {meta}.")
    return chord


def _senseless(sentence: str) -> UsageFault:
    return UsageFault("bad_input", sentence)
