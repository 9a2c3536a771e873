"""Screens read straight from the system (X11, Windows, macOS) through mss; knows no toolkit.

mss hands over the raw pixels; its `.rgb` is never used, for it costs ten times the grab.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from app.capture import permission
from app.capture.obstacle import NO_DISPLAY, Obstacle, no_display, wayland
from app.capture.shot import Shot
from app.vocabulary import Region

NAME = {"linux": "X11", "win32": "Windows", "darwin": "macOS"}.get(sys.platform, sys.platform)


def obstacle() -> Obstacle | None:
    """Why this way does not serve here; None if it does."""
    if no_display():
        return NO_DISPLAY
    if wayland():
        return Obstacle("Wayland shows a program its own windows only")
    if sys.platform == "darwin":
        return permission.obstacle()
    try:
        with _screens():
            return None
    except OSError as error:
        return _unreachable(error)


def grab() -> tuple[Shot, ...]:
    """One shot a screen. Raises CaptureFault."""
    try:
        with _screens() as screens:
            # the first entry is all of them as one
            return tuple(
                _shot(screens.grab(monitor), monitor, number)
                for number, monitor in enumerate(screens.monitors[1:], 1)
            )
    except OSError as error:
        raise _unreachable(error).fault() from error


@contextmanager
def _screens() -> Iterator[Any]:
    """What mss sees. Raises OSError where it sees nothing, or is not there: a machine that only
    serves the engine needs no eyes, and the command line must start on it."""
    try:
        import mss  # noqa: PLC0415
        from mss.exception import ScreenShotError  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise OSError("mss is not installed") from missing
    try:
        with closing(mss.MSS()) as screens:
            yield screens
    except ScreenShotError as error:
        raise OSError(str(error)) from error


def _shot(taken: Any, monitor: dict[str, Any], number: int) -> Shot:
    scale = taken.width / monitor["width"]  # macOS counts places in points, pictures in pixels
    return Shot(
        pixels=taken.raw,
        width=taken.width,
        height=taken.height,
        stride=taken.width * 4,
        region=Region(
            round(monitor["left"] * scale),
            round(monitor["top"] * scale),
            taken.width,
            taken.height,
        ),
        scale=scale,
        name=monitor.get("output") or monitor.get("name") or f"screen {number}",
    )


def _unreachable(error: Exception) -> Obstacle:
    display = os.environ.get("DISPLAY", "")
    where = f" {display}" if display else ""
    text = str(error).strip().rstrip(".") or type(error).__name__
    return Obstacle(f"the display{where} does not answer ({text})", kind="no_display")
