"""Recording on Wayland: the ScreenCast handshake against a portal of the test's own on a real bus,
and what GStreamer's program is asked for and shows."""

from __future__ import annotations

import asyncio
import io
import json
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from hypothesis import given
from hypothesis import strategies as st
from painting import Told, near, pictures, run

from app.capture.record import pipeline, probe
from app.capture.record.facts import Area
from app.capture.record.pipeline import Shape, part, read_picture, read_shape
from app.capture.record.screencast import Cast, Sharing, obstacle
from app.settings import Recording
from app.vocabulary import CaptureFault, Region

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="portals are Linux's")
REQUEST = "org.freedesktop.portal.Request"
SESSION = "/org/freedesktop/portal/desktop/session/1_1/sightline_recording"


@dataclass
class FakePortal:
    """Speaks as xdg-desktop-portal does. `status` answers a step by its name, None keeps silent;
    `error` refuses every call."""

    bus: MessageBus
    status: dict[str, int | None] = field(default_factory=dict)
    error: str = ""
    token: str = "again-1"
    node: int = 42
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    sender: str = ""

    def handle(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if self.error:
            return Message.new_error(message, self.error, "no")
        match message.member:
            case "Close":
                self.closed.append(message.path or "")
                return Message.new_method_return(message)
            case "Get":
                return Message.new_method_return(message, "v", [Variant("u", 5)])
            case "OpenPipeWireRemote":
                handle = os.open(os.devnull, os.O_RDONLY)
                return Message.new_method_return(message, "h", [0], [handle])
            case "CreateSession" | "SelectSources" | "Start":
                return self._step(message)
        return None

    def _step(self, message: Message) -> Message:
        self.sender = message.sender or ""
        options = {name: value.value for name, value in message.body[-1].items()}
        self.asked[str(message.member)] = options
        unique = self.sender.removeprefix(":").replace(".", "_")
        path = f"/org/freedesktop/portal/desktop/request/{unique}/{options['handle_token']}"
        status = self.status.get(str(message.member), 0)
        if status is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.02, self._respond, path, str(message.member), status)
        return Message.new_method_return(message, "o", [path])

    def _respond(self, path: str, member: str, status: int) -> None:
        results: dict[str, Variant] = {}
        if member == "CreateSession":
            results["session_handle"] = Variant("s", SESSION)
        if member == "Start" and status == 0:
            facts = {"size": Variant("(ii)", [64, 48]), "position": Variant("(ii)", [0, 0])}
            results["streams"] = Variant("a(ua{sv})", [[self.node, facts]])
            results["restore_token"] = Variant("s", self.token)
        self.send(Message.new_signal(path, REQUEST, "Response", "ua{sv}", [status, results]))

    def end_sharing(self) -> None:
        name = "org.freedesktop.portal.Session"
        self.send(Message.new_signal(SESSION, name, "Closed", "a{sv}", [{}]))

    def send(self, signal: Message) -> None:
        signal.destination = self.sender
        self.bus.send(signal)


@asynccontextmanager
async def desktop(address: str, **how: Any) -> AsyncIterator[FakePortal]:
    bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
    fake = FakePortal(bus, **how)
    bus.add_message_handler(fake.handle)
    reply = await bus.request_name("org.freedesktop.portal.Desktop")
    assert reply is RequestNameReply.PRIMARY_OWNER
    try:
        yield fake
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


def share(
    address: str,
    memory: Path,
    kind: str = "screen",
    pointer: bool = True,
    then: Callable[[FakePortal, Sharing], Any] | None = None,
    **how: Any,
) -> tuple[Cast | CaptureFault, FakePortal]:
    """What comes of asking a desktop that behaves so."""

    async def work() -> tuple[Cast | CaptureFault, FakePortal]:
        async with desktop(address, **how) as fake:
            sharing = Sharing(wait=0.5, choosing=0.5)
            try:
                found = await sharing.open(kind, pointer=pointer, memory=memory)  # type: ignore[arg-type]
            except CaptureFault as fault:
                return fault, fake
            os.close(found.handle)
            if then is not None:
                await then(fake, sharing)
            await sharing.close()
            return found, fake

    return run(work)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "screencast.json"


def test_the_handshake_gives_a_stream(bus: str, memory: Path) -> None:
    found, fake = share(bus, memory)
    assert isinstance(found, Cast)
    assert (found.node, found.position, found.size) == (42, (0, 0), (64, 48))
    assert list(fake.asked) == ["CreateSession", "SelectSources", "Start"]
    assert fake.closed == [SESSION]


