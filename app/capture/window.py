"""Where the window stands that the user works in; knows no picture."""

from __future__ import annotations

import os
import sys

from app.capture.obstacle import NO_DISPLAY, Obstacle, no_display, wayland
from app.vocabulary import Region

_NO_WINDOW = Obstacle("no window is in front", "click the window, then try again")
_WAYLAND = Obstacle(
    "Wayland tells no program where another's window stands",
    "capture the whole screen, or choose the window in the desktop's own dialog",
)


if sys.platform == "win32":
    import ctypes

    _VISIBLE_FRAME = 9  # DWMWA_EXTENDED_FRAME_BOUNDS: without the shadow, in physical pixels

    def _outline() -> Region | None:
        window = ctypes.windll.user32.GetForegroundWindow()
        edges = (ctypes.c_long * 4)()
        failed = ctypes.windll.dwmapi.DwmGetWindowAttribute(
            ctypes.c_void_p(window), _VISIBLE_FRAME, edges, ctypes.sizeof(edges)
        )
        left, top, right, bottom = edges
        return None if failed else Region(left, top, right - left, bottom - top)

elif sys.platform == "darwin":

    def _outline() -> Region | None:
        raise Obstacle(
            "Sightline can't find the window in front on macOS", "capture the whole screen"
        ).fault()

else:
    from app.capture.x11 import Desktop

    def _outline() -> Region | None:
        display = os.environ["DISPLAY"]
        try:
            with Desktop(display) as desktop:
                window = desktop.active_window()
                return desktop.outline(window) if window else None
        except OSError as error:
            reason = f"the display {display} does not answer"
            raise Obstacle(reason, kind="no_display").fault() from error


def active_window() -> Region:
    """The window in front with its frame, in physical pixels. Raises CaptureFault."""
    if no_display():
        raise NO_DISPLAY.fault()
    if wayland():
        raise _WAYLAND.fault()
    region = _outline()
    if region is None or region.width <= 0 or region.height <= 0:
        raise _NO_WINDOW.fault()
    return region
