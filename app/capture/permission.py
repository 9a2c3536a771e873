"""The leave to record the screen that macOS gives a program, or not; elsewhere there is none to ask
for. Knows no widget.

Source: Core Graphics, CGPreflightScreenCaptureAccess and CGRequestScreenCaptureAccess (macOS
10.15). Without leave the system hands over a picture all the same, of an empty desktop; a leave
that is given holds from the program's next start. Written by the documentation; it has not run on
a Mac here.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from app.capture.obstacle import Obstacle

PAGE = "x-apple.systempreferences:com.apple.preference.security?Privacy_ScreenCapture"
_MAC = sys.platform == "darwin"
_GRAPHICS = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"


def obstacle() -> Obstacle | None:
    """Why the screen must not be recorded; None where it may."""
    if granted():
        return None
    return Obstacle(
        "macOS has not allowed Sightline to record the screen",
        "allow it in System Settings › Privacy & Security › Screen Recording, then start "
        "Sightline again",
    )


def granted() -> bool:
    return not _MAC or bool(_asked("CGPreflightScreenCaptureAccess"))


def request() -> None:
    """Has the system ask its user, once, and name the program in its settings."""
    if _MAC:
        _asked("CGRequestScreenCaptureAccess")


def _asked(name: str) -> Any:
    call = getattr(ctypes.CDLL(_GRAPHICS), name)
    call.restype = ctypes.c_bool
    return call()
