"""Pictures of the screen from the desktop's own portal, the only way under Wayland; knows D-Bus
and files, and no widget.

Source: org.freedesktop.portal.Screenshot and .Request, XDG Desktop Portal documentation. The
answer to a call is a signal on a request object whose path is told beforehand, so that one
listens before one asks. A permission that was once denied gives no answer at all.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidAddressError

from app.capture.encode import aside, decode, to_frame
from app.capture.obstacle import Obstacle
from app.capture.shot import Shot
from app.vocabulary import CaptureFault, Frame

NAME = "Wayland portal"
WAIT = 10.0  # seconds for a picture
CHOOSING = 120.0  # seconds for a person to choose what to capture

_PORTAL = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_SCREENSHOT = "org.freedesktop.portal.Screenshot"
_REQUEST = "org.freedesktop.portal.Request"
_ANSWERS = f"type='signal',sender='{_PORTAL}',interface='{_REQUEST}',member='Response'"
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
            answer = await _call(
                bus, "org.freedesktop.DBus.Properties", "Get", "ss", [_SCREENSHOT, "version"]
            )
    except CaptureFault:
        return _NO_BUS
    except TimeoutError:
        return Obstacle("the desktop portal does not answer", "restart xdg-desktop-portal")
    return _NO_PORTAL if answer.message_type is MessageType.ERROR else None


async def _picture(interactive: bool, wait: float | None) -> bytes:
    patience = wait if wait is not None else CHOOSING if interactive else WAIT
    since = time.time()
    async with _bus() as bus:
        uri = await _Request(bus, interactive).answer(patience)
    return await asyncio.to_thread(_collect, uri, since)


class _Request:
    """One question to the portal: listens, asks, waits, and takes the question back if need be."""

    def __init__(self, bus: MessageBus, interactive: bool) -> None:
        self._bus = bus
        self._interactive = interactive
        self._token = f"sightline_{secrets.token_hex(8)}"
        sender = (bus.unique_name or "").removeprefix(":").replace(".", "_")
        self._path = f"{_PATH}/request/{sender}/{self._token}"
        self._heard: asyncio.Queue[Message] = asyncio.Queue()

    async def answer(self, patience: float) -> str:
        """The address of the picture."""
        self._bus.add_message_handler(self._hear)
        try:
            async with asyncio.timeout(patience):
                await self._listen()
                await self._ask()
                return self._uri(await self._response())
        except TimeoutError:
            await self._take_back()
            raise _silence(patience) from None
        except asyncio.CancelledError:
            await self._take_back()
            raise
        finally:
            self._bus.remove_message_handler(self._hear)

    def _hear(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.member == "Response":
            self._heard.put_nowait(message)

    async def _listen(self) -> None:
        await self._bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[_ANSWERS],
            )
        )

    async def _ask(self) -> None:
        options = {
            "handle_token": Variant("s", self._token),
            "interactive": Variant("b", self._interactive),
            "modal": Variant("b", True),
        }
        answer = await _call(self._bus, _SCREENSHOT, "Screenshot", "sa{sv}", ["", options])
        if answer.message_type is MessageType.ERROR:
            raise _refusal(answer)
        self._path = answer.body[0]  # portals before 0.9 choose a path of their own

    async def _response(self) -> Message:
        while True:
            message = await self._heard.get()
            if message.path == self._path:
                return message

    def _uri(self, response: Message) -> str:
        status, results = response.body
        if status == 1:
            raise CaptureFault("capture_failed", "The capture was cancelled or not allowed.")
        if status != 0 or "uri" not in results:
            raise CaptureFault(
                "capture_failed",
                "The desktop could not take the picture. Try again, or "
                f"{_CHOICE if not self._interactive else 'use its own screenshot key and paste'}.",
                f"response {status}",
            )
        return str(results["uri"].value)

    async def _take_back(self) -> None:
        """Closes the desktop's dialog, so that it does not wait for a program that went on."""
        with suppress(TimeoutError, OSError, EOFError):
            async with asyncio.timeout(1):
                await _call(self._bus, _REQUEST, "Close", "", [], path=self._path)


async def _call(
    bus: MessageBus,
    interface: str,
    member: str,
    signature: str,
    body: list[object],
    *,
    path: str = _PATH,
) -> Message:
    answer = await bus.call(
        Message(
            destination=_PORTAL,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=body,
        )
    )
    if answer is None:
        raise EOFError("the bus closed the connection")
    return answer


@asynccontextmanager
async def _bus() -> AsyncIterator[MessageBus]:
    address = _address()
    if address is None:
        raise _NO_BUS.fault()
    try:
        bus = await MessageBus(bus_address=address).connect()
    except (OSError, EOFError, AuthError, InvalidAddressError) as error:
        raise _NO_BUS.fault() from error
    try:
        yield bus
    except EOFError as error:
        raise CaptureFault(
            "capture_failed", "The desktop ended the session's D-Bus during the capture.", "EOF"
        ) from error
    finally:
        bus.disconnect()
        with suppress(OSError, EOFError):
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


def _address() -> str | None:
    """Where the session's bus is; systemd's place for it where no variable says."""
    told = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if told:
        return told
    socket = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")) / "bus"
    return f"unix:path={socket}" if socket.exists() else None


def _refusal(answer: Message) -> CaptureFault:
    name, text = answer.error_name or "", " ".join(str(part) for part in answer.body)
    if name.rsplit(".", 1)[-1] in ("AccessDenied", "NotAllowed"):
        return CaptureFault(
            "capture_failed",
            "The desktop does not allow Sightline to capture the screen. "
            "Allow it in the desktop's settings for applications.",
            f"{name}: {text}",
        )
    fault = _NO_PORTAL.fault()
    return CaptureFault(fault.kind, fault.message, f"{name}: {text}")


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
