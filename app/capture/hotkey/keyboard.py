"""What an X server's keyboard looks like now: which key writes what, which modifier is which.

Sources: the X11 protocol (GetKeyboardMapping, GetModifierMapping), chapter 5 on keyboards.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from Xlib import XK, X

from app.capture.hotkey.chord import Modifier
from app.capture.hotkey.keysym import keysym

_FIXED: dict[Modifier, int] = {"Shift": X.ShiftMask, "Ctrl": X.ControlMask}
# which of the modifiers 1 to 5 these are is the layout's choice; its usual one stands behind
_HOLDERS: dict[Modifier, tuple[tuple[str, ...], int]] = {
    "Meta": (("Super_L", "Super_R"), X.Mod4Mask),
    "Alt": (("Alt_L", "Alt_R", "Meta_L", "Meta_R"), X.Mod1Mask),
}
_LOCKS = ("Num_Lock", "Scroll_Lock")


class Keyboard:
    """The keyboard of `display` as it is when this is made: two questions to the server."""

    def __init__(self, display: Any) -> None:
        setup = display.display.info
        self._first = int(setup.min_keycode)
        count = int(setup.max_keycode) - self._first + 1
        self._symbols = [tuple(row) for row in display.get_keyboard_mapping(self._first, count)]
        self._modifiers = [tuple(codes) for codes in display.get_modifier_mapping()]

    def code(self, key: str) -> int | None:
        """The key that writes `key`, without Shift rather than with; None where none does."""
        return self._find(_number(keysym(key)))

    def mask(self, modifiers: frozenset[Modifier]) -> int:
        """The modifiers as the server counts them."""
        mask = 0
        for modifier in modifiers:
            mask |= _FIXED.get(modifier) or self._held(modifier)
        return mask

    def locks(self) -> tuple[int, ...]:
        """Every combination of locks that may be on when a key is pressed, none of them too."""
        masks = {self._mask_of((name,)) for name in _LOCKS} - {0} | {int(X.LockMask)}
        return tuple(
            sum(chosen) for count in range(len(masks) + 1) for chosen in combinations(masks, count)
        )

    def _held(self, modifier: Modifier) -> int:
        names, usual = _HOLDERS[modifier]
        return self._mask_of(names) or usual

    def _mask_of(self, names: tuple[str, ...]) -> int:
        """The first modifier that a key of one of these names sets; 0 where none does."""
        for name in names:
            wanted = _number(name)
            for place, codes in enumerate(self._modifiers):
                if any(wanted in self._written(code) for code in codes if code):
                    return 1 << place
        return 0

    def _find(self, wanted: int) -> int | None:
        if not wanted:
            return None
        widest = max((len(row) for row in self._symbols), default=0)
        for column in range(widest):
            for place, row in enumerate(self._symbols):
                if column < len(row) and row[column] == wanted:
                    return self._first + place
        return None

    def _written(self, code: int) -> tuple[int, ...]:
        place = code - self._first
        return self._symbols[place] if 0 <= place < len(self._symbols) else ()


def _number(name: str) -> int:
    """X's number for a keysym; 0 for one it does not know."""
    return int(XK.string_to_keysym(name))
