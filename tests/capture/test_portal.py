"""The Wayland way, against a portal of the test's own on a real bus."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest
from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from PySide6.QtGui import QImage

from app.capture import portal
from app.capture.encode import to_frame
from app.capture.shot import Shot
from app.vocabulary import CaptureFault, Frame, Region

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="portals are Linux's")

_REQUEST = "org.freedesktop.portal.Request"
PICTURE = to_frame(
    Shot(b"\x10\x20\x30\x00" * 12, 4, 3, 16, Region(0, 0, 4, 3), 1.0, "screen")
).image


@dataclass
class FakePortal:
    """Speaks as xdg-desktop-portal does; `behave` does what the desktop would do with a request,
    after the call has returned or, if `early`, before. With `own_path` it is a portal from before
    0.9, which chooses the path of a request itself."""

    bus: MessageBus
    behave: Behaviour
    early: bool = False
    own_path: bool = False
    error: str = ""
    sender: str = ""
    options: dict[str, object] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)

    def handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if self.error:
            return Message.new_error(message, self.error, "no")
        match message.member:
            case "Screenshot":
                return self._screenshot(message)
            case "Close":
                self.closed.append(message.path or "")
                return Message.new_method_return(message)
            case "Get":
                return Message.new_method_return(message, "v", [Variant("u", 2)])
        return None

    def _screenshot(self, message: Message) -> Message:
        self.sender = message.sender or ""
        self.options = {name: value.value for name, value in message.body[1].items()}
        token = "old" if self.own_path else self.options["handle_token"]
        unique = self.sender.removeprefix(":").replace(".", "_")
        path = f"/org/freedesktop/portal/desktop/request/{unique}/{token}"
        if self.early:
            self.behave(self, path)
        else:
            asyncio.get_running_loop().call_later(0.05, self.behave, self, path)
        return Message.new_method_return(message, "o", [path])

    def respond(self, path: str, status: int, **results: str) -> None:
        body = [status, {name: Variant("s", value) for name, value in results.items()}]
        signal = Message.new_signal(path, _REQUEST, "Response", "ua{sv}", body)
        signal.destination = self.sender
        self.bus.send(signal)


Behaviour: TypeAlias = Callable[[FakePortal, str], None]


@asynccontextmanager
async def running(address: str, behave: Behaviour, **how: object) -> AsyncIterator[FakePortal]:
    bus = await MessageBus(bus_address=address).connect()
    fake = FakePortal(bus, behave, **how)  # type: ignore[arg-type]
    bus.add_message_handler(fake.handle)
    reply = await bus.request_name("org.freedesktop.portal.Desktop")
    assert reply is RequestNameReply.PRIMARY_OWNER
    try:
        yield fake
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


def ask(
    address: str,
    behave: Behaviour,
    *,
    interactive: bool = False,
    wait: float = 5,
    **how: object,
) -> tuple[Frame | CaptureFault, FakePortal]:
    """The frame or the fault that comes of one question to a portal that behaves so."""

    async def run() -> tuple[Frame | CaptureFault, FakePortal]:
        async with running(address, behave, **how) as fake:
            try:
                return await portal.screenshot(interactive, wait=wait), fake
            except CaptureFault as fault:
                return fault, fake

    return asyncio.run(run())


def pointing_to(path: Path) -> Behaviour:
    return lambda fake, request: fake.respond(request, 0, uri=path.as_uri())


def giving(path: Path) -> Behaviour:
    def behave(fake: FakePortal, request: str) -> None:
        path.write_bytes(PICTURE)
        fake.respond(request, 0, uri=path.as_uri())

    return behave


def answering(status: int) -> Behaviour:
    return lambda fake, request: fake.respond(request, status)


def silent(fake: FakePortal, request: str) -> None:
    """What a permission that was denied long ago looks like."""


def pixels(png: bytes) -> QImage:
    return QImage.fromData(png).convertToFormat(QImage.Format.Format_RGB32)


def test_the_picture_that_the_desktop_took_comes_back(bus: str, tmp_path: Path) -> None:
    frame, _ = ask(bus, giving(tmp_path / "shot 1 ü%.png"))
    assert isinstance(frame, Frame)
    assert (frame.width, frame.height, frame.source.kind) == (4, 3, "screen")
    assert pixels(frame.image) == pixels(PICTURE)


def test_the_file_is_removed_once_it_is_read(bus: str, tmp_path: Path) -> None:
    ask(bus, giving(tmp_path / "shot.png"))
    assert not (tmp_path / "shot.png").exists()


def test_a_file_that_was_there_before_is_not_removed(bus: str, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(PICTURE)
    os.utime(own, (time.time() - 3600,) * 2)
    frame, _ = ask(bus, pointing_to(own))
    assert isinstance(frame, Frame)
    assert own.exists()


@pytest.mark.parametrize("interactive", [False, True])
def test_the_portal_is_told_whether_the_user_chooses(
    bus: str, tmp_path: Path, interactive: bool
) -> None:
    _, fake = ask(bus, giving(tmp_path / "shot.png"), interactive=interactive)
    assert fake.options["interactive"] is interactive


def test_an_answer_before_the_call_returns_is_not_missed(bus: str, tmp_path: Path) -> None:
    frame, _ = ask(bus, giving(tmp_path / "shot.png"), early=True)
    assert isinstance(frame, Frame)


@pytest.mark.parametrize("early", [False, True])
def test_an_old_portal_that_names_the_request_itself_is_understood(
    bus: str, tmp_path: Path, early: bool
) -> None:
    frame, _ = ask(bus, giving(tmp_path / "shot.png"), own_path=True, early=early)
    assert isinstance(frame, Frame)


def test_an_answer_to_someone_elses_request_is_passed_over(bus: str, tmp_path: Path) -> None:
    def behave(fake: FakePortal, request: str) -> None:
        fake.respond(f"{request}x", 1)
        giving(tmp_path / "shot.png")(fake, request)

    frame, _ = ask(bus, behave)
    assert isinstance(frame, Frame)


def test_a_denial_is_said(bus: str) -> None:
    fault, _ = ask(bus, answering(1))
    assert isinstance(fault, CaptureFault)
    assert fault.message == "The capture was cancelled or not allowed."


def test_a_failure_of_the_desktop_is_said_with_what_to_do(bus: str) -> None:
    fault, _ = ask(bus, answering(2))
    assert isinstance(fault, CaptureFault)
    assert "could not take the picture" in fault.message


def test_silence_ends_in_a_sentence_and_takes_the_question_back(bus: str) -> None:
    started = time.monotonic()
    fault, fake = ask(bus, silent, wait=0.3)
    assert isinstance(fault, CaptureFault)
    assert "no picture within 0.3 seconds" in fault.message
    assert "settings" in fault.message
    assert time.monotonic() - started < 2
    assert len(fake.closed) == 1


def test_a_cancelled_capture_takes_the_question_back(bus: str) -> None:
    async def run() -> list[str]:
        async with running(bus, silent) as fake:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(portal.screenshot(False), 0.2)
            return fake.closed

    assert len(asyncio.run(run())) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("org.freedesktop.DBus.Error.AccessDenied", "does not allow"),
        ("org.freedesktop.portal.Error.NotAllowed", "does not allow"),
        ("org.freedesktop.DBus.Error.UnknownMethod", "offers no screenshots"),
    ],
)
def test_a_refused_call_is_said(bus: str, error: str, words: str) -> None:
    fault, _ = ask(bus, silent, error=error)
    assert isinstance(fault, CaptureFault)
    assert words in fault.message


def test_a_picture_that_can_not_be_read_is_said(bus: str, tmp_path: Path) -> None:
    fault, _ = ask(bus, pointing_to(tmp_path / "missing.png"))
    assert isinstance(fault, CaptureFault)
    assert "can't be read" in fault.message


def test_a_file_that_is_no_picture_is_said(bus: str, tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(b"<html>")
    fault, _ = ask(bus, pointing_to(tmp_path / "shot.png"))
    assert isinstance(fault, CaptureFault)
    assert "no picture" in fault.message


def test_a_bus_without_a_portal_is_said(bus: str) -> None:
    with pytest.raises(CaptureFault, match="portal offers no screenshots"):
        asyncio.run(portal.screenshot(False, wait=5))


def test_a_session_without_a_bus_is_said(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(CaptureFault, match="no D-Bus"):
        asyncio.run(portal.screenshot(False, wait=5))


@pytest.mark.parametrize("address", ["unix:path=/nowhere/at/all", "nonsense", "tcp:host=,port="])
def test_a_bus_that_is_not_there_is_said(bare: pytest.MonkeyPatch, address: str) -> None:
    bare.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    with pytest.raises(CaptureFault, match="no D-Bus"):
        asyncio.run(portal.screenshot(False, wait=5))


def test_a_portal_that_dies_meanwhile_is_said(bus: str) -> None:
    def behave(fake: FakePortal, request: str) -> None:
        fake.bus.disconnect()

    async def run() -> None:
        own = await MessageBus(bus_address=bus).connect()
        fake = FakePortal(own, behave)
        own.add_message_handler(fake.handle)
        await own.request_name("org.freedesktop.portal.Desktop")
        await portal.screenshot(False, wait=0.5)

    with pytest.raises(CaptureFault, match="no picture within"):
        asyncio.run(run())


def test_the_doctor_finds_a_working_portal(bus: str) -> None:
    async def run() -> object:
        async with running(bus, silent):
            return await portal.obstacle()

    assert asyncio.run(run()) is None


def test_the_doctor_finds_no_portal(bus: str) -> None:
    found = asyncio.run(portal.obstacle())
    assert found is not None
    assert "xdg-desktop-portal" in found.remedy
