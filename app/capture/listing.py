"""The windows shown now, as this system tells them; knows no picture."""

from __future__ import annotations

import sys

from app.capture.obstacle import NO_DISPLAY, Obstacle, no_display, wayland
from app.capture.windows import DesktopWindow

if sys.platform == "win32":
    from app.capture.win32 import windows as _windows
elif sys.platform == "darwin":
    from app.capture.quartz import windows as _windows
else:
    from app.capture.stacking import windows as _windows

_WAYLAND = Obstacle(
    "Wayland tells no program where another's window stands",
    "capture a region or the whole screen",
)


def obstacle() -> Obstacle | None:
    """Why windows can't be told apart here; None if they can."""
    if no_display():
        return NO_DISPLAY
    return _WAYLAND if wayland() else None


def windows() -> tuple[DesktopWindow, ...]:
    """Topmost first; a few ms, so not on the thread that draws.

    Raises:
        CaptureFault: this desktop does not tell.
    """
    hindered = obstacle()
    if hindered is not None:
        raise hindered.fault()
    return _windows()
