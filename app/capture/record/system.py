"""An area of the screen read whole at every look through mss: Windows, macOS, and X11 displays
that tell nothing of changes. The canvas finds what differs; knows no file."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.capture import direct
from app.capture.record.canvas import Pixels, Pointer
from app.capture.record.eye import Over
from app.capture.record.facts import Area
from app.vocabulary import CaptureFault

_CHANGED = "The screen changed its size; the recording ended there."
_ARROW = (  # where a system does not hand out its pointer: o is ink, . is light around it
    "..          ",
    ".o.         ",
    ".oo.        ",
    ".ooo.       ",
    ".oooo.      ",
    ".ooooo.     ",
    ".oooooo.    ",
    ".ooooooo.   ",
    ".oooooooo.  ",
    ".ooooooooo. ",
    ".oooooo.....",
    ".ooo.oo.    ",
    ".oo. .oo.   ",
    "..   .oo.   ",
    "      .oo.  ",
    "       ..   ",
)


class System:
    """Raises CaptureFault where the area can't be looked at. A window is not followed here."""

    def __init__(self, area: Area, *, pointer: bool) -> None:
        import mss  # noqa: PLC0415  (not on a machine that only serves)

        obstacle = direct.obstacle()
        if obstacle is not None:
            raise obstacle.fault()
        self._screens = mss.MSS()
        try:
            self._scale = self._measured_scale()
            self._area = area
            self._place = in_points(area, self._scale)
            shown = self._grabbed()
        except Exception as error:  # what mss raises has no common root
            self._screens.close()
            raise CaptureFault(
                "capture_failed",
                "The area can't be recorded: the screen gave no picture.",
                str(error),
            ) from error
        self.height, self.width = shown.shape[:2]
        self._wanted = pointer
        self._arrow = arrow()

    def look(self, *, whole: bool) -> Iterator[tuple[int, int, Pixels]]:
        shown = self._grabbed()
        if shown.shape[:2] != (self.height, self.width):
            raise Over("screen", _CHANGED)
        yield 0, 0, shown

    def pointer(self) -> Pointer | None:
        at = _pointer_place()
        if at is None or not self._wanted:
            return None
        x = round(at[0] * self._scale) - self._area.region.x
        y = round(at[1] * self._scale) - self._area.region.y
        return Pointer(x, y, self._arrow, 0)

    def corner(self) -> tuple[int, int]:
        return self._area.region.x, self._area.region.y

    def doubt(self) -> None:
        """Everything is compared at every look."""

    def close(self) -> None:
        self._screens.close()

    def _measured_scale(self) -> float:
        """Pixels a point: macOS counts places in points."""
        first = self._screens.monitors[1]
        return float(self._screens.grab(first).width / first["width"])

    def _grabbed(self) -> Pixels:
        try:
            taken: Any = self._screens.grab(self._place)
        except Exception as error:  # what mss raises has no common root
            raise Over("screen", _CHANGED) from error
        return np.frombuffer(taken.raw, np.uint8).reshape(taken.height, taken.width, 4)


def in_points(area: Area, scale: float) -> dict[str, int]:
    """The area as mss wants it, in the system's own units."""
    region = area.region
    return {
        "left": round(region.x / scale),
        "top": round(region.y / scale),
        "width": max(1, round(region.width / scale)),
        "height": max(1, round(region.height / scale)),
    }


def arrow() -> Pixels:
    """An arrow whose tip is its corner: BGRA, the colours multiplied by alpha."""
    colours = {"o": (20, 20, 20, 255), ".": (255, 255, 255, 255), " ": (0, 0, 0, 0)}
    return np.array([[colours[mark] for mark in row] for row in _ARROW], np.uint8)


if sys.platform == "win32":

    def _pointer_place() -> tuple[float, float] | None:
        at = (ctypes.c_long * 2)()
        return (at[0], at[1]) if ctypes.windll.user32.GetCursorPos(at) else None

elif sys.platform == "darwin":

    class _Point(ctypes.Structure):
        _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_double))

    def _pointer_place() -> tuple[float, float] | None:
        graphics = ctypes.CDLL(
            "/System/Library/Frameworks/ApplicationServices.framework/ApplicationServices"
        )
        graphics.CGEventCreate.restype = ctypes.c_void_p
        graphics.CGEventCreate.argtypes = [ctypes.c_void_p]
        graphics.CGEventGetLocation.restype = _Point
        graphics.CGEventGetLocation.argtypes = [ctypes.c_void_p]
        graphics.CFRelease.argtypes = [ctypes.c_void_p]
        event = graphics.CGEventCreate(None)
        at = graphics.CGEventGetLocation(event)
        graphics.CFRelease(event)
        return at.x, at.y

else:

    def _pointer_place() -> tuple[float, float] | None:
        return None  # an X display without X Fixes does not say