@pytest.mark.parametrize(
    ("kind", "pointer", "types", "cursor"),
    [("screen", True, 1, 2), ("region", False, 1, 1), ("window", True, 2, 2)],
)
def test_the_desktop_is_told_what_is_wanted(
    bus: str, memory: Path, kind: str, pointer: bool, types: int, cursor: int
) -> None:
    _, fake = share(bus, memory, kind, pointer)
    asked = fake.asked["SelectSources"]
    assert (asked["types"], asked["cursor_mode"], asked["persist_mode"]) == (types, cursor, 2)
    assert asked["multiple"] is False


def test_the_permission_is_kept_and_used_the_next_time(bus: str, memory: Path) -> None:
    _, first = share(bus, memory, token="one")
    assert "restore_token" not in first.asked["SelectSources"]
    _, second = share(bus, memory, token="two")
    assert second.asked["SelectSources"]["restore_token"] == "one"
    _, window = share(bus, memory, "window")
    assert "restore_token" not in window.asked["SelectSources"]
    assert json.loads(memory.read_text())["screen"] == "two"
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600


def test_a_damaged_memory_only_means_to_be_asked_again(bus: str, memory: Path) -> None:
    memory.write_text("[1, 2")
    found, _ = share(bus, memory, token="new")
    assert isinstance(found, Cast)
    assert json.loads(memory.read_text()) == {"screen": "new"}


@pytest.mark.parametrize("step", ["CreateSession", "SelectSources", "Start"])
def test_a_denial_is_said(bus: str, memory: Path, step: str) -> None:
    found, _ = share(bus, memory, status={step: 1})
    assert isinstance(found, CaptureFault)
    assert found.message == "The recording was cancelled or not allowed."


@pytest.mark.parametrize("step", ["CreateSession", "SelectSources", "Start"])
def test_silence_ends_in_a_sentence_and_takes_the_question_back(
    bus: str, memory: Path, step: str
) -> None:
    began = time.monotonic()
    found, fake = share(bus, memory, status={step: None})
    assert isinstance(found, CaptureFault)
    assert "within 0.5 seconds" in found.message
    assert "settings" in found.message
    assert time.monotonic() - began < 3
    assert "request" in fake.closed[0]


def test_a_failure_of_the_desktop_is_said(bus: str, memory: Path) -> None:
    found, _ = share(bus, memory, status={"Start": 2})
    assert isinstance(found, CaptureFault)
    assert "could not share the screen" in found.message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("org.freedesktop.portal.Error.NotAllowed", "does not allow"),
        ("org.freedesktop.DBus.Error.UnknownMethod", "shares no screen"),
    ],
)
def test_a_refused_call_is_said(bus: str, memory: Path, error: str, words: str) -> None:
    found, _ = share(bus, memory, error=error)
    assert isinstance(found, CaptureFault)
    assert words in found.message


def test_a_bus_without_a_portal_is_said(bus: str, memory: Path) -> None:
    with pytest.raises(CaptureFault, match="portal shares no screen"):
        run(lambda: Sharing(wait=2).open("screen", pointer=True, memory=memory))


def test_a_session_without_a_bus_is_said(bare: pytest.MonkeyPatch, memory: Path) -> None:
    with pytest.raises(CaptureFault, match="no D-Bus"):
        run(lambda: Sharing().open("screen", pointer=True, memory=memory))


def test_the_end_of_the_sharing_is_noticed(bus: str, memory: Path) -> None:
    async def then(fake: FakePortal, sharing: Sharing) -> None:
        assert not sharing.closed.is_set()
        fake.end_sharing()
        await asyncio.wait_for(sharing.closed.wait(), 2)

    found, _ = share(bus, memory, then=then)
    assert isinstance(found, Cast)


def test_the_doctor_finds_a_portal_that_shares_and_one_that_does_not(bus: str) -> None:
    async def work() -> tuple[object, object]:
        async with desktop(bus):
            there = await obstacle()
        return there, await obstacle()

    there, missing = run(work)
    assert there is None
    assert "xdg-desktop-portal" in missing.remedy  # type: ignore[attr-defined]


