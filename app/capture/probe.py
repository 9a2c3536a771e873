"""What can be captured here and what not, with remedies; captures nothing itself."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from dataclasses import dataclass

from app.capture import direct, permission
from app.capture.obstacle import NO_DISPLAY, Obstacle, no_display, wayland


@dataclass(frozen=True, slots=True)
class BackendState:
    """One way of capturing: `reason` says why it does not serve and `remedy` what helps; both
    are empty where it does."""

    name: str
    ok: bool
    reason: str = ""
    remedy: str = ""


def reasons() -> tuple[BackendState, ...]:
    """Every way this system could have, in order of preference. Not inside a running loop."""
    states = [_state(direct.NAME, direct.obstacle()), _state("QScreen", _through_qt())]
    if sys.platform == "linux":
        from app.capture import portal  # noqa: PLC0415 (D-Bus is Linux's)

        states.append(_state(portal.NAME, asyncio.run(portal.obstacle())))
    return tuple(states)


def _through_qt() -> Obstacle | None:
    """Why a window of ours could not read the screens through Qt; there is none to ask here."""
    if no_display():
        return NO_DISPLAY
    if wayland():
        return Obstacle("Wayland shows a program its own windows only")
    if importlib.util.find_spec("PySide6") is None:
        return Obstacle("Qt is not installed")
    return permission.obstacle()


def _state(name: str, obstacle: Obstacle | None) -> BackendState:
    if obstacle is None:
        return BackendState(name, True)
    return BackendState(name, False, obstacle.reason, obstacle.remedy)
