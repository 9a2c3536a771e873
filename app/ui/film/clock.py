"""Seconds and sizes as a recorder says them; pure text."""

from __future__ import annotations

from PySide6.QtCore import QLocale


def minutes(seconds: float) -> str:
    """0:07, 12:30, 1:02:03."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def moment(seconds: float) -> str:
    """A point in a recording, to a tenth: 0:07.3."""
    tenths = max(0, round(seconds * 10))
    return f"{minutes(tenths // 10)}.{tenths % 10}"


def size(count: int) -> str:
    """312 kB, 4.2 MB, in the system's way of writing numbers."""
    if count < 1_000_000:
        return f"{QLocale().toString(max(0, count) // 1000)} kB"
    return f"{QLocale().toString(count / 1_000_000, 'f', 1)} MB"