def test_without_gstreamer_the_obstacle_says_what_to_install(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare.setenv("WAYLAND_DISPLAY", "wayland-9")
    bare.setenv("PATH", str(tmp_path))
    found = probe.obstacle()
    assert found is not None
    assert "GStreamer" in found.reason
    assert "gstreamer1.0-pipewire" in found.remedy


def test_the_pipeline_is_what_gstreamer_is_asked_for() -> None:
    assert " ".join(pipeline.arguments(7, 42, 25)) == (
        "gst-launch-1.0 -q pipewiresrc fd=7 path=42 do-timestamp=true keepalive-time=1000 ! "
        "videorate drop-only=true max-rate=25 ! videoconvert ! "
        "video/x-raw,format=I420,colorimetry=bt709 ! y4menc ! fdsink fd=1"
    )


GST = """#!{python}
import sys, time
out = sys.stdout.buffer
out.write(b"YUV4MPEG2 W64 H48 F0:0 Ip A1:1 C420mpeg2\\n")
for luma in {lumas}:
    out.write(b"FRAME\\n" + bytes([luma]) * (64 * 48) + bytes([128]) * (2 * 32 * 24))
    out.flush()
    time.sleep(0.5)
time.sleep({rest})
"""


@pytest.fixture
def wayland(bare: pytest.MonkeyPatch, bus: str, tmp_path: Path) -> Callable[..., None]:
    """A Wayland session whose gst-launch-1.0 shows these shades of grey, half a second each."""

    def build(lumas: tuple[int, ...], rest: float = 60) -> None:
        bare.setenv("WAYLAND_DISPLAY", "wayland-9")
        program = tmp_path / "bin" / pipeline.PROGRAM
        program.parent.mkdir()
        program.write_text(GST.format(python=sys.executable, lumas=lumas, rest=rest))
        program.chmod(0o755)
        bare.setenv("PATH", str(program.parent), prepend=os.pathsep)

    return build


def test_a_stream_is_recorded_like_a_screen(
    bus: str, wayland: Callable[..., None], tmp_path: Path
) -> None:
    wayland((16, 235))

    async def work() -> Path:
        async with desktop(bus):
            told = Told(tmp_path / "films")
            await told.recorder.start(Area("screen", Region(0, 0, 64, 48)), Recording())
            await told.until_seconds(1.2)
            return (await told.recorder.finish()).path

    seen = pictures(run(work))
    assert seen[0][1].shape == (48, 64, 3)
    assert near(seen[0][1][20, 20], 0)
    assert near(seen[-1][1][20, 20], 0xFFFFFF)


def test_a_stream_that_ends_finishes_the_recording_with_a_reason(
    bus: str, wayland: Callable[..., None], tmp_path: Path
) -> None:
    wayland((16, 100, 235), rest=0)

    async def work() -> Any:
        async with desktop(bus):
            told = Told(tmp_path / "films")
            await told.recorder.start(Area("screen", Region(0, 0, 64, 48)), Recording())
            assert told.recorder.ended is not None
            return await told.recorder.ended

    recorded = run(work)
    assert recorded.why == "screen"
    assert "ended the sharing" in recorded.note
    assert len(pictures(recorded.path)) >= 3


def test_a_denial_reaches_the_one_who_started(
    bus: str, wayland: Callable[..., None], tmp_path: Path
) -> None:
    wayland((16,))

    async def work() -> None:
        async with desktop(bus, status={"Start": 1}):
            told = Told(tmp_path / "films")
            await told.recorder.start(Area("screen", Region(0, 0, 64, 48)), Recording())

    with pytest.raises(CaptureFault, match="cancelled or not allowed"):
        run(work)


def test_a_gstreamer_that_shows_nothing_is_said(
    bus: str, wayland: Callable[..., None], tmp_path: Path
) -> None:
    wayland((), rest=0)

    async def work() -> None:
        async with desktop(bus):
            told = Told(tmp_path / "films")
            await told.recorder.start(Area("screen", Region(0, 0, 64, 48)), Recording())

    with pytest.raises(CaptureFault, match="could not show the screen"):
        run(work)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3), st.integers(0, 200))
def test_pictures_are_read_whole_or_not_at_all(
    width: int, height: int, count: int, lost: int
) -> None:
    shape = Shape(width, height)
    picture = bytes(range(256)) * (shape.bytes // 256 + 1)
    body = b"FRAME\n" + picture[: shape.bytes]
    data = f"YUV4MPEG2 W{width} H{height} F30:1 C420\n".encode() + body * count
    pipe = io.BytesIO(data[: len(data) - lost] if lost < len(body) * count else data)
    assert read_shape(pipe) == shape  # type: ignore[arg-type]
    read = []
    while (found := read_picture(pipe, shape)) is not None:  # type: ignore[arg-type]
        read.append(found)
    assert all(one == picture[: shape.bytes] for one in read)
    assert count - 1 - lost // len(body) <= len(read) <= count


@given(st.binary(max_size=300))
def test_whatever_is_no_header_is_refused_or_the_end(data: bytes) -> None:
    try:
        shape = read_shape(io.BytesIO(data))
    except ValueError:
        return
    assert shape is None or shape.bytes > 0


def test_a_region_is_found_in_the_stream_of_its_screen() -> None:
    shape = Shape(2880, 1800)  # a screen of 1440 by 900 at 200 %, right of another
    at = part(Region(2900, 10, 200, 100), shape, (1440, 0), (1440, 900))
    assert at == Region(20, 10, 200, 100)
    whole = Region(0, 0, 2880, 1800)
    assert part(Region(0, 10, 200, 100), shape, (1440, 0), (1440, 900)) == whole
    assert part(Region(20, 10, 200, 100), shape, None, None) == whole
