"""The screens as they stand now, for callers without a loop; in one, await `app.capture.grab`."""

from __future__ import annotations

import asyncio

from app.capture.grab import grab_region, grab_screens, grab_shots
from app.capture.shot import Shot
from app.vocabulary import Frame, Region


def shots() -> tuple[Shot, ...]:
    """One shot a screen. Raises CaptureFault."""
    return asyncio.run(grab_shots())


def screens() -> tuple[Frame, ...]:
    """One PNG a screen, in physical pixels. Raises CaptureFault."""
    return asyncio.run(grab_screens())


def region(place: Region) -> Frame:
    """A part of the desktop, in physical pixels. Raises CaptureFault."""
    return asyncio.run(grab_region(place))
