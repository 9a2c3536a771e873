"""The screens as they stand now, by the best way this machine has; knows no window of ours.

The ways in order: straight from the system (X11, Windows, macOS), through Qt where a window runs,
through the desktop's portal (Wayland). What a way needs is imported when it is its turn: the
command line starts without Qt, and X11 captures without D-Bus.
"""

from __future__ import annotations

import asyncio
import sys

from app.capture import direct
from app.capture.obstacle import NO_DISPLAY, no_display, wayland
from app.capture.shot import Shot, at, by_monitor
from app.capture.window import active_window
from app.vocabulary import CaptureFault, Frame, Region

__all__ = ["active_window", "grab_region", "grab_screens", "grab_shots"]


async def grab_shots() -> tuple[Shot, ...]:
    """One shot a screen: 5 ms for 1920 x 1080 on X11, as long as the desktop takes on Wayland.
    Where a window runs, only for its thread. Raises CaptureFault."""
    if no_display():
        raise NO_DISPLAY.fault()
    if await asyncio.to_thread(direct.obstacle) is None:
        shots = await asyncio.to_thread(direct.grab)
        return _with_scales(shots)
    return _through_qt() or await _through_portal()


async def grab_screens() -> tuple[Frame, ...]:
    """One PNG a screen, in physical pixels. Raises CaptureFault."""
    return tuple([await _frame(shot) for shot in await grab_shots()])


async def grab_region(region: Region) -> Frame:
    """A part of the desktop, in physical pixels; of the screen that shows most of it, if it lies
    on several. Raises CaptureFault."""
    return await _frame(at(await grab_shots(), region))


async def _frame(shot: Shot) -> Frame:
    from app.capture.encode import aside, to_frame  # noqa: PLC0415

    return await aside(to_frame, shot)


def _through_qt() -> tuple[Shot, ...]:
    """Empty where Qt can't."""
    if not _qt_is_loaded():
        return ()
    from app.capture import toolkit  # noqa: PLC0415

    return toolkit.grab() if toolkit.obstacle() is None else ()


async def _through_portal() -> tuple[Shot, ...]:
    if sys.platform != "linux":
        raise _why_not_direct(CaptureFault("capture_failed", "The screen can't be captured."))
    from app.capture import portal  # noqa: PLC0415

    try:
        shot = await portal.grab()
    except CaptureFault as fault:
        raise fault if wayland() else _why_not_direct(fault) from fault
    if not _qt_is_loaded():
        return (shot,)
    from app.capture import toolkit  # noqa: PLC0415

    return by_monitor(shot, toolkit.monitors())


def _why_not_direct(otherwise: CaptureFault) -> CaptureFault:
    """Off Wayland the direct way is the one that should have worked: its reason is the one to
    tell."""
    obstacle = direct.obstacle()
    return obstacle.fault() if obstacle else otherwise


def _with_scales(shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
    if not _qt_is_loaded():
        return shots
    from app.capture import toolkit  # noqa: PLC0415

    return toolkit.with_scales(shots)


def _qt_is_loaded() -> bool:
    """Without it no window can run in this process, and asking would load it."""
    return "PySide6.QtGui" in sys.modules
