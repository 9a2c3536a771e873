"""Pictures of the screen from the desktop's own portal, the only way under Wayland; knows the
question and the file that answers it, and no widget.

Source: org.freedesktop.portal.Screenshot, XDG Desktop Portal documentation.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dbus_fast import Variant
from dbus_fast.aio import MessageBus

from app.capture.encode import aside, decode, to_frame
from app.capture.obstacle import Obstacle
from app.capture.request import WAIT, Ask, Refused, Response, asked, connected, version
from app.capture.shot import Shot
from app.vocabulary import CaptureFault, Frame

NAME = "Wayland portal"
CHOOSING = 120.0  # seconds for a person to choose what to capture

_SCREENSHOT = "org.freedesktop.portal.Screenshot"
_CHOICE = "choose what to capture in the desktop's own dialog"
_NO_BUS = Obstacle("this session has no D-Bus, so no desktop portal", "start a desktop session")
_NO_PORTAL = Obstacle(
    "this desktop's portal offers no screenshots",
    "install xdg-desktop-portal and its part for your desktop (-gnome, -kde, -wlr or -gtk)",
)


async def screenshot(interactive: bool, *, wait: float | None = None) -> Frame:
    """All screens as one picture or, if `interactive`, what the user chooses in the desktop's own
    dialog. Raises CaptureFault, after `wait` seconds at the latest."""
    data = await _picture(interactive, wait)
    shot = await aside(decode, data, "screen")
    frame = await aside(to_frame, shot)
    return replace(frame, source=replace(frame.source, region=None)) if interactive else frame


async def grab(*, wait: float | None = None) -> Shot:
    """All screens as one shot. Raises CaptureFault."""
    return await aside(decode, await _picture(False, wait), "screen")


async def obstacle() -> Obstacle | None:
    """Why this way does not serve here; None if it does."""
    if sys.platform != "linux":
        return Obstacle("only Linux desktops have portals")
    try:
        async with asyncio.timeout(WAIT), _bus() as bus:
            offered = await version(bus, _SCREENSHOT)
    except CaptureFault:
        return _NO_BUS
    except TimeoutError:
        return Obstacle("the desktop portal does not answer", "restart xdg-desktop-portal")
    return _NO_PORTAL if offered is None else None


async def _picture(interactive: bool, wait: float | None) -> bytes:
    patience = wait if wait is not None else CHOOSING if interactive else WAIT
    since = time.time()
    options = {"interactive": Variant("b", interactive), "modal": Variant("b", True)}
    async with _bus() as bus:
        try:
            ask = Ask(_SCREENSHOT, "Screenshot", "s", ("",), options)
            uri = _uri(await asked(bus, ask, patience), interactive)
        except Refused as refused:
            raise _refusal(refused) from refused
        except TimeoutError:
            raise _silence(patience) from None
    return await asyncio.to_thread(_collect, uri, since)


def _uri(response: Response, interactive: bool) -> str:
    """The address of the picture."""
    if response.status == 1:
        raise CaptureFault("capture_failed", "The capture was cancelled or not allowed.")
    if response.status != 0 or "uri" not in response.results:
        raise CaptureFault(
            "capture_failed",
            "The desktop could not take the picture. Try again, or "
            f"{_CHOICE if not interactive else 'use its own screenshot key and paste'}.",
            f"response {response.status}",
        )
    return str(response.results["uri"])


@asynccontextmanager
async def _bus() -> AsyncIterator[MessageBus]:
    try:
        async with connected() as bus:
            yield bus
    except ConnectionError as error:
        raise _NO_BUS.fault() from error
    except EOFError as error:
        raise CaptureFault(
            "capture_failed", "The desktop ended the session's D-Bus during the capture.", "EOF"
        ) from error


def _refusal(refused: Refused) -> CaptureFault:
    if refused.forbidden:
        return CaptureFault(
            "capture_failed",
            "The desktop does not allow Sightline to capture the screen. "
            "Allow it in the desktop's settings for applications.",
            str(refused),
        )
    fault = _NO_PORTAL.fault()
    return CaptureFault(fault.kind, fault.message, str(refused))


def _silence(patience: float) -> CaptureFault:
    return CaptureFault(
        "capture_failed",
        f"The desktop gave no picture within {patience:g} seconds. If it was asked before and "
        "said no, it does not ask again: allow Sightline to take screenshots in the desktop's "
        f"settings, or {_CHOICE}.",
    )


def _collect(uri: str, since: float) -> bytes:
    """Reads the picture and removes it: the portal made it for this request alone."""
    address = urlsplit(uri)
    if address.scheme != "file":
        raise CaptureFault("capture_failed", f"The desktop put the picture at {address.scheme}:.")
    path = Path(unquote(address.path))
    try:
        data = path.read_bytes()
        if _made_for_us(path.lstat(), since):
            path.unlink()
    except OSError as error:
        raise CaptureFault(
            "capture_failed",
            "The picture that the desktop took can't be read. Try again.",
            str(error),
        ) from error
    return data


def _made_for_us(found: os.stat_result, since: float) -> bool:
    """A picture that lay there before the question is someone's own, whoever points to it."""
    fresh = found.st_mtime >= since - 2  # seconds; some file systems count in pairs of them
    return fresh and stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
