"""Which window hears the keys, and giving them back to it: on X11 an overlay that no window manager
knows takes them itself, and must hand them back itself. Knows no window of ours."""

from __future__ import annotations

import os
import sys

from app.capture.obstacle import no_display, wayland


def held() -> int | None:
    """The window that has the keys; None where the system sees to it."""
    if sys.platform != "linux" or no_display() or wayland():
        return None
    from app.capture.x11 import Desktop  # noqa: PLC0415 (X11 is one system's)

    try:
        with Desktop(os.environ["DISPLAY"]) as desktop:
            return desktop.focused_window()
    except OSError:
        return None


def give_back(window: int | None) -> None:
    """Does nothing for None and for a window that has closed."""
    if window is None:
        return
    from app.capture.x11 import Desktop  # noqa: PLC0415 (X11 is one system's)

    try:
        with Desktop(os.environ["DISPLAY"]) as desktop:
            desktop.focus(window)
    except OSError:
        return
