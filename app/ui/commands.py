"""What can be done by name or key, as one list for shortcuts, palette and help; the doing is
handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do: `text` names it, `keys` are its shortcuts in Qt's words, the first shown."""

    text: str
    icon: str
    run: Callable[[], None]
    keys: tuple[str, ...] = ()

    @property
    def shown_keys(self) -> str:
        if not self.keys:
            return ""
        return QKeySequence(self.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)


def matches(text: str, search: str) -> bool:
    """Every word of `search` is somewhere in `text`."""
    low = text.casefold()
    return all(word in low for word in search.casefold().split())
