"""Whether the screen can be recorded here, and what helps where not; records nothing itself. Not
inside a running loop."""

from __future__ import annotations

import asyncio
import importlib.util

from app.capture import direct
from app.capture.obstacle import NO_DISPLAY, Obstacle, no_display, wayland


def obstacle() -> Obstacle | None:
    """Why the screen can't be recorded; None if it can."""
    if importlib.util.find_spec("av") is None:
        return Obstacle("PyAV, which encodes, is not installed", "pip install av")
    if no_display():
        return NO_DISPLAY
    if not wayland():
        return direct.obstacle()
    from app.capture.record import pipeline, screencast  # noqa: PLC0415 (Wayland's)

    return pipeline.obstacle() or asyncio.run(screencast.obstacle())


def way() -> str:
    """By which way it goes here."""
    return "the desktop's ScreenCast portal and GStreamer" if wayland() else direct.NAME
