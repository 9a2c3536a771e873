"""Global hotkeys by the way this desktop has, or why it has none; knows no key and no widget.

Windows and macOS have one way each. On Linux a Wayland session has its portal (programs for X run
there too, but their grabs hold only while one of them is in front), and X11 has its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module

from app.capture.hotkey.wish import ACTIONS, BY_HAND, Hotkeys, Pressed, Refusal, Told
from app.capture.obstacle import Obstacle, no_display, wayland
from app.capture.probe import BackendState

__all__ = ["ACTIONS", "BY_HAND", "Hotkeys", "Refusal", "open_hotkeys", "reasons"]

NO_DISPLAY = Obstacle("this session has no display", "start Sightline in a desktop session")


async def open_hotkeys(pressed: Pressed, told: Told | None = None) -> Hotkeys | Obstacle:
    """The way to take keys here. `pressed` is called with an action, `told` with all that is
    refused by now when that changes by itself (another keyboard layout, an answer of the desktop
    that came late); both on the loop's thread."""
    hear = told or (lambda _refused: None)
    if no_display():
        return NO_DISPLAY
    if sys.platform == "win32":
        from app.capture.hotkey import windows  # noqa: PLC0415

        return windows.Registrations(pressed)
    if sys.platform == "darwin":
        from app.capture.hotkey import mac  # noqa: PLC0415

        return mac.Registrations(pressed)
    return await (_portal(pressed, hear) if wayland() else _x11(pressed, hear))


def reasons() -> tuple[BackendState, ...]:
    """Every way to take keys this system could have. Not inside a running loop."""
    if sys.platform == "win32":
        return (BackendState("Windows", True),)
    if sys.platform == "darwin":
        return (BackendState("macOS", True),)
    if no_display():
        return (BackendState("X11", False, NO_DISPLAY.reason, NO_DISPLAY.remedy),)
    if wayland():
        from app.capture.hotkey import portal  # noqa: PLC0415 (D-Bus is Linux's)

        return (_state(portal.NAME, asyncio.run(portal.obstacle())),)
    from app.capture.hotkey import x11  # noqa: PLC0415 (as is X11)

    return (_state(x11.NAME, x11.obstacle()),)


def _state(name: str, obstacle: Obstacle | None) -> BackendState:
    if obstacle is None:
        return BackendState(name, True)
    return BackendState(name, False, obstacle.reason, obstacle.remedy)


async def _x11(pressed: Pressed, told: Told) -> Hotkeys | Obstacle:
    await asyncio.to_thread(_load, "x11")
    from app.capture.hotkey import x11  # noqa: PLC0415

    where = os.environ.get("DISPLAY", "")
    try:
        display = await asyncio.to_thread(x11.connect, where)
    except OSError:
        return Obstacle(f"the display {where} does not answer", BY_HAND, "no_display")
    return x11.Grabs(display, pressed, told)


async def _portal(pressed: Pressed, told: Told) -> Hotkeys | Obstacle:
    await asyncio.to_thread(_load, "portal")
    from app.capture.hotkey import portal  # noqa: PLC0415

    return await portal.open_portal(pressed, told)


def _load(module: str) -> None:
    """Some 30 ms for what a way needs, which the loop's thread has not."""
    import_module(f"app.capture.hotkey.{module}")
