"""A question to the desktop's portal, whatever it is about; knows D-Bus and no picture, no key.

Source: org.freedesktop.portal.Request, XDG Desktop Portal documentation. The answer to a call is
a signal on a request object whose path is told beforehand, so that one listens before one asks. A
permission that was once denied gives no answer at all.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidAddressError

PORTAL = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
WAIT = 10.0  # s for an answer that needs nobody: one that was forbidden never comes
_REQUEST = "org.freedesktop.portal.Request"


@dataclass(frozen=True, slots=True)
class Ask:
    """A method whose last argument is its options; `signature` and `body` are of those before."""

    interface: str
    member: str
    signature: str = ""
    body: tuple[Any, ...] = ()
    options: Mapping[str, Variant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """`status` 0: done, 1: the user said no, 2: it ended otherwise."""

    status: int
    results: dict[str, Any]  # without their types


class Refused(Exception):
    """The portal does not take the question: `name` is D-Bus's for the error."""

    def __init__(self, answer: Message) -> None:
        self.name = answer.error_name or ""
        super().__init__(f"{self.name}: {' '.join(str(part) for part in answer.body)}")

    @property
    def forbidden(self) -> bool:
        return self.name.rsplit(".", 1)[-1] in ("AccessDenied", "NotAllowed")


class Question:
    """One question put to the portal; `end` it whatever comes."""

    def __init__(self, bus: MessageBus, ask: Ask) -> None:
        self._bus = bus
        self._ask = ask
        self._token = f"sightline_{secrets.token_hex(8)}"
        sender = (bus.unique_name or "").removeprefix(":").replace(".", "_")
        self._path = f"{PATH}/request/{sender}/{self._token}"
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        bus.add_message_handler(self._hear)

    async def put(self) -> None:
        """Raises Refused."""
        ask = self._ask
        options = {**ask.options, "handle_token": Variant("s", self._token)}
        answer = await call(
            self._bus, ask.interface, ask.member, f"{ask.signature}a{{sv}}", [*ask.body, options]
        )
        if answer.message_type is MessageType.ERROR:
            raise Refused(answer)
        self._path = answer.body[0]  # portals before 0.9 choose a path of their own

    async def response(self) -> Response:
        while True:
            message = await self._heard.get()
            if message.path == self._path:
                status, results = message.body
                return Response(status, {name: bare(value) for name, value in results.items()})

    async def take_back(self) -> None:
        """Closes the desktop's dialog, so that it does not wait for a program that went on."""
        with suppress(TimeoutError, OSError, EOFError):
            async with asyncio.timeout(1):
                await call(self._bus, _REQUEST, "Close", path=self._path)

    def end(self) -> None:
        self._bus.remove_message_handler(self._hear)

    def _hear(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.member == "Response":
            self._heard.put_nowait(message)


async def asked(bus: MessageBus, ask: Ask, patience: float) -> Response:
    """Puts a question and waits for its answer; one that does not come is taken back.

    Raises:
        Refused: the portal does not take the question.
        TimeoutError: no answer within `patience` seconds.
    """
    question = Question(bus, ask)
    try:
        async with asyncio.timeout(patience):
            await question.put()
            return await question.response()
    except (TimeoutError, asyncio.CancelledError):
        await question.take_back()
        raise
    finally:
        question.end()


async def call(
    bus: MessageBus,
    interface: str,
    member: str,
    signature: str = "",
    body: list[Any] | None = None,
    *,
    path: str = PATH,
) -> Message:
    """The portal's reply, be it an error. Raises EOFError where the bus closes or has closed."""
    if not bus.connected:
        raise EOFError("the bus has closed the connection")
    message = Message(
        destination=PORTAL,
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=body or [],
    )
    answer = await bus.call(message)
    if answer is None:
        raise EOFError("the bus closed the connection")
    return answer


async def version(bus: MessageBus, interface: str) -> int | None:
    """Which version of `interface` the portal offers; None where it has none."""
    get = await call(bus, "org.freedesktop.DBus.Properties", "Get", "ss", [interface, "version"])
    return None if get.message_type is MessageType.ERROR else int(get.body[0].value)


async def listen(bus: MessageBus, rule: str) -> None:
    """Has the signals that match come to this connection."""
    await bus.call(
        Message(
            destination="org.freedesktop.DBus",
            path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus",
            member="AddMatch",
            signature="s",
            body=[rule],
        )
    )


async def open_bus(*, handles: bool = False) -> MessageBus:
    """A connection to the session's bus that hears the portal's answers, and takes file handles if
    asked to. Raises ConnectionError where there is none."""
    address = _address()
    if address is None:
        raise ConnectionError("this session has no D-Bus")
    try:
        bus = await MessageBus(bus_address=address, negotiate_unix_fd=handles).connect()
        await listen(bus, signals(_REQUEST, member="Response"))
    except (OSError, EOFError, AuthError, InvalidAddressError) as error:
        raise ConnectionError(str(error)) from error
    return bus


async def close_bus(bus: MessageBus) -> None:
    bus.disconnect()
    with suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def connected() -> AsyncIterator[MessageBus]:
    """A connection for a while, as `open_bus`."""
    bus = await open_bus()
    try:
        yield bus
    finally:
        await close_bus(bus)


def signals(interface: str, **more: str) -> str:
    """The rule that matches the portal's signals of one interface."""
    parts = {"type": "signal", "sender": PORTAL, "interface": interface, **more}
    return ",".join(f"{name}='{value}'" for name, value in parts.items())


def bare(value: Any) -> Any:
    """A value of D-Bus without its types, through and through."""
    if isinstance(value, Variant):
        return bare(value.value)
    if isinstance(value, dict):
        return {name: bare(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [bare(part) for part in value]
    return value


def _address() -> str | None:
    """Where the session's bus is; systemd's place for it where no variable says."""
    told = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if told:
        return told
    socket = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")) / "bus"
    return f"unix:path={socket}" if socket.exists() else None
