"""The screen as a Wayland desktop hands it out: the ScreenCast portal's handshake, up to a
PipeWire stream. Knows the questions and no picture.

Source: org.freedesktop.portal.ScreenCast and .Session, XDG Desktop Portal documentation.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from app.capture.obstacle import Obstacle
from app.capture.record.facts import Kind
from app.capture.request import (
    WAIT,
    Ask,
    Refused,
    asked,
    call,
    close_bus,
    connected,
    listen,
    open_bus,
    signals,
    version,
)
from app.disk import write_whole
from app.vocabulary import CaptureFault

CHOOSING = 120.0  # seconds for a person in the desktop's dialog

_CAST = "org.freedesktop.portal.ScreenCast"
_SESSION = "org.freedesktop.portal.Session"
_MONITOR, _WINDOW = 1, 2  # types of sources
_HIDDEN, _EMBEDDED = 1, 2  # ways of the pointer
_UNTIL_REVOKED = 2  # how long a permission is kept
_NO_BUS = Obstacle("this session has no D-Bus, so no desktop portal", "start a desktop session")
_NO_PORTAL = Obstacle(
    "this desktop's portal shares no screen",
    "install xdg-desktop-portal and its part for your desktop (-gnome, -kde or -wlr)",
)


@dataclass(frozen=True, slots=True)
class Cast:
    """A stream that the desktop shares: PipeWire's open connection and the node in it; where it
    stands and how large it is in logical pixels, if the desktop says."""

    handle: int
    node: int
    position: tuple[int, int] | None = None
    size: tuple[int, int] | None = None


class Sharing:
    """One shared screen, until `close`. `closed` is set when the desktop ends it."""

    def __init__(self, *, wait: float = WAIT, choosing: float = CHOOSING) -> None:
        self.closed = asyncio.Event()
        self._wait = wait
        self._choosing = choosing
        self._bus: MessageBus | None = None
        self._session = ""

    async def open(self, kind: Kind, *, pointer: bool, memory: Path) -> Cast:
        """Asks for a screen or a window. Raises CaptureFault; then nothing is shared."""
        try:
            self._bus = await open_bus(handles=True)
            return await self._shared(self._bus, kind, pointer, memory)
        except (EOFError, OSError) as error:
            await self.close()
            raise _NO_BUS.fault() from error
        except Refused as refused:
            await self.close()
            raise _refusal(refused) from refused
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        bus, self._bus = self._bus, None
        if bus is None:
            return
        if self._session:
            with suppress(TimeoutError, OSError, EOFError):
                async with asyncio.timeout(1):
                    await call(bus, _SESSION, "Close", path=self._session)
        await close_bus(bus)

    async def _shared(self, bus: MessageBus, kind: Kind, pointer: bool, memory: Path) -> Cast:
        bus.add_message_handler(self._hear)
        await listen(bus, signals(_SESSION, member="Closed"))
        token = {"session_handle_token": Variant("s", "sightline_recording")}
        made = await self._answer(bus, Ask(_CAST, "CreateSession", options=token), self._wait)
        self._session = str(made["session_handle"])
        sources = {
            "types": Variant("u", _WINDOW if kind == "window" else _MONITOR),
            "multiple": Variant("b", False),
            "cursor_mode": Variant("u", _EMBEDDED if pointer else _HIDDEN),
            "persist_mode": Variant("u", _UNTIL_REVOKED),
        }
        if kept := remembered(memory, kind):
            sources["restore_token"] = Variant("s", kept)
        select = Ask(_CAST, "SelectSources", "o", (self._session,), sources)
        await self._answer(bus, select, self._wait)
        start = Ask(_CAST, "Start", "os", (self._session, ""))
        begun = await self._answer(bus, start, self._choosing)
        if token_ := begun.get("restore_token"):
            remember(memory, kind, str(token_))
        return await self._opened(bus, begun)

    async def _opened(self, bus: MessageBus, begun: dict[str, Any]) -> Cast:
        if not begun.get("streams"):
            raise CaptureFault("capture_failed", "The desktop shared no screen. Try again.")
        node, facts = begun["streams"][0]
        try:
            async with asyncio.timeout(self._wait):
                body: list[Any] = [self._session, {}]
                answer = await call(bus, _CAST, "OpenPipeWireRemote", "oa{sv}", body)
        except TimeoutError as error:
            raise _silence(self._wait) from error
        if answer.message_type is MessageType.ERROR:
            raise Refused(answer)
        handle = answer.unix_fds[answer.body[0]]
        return Cast(handle, int(node), _pair(facts.get("position")), _pair(facts.get("size")))

    async def _answer(self, bus: MessageBus, ask: Ask, patience: float) -> dict[str, Any]:
        """What the desktop says to one step. Raises CaptureFault, Refused."""
        try:
            response = await asked(bus, ask, patience)
        except TimeoutError as error:
            raise _silence(patience) from error
        if response.status == 1:
            raise CaptureFault("capture_failed", "The recording was cancelled or not allowed.")
        if response.status != 0:
            message = "The desktop could not share the screen. Try again."
            detail = f"{ask.member}: response {response.status}"
            raise CaptureFault("capture_failed", message, detail)
        return response.results

    def _hear(self, message: Message) -> None:
        closed = message.message_type is MessageType.SIGNAL and message.member == "Closed"
        if closed and message.path == self._session:
            self.closed.set()


async def obstacle() -> Obstacle | None:
    """Why this desktop shares no screen; None if it does."""
    try:
        async with asyncio.timeout(WAIT), connected() as bus:
            offered = await version(bus, _CAST)
    except (OSError, EOFError):
        return _NO_BUS
    except TimeoutError:
        return Obstacle("the desktop portal does not answer", "restart xdg-desktop-portal")
    return _NO_PORTAL if offered is None else None


def remembered(memory: Path, kind: Kind) -> str:
    """The token with which the desktop does not ask again; empty where there is none."""
    token = _memory(memory).get(kind, "")
    return token if isinstance(token, str) else ""


def remember(memory: Path, kind: Kind, token: str) -> None:
    """Each token serves once: the new one replaces it. Without it the desktop asks again, no more,
    so a disk that does not keep it is no fault."""
    with suppress(OSError):
        write_whole(memory, json.dumps({**_memory(memory), kind: token}).encode())


def _memory(memory: Path) -> dict[str, Any]:
    try:
        kept = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _pair(value: Any) -> tuple[int, int] | None:
    return (int(value[0]), int(value[1])) if value else None


def _refusal(refused: Refused) -> CaptureFault:
    if refused.forbidden:
        message = (
            "The desktop does not allow Sightline to record the screen. "
            "Allow it in the desktop's settings for applications."
        )
        return CaptureFault("capture_failed", message, str(refused))
    fault = _NO_PORTAL.fault()
    return CaptureFault(fault.kind, fault.message, str(refused))


def _silence(seconds: float) -> CaptureFault:
    return CaptureFault(
        "capture_failed",
        f"The desktop shared no screen within {seconds:g} seconds. If it was asked before and "
        "said no, it does not ask again: allow Sightline to record the screen in the desktop's "
        "settings.",
    )
