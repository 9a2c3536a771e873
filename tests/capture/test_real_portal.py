"""Hotkeys through the real xdg-desktop-portal; what stands behind it, a desktop's own part, is the
test's."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from app.capture.hotkey import portal
from app.capture.obstacle import Obstacle
from app.capture.request import bare

FRONTENDS = (Path("/usr/libexec/xdg-desktop-portal"), Path("/usr/lib/xdg-desktop-portal"))
_BEHIND = "org.freedesktop.impl.portal.desktop.sightlinetest"
_PATH = "/org/freedesktop/portal/desktop"
_SHORTCUTS = "org.freedesktop.impl.portal.GlobalShortcuts"
_PART = f"""
[portal]
DBusName={_BEHIND}
Interfaces={_SHORTCUTS};
UseIn=sightlinetest
"""


@dataclass
class Part:
    """A desktop's own part of the portal, which gives every key that is wished."""

    bus: MessageBus
    asked: list[Any] = field(default_factory=list)
    session: str = ""

    def handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        match message.member:
            case "GetAll":
                return Message.new_method_return(message, "a{sv}", [{"version": Variant("u", 1)}])
            case "CreateSession":
                self.session = message.body[1]
                return Message.new_method_return(message, "ua{sv}", [0, {}])
            case "BindShortcuts":
                self.asked.append(bare(message.body[2]))
                given = [
                    [
                        name,
                        {
                            "trigger_description": Variant(
                                "s", f"Press {about['preferred_trigger'].value}"
                            )
                        },
                    ]
                    for name, about in message.body[2]
                ]
                results = {"shortcuts": Variant("a(sa{sv})", given)}
                return Message.new_method_return(message, "ua{sv}", [0, results])
        return None

    def press(self, action: str) -> None:
        body = [self.session, action, 7, {}]
        self.bus.send(Message.new_signal(_PATH, _SHORTCUTS, "Activated", "osta{sv}", body))


@pytest.fixture
def frontend(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The command that starts the portal, told of the test's part."""
    found = next((path for path in FRONTENDS if path.is_file()), None)
    if found is None:
        pytest.skip("xdg-desktop-portal is not installed")
    (tmp_path / "sightlinetest.portal").write_text(_PART)
    monkeypatch.setenv("XDG_DESKTOP_PORTAL_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "sightlinetest")
    monkeypatch.setenv("HOME", str(tmp_path))
    return [str(found), "--replace"]


def test_the_real_portal_takes_our_questions_and_hands_on_the_key(
    bus: str, frontend: list[str]
) -> None:
    async def run() -> None:
        own = await MessageBus(bus_address=bus).connect()
        part = Part(own)
        own.add_message_handler(part.handle)
        assert await own.request_name(_BEHIND) is RequestNameReply.PRIMARY_OWNER
        pressed: asyncio.Queue[str] = asyncio.Queue()
        process = await asyncio.create_subprocess_exec(*frontend, stderr=subprocess.DEVNULL)
        try:
            hotkeys = await _opened(pressed)
            wishes = {"ask_region": "Meta+Shift+A", "record": "", "new_chat": "Ctrl+Alt+N"}
            assert await hotkeys.bind(wishes) == ()
            assert [name for name, _ in part.asked[0]] == ["ask_region", "new_chat"]
            assert hotkeys.held == {
                "ask_region": "Press SHIFT+LOGO+a",
                "new_chat": "Press CTRL+ALT+n",
            }
            part.press("new_chat")
            async with asyncio.timeout(5):
                assert await pressed.get() == "new_chat"
            assert await hotkeys.bind({}) == ()
            part.press("new_chat")
            await asyncio.sleep(0.2)
            assert pressed.empty()
            await hotkeys.close()
        finally:
            process.terminate()
            await process.wait()
            own.disconnect()
            await own.wait_for_disconnect()

    asyncio.run(run())


async def _opened(pressed: asyncio.Queue[str]) -> portal.Shortcuts:
    """The portal takes a moment to come."""
    async with asyncio.timeout(20):
        while True:
            found = await portal.open_portal(pressed.put_nowait, lambda _: None)
            if not isinstance(found, Obstacle):
                return found
            await asyncio.sleep(0.1)
