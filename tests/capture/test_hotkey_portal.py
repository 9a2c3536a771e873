"""Hotkeys of the desktop's portal, against a portal of the test's own on a real bus."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psutil
import pytest
from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from app import APP_ID
from app.capture.hotkey import portal
from app.capture.hotkey.hotkeys import Hotkeys, Refusal, open_hotkeys
from app.capture.obstacle import Obstacle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="portals are Linux's")

_PORTAL = "org.freedesktop.portal.Desktop"
_SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
_REQUEST = "org.freedesktop.portal.Request"
WISHES = {"ask_region": "Meta+Shift+A", "record": "Meta+Shift+R", "new_chat": ""}


@dataclass
class FakePortal:
    """Speaks as xdg-desktop-portal does. `keys` is what the user lets each action have; `status`
    what the two questions end with, None for never; `error` what a call is refused with."""

    bus: MessageBus
    keys: dict[str, str] | None = None
    opened: int | None = 0
    bound: int | None = 0
    error: dict[str, str] = field(default_factory=dict)
    registered: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    wished: list[dict[str, dict[str, str]]] = field(default_factory=list)
    waiting: str = ""  # the path of the request that was not answered
    sender: str = ""

    def handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        member = str(message.member)
        self.sender = message.sender or ""
        if member in self.error:
            return Message.new_error(message, self.error[member], "no")
        match member:
            case "Get" if message.body[0] == _SHORTCUTS:
                return Message.new_method_return(message, "v", [Variant("u", 1)])
            case "Register":
                assert not self.sessions, "who asks is said first"
                self.registered.append(message.body[0])
                return Message.new_method_return(message)
            case "Close":
                self.closed.append(message.path or "")
                return Message.new_method_return(message)
            case "CreateSession":
                return self._create(message)
            case "BindShortcuts":
                return self._bind(message)
        return None

    def _create(self, message: Message) -> Message:
        token = message.body[0]["session_handle_token"].value
        self.sessions.append(f"/org/freedesktop/portal/desktop/session/test/{token}")
        results = {"session_handle": Variant("s", self.sessions[-1])}
        return self._answer(message, message.body[0], self.opened, results)

    def _bind(self, message: Message) -> Message:
        session, shortcuts, _window, options = message.body
        assert session == self.sessions[-1]
        self.wished.append(
            {name: {key: value.value for key, value in about.items()} for name, about in shortcuts}
        )
        return self._answer(message, options, self.bound, {"shortcuts": self.given()})

    def given(self) -> Variant:
        wished = self.wished[-1]
        keys = dict.fromkeys(wished, "Super+?") if self.keys is None else self.keys
        listed = [[name, {"trigger_description": Variant("s", key)}] for name, key in keys.items()]
        return Variant("a(sa{sv})", listed)

    def _answer(
        self, message: Message, options: dict[str, Variant], status: int | None, results: Any
    ) -> Message:
        unique = self.sender.removeprefix(":").replace(".", "_")
        token = options["handle_token"].value
        path = f"/org/freedesktop/portal/desktop/request/{unique}/{token}"
        if status is None:
            self.waiting = path
        else:
            self.respond(path, status, results)
        return Message.new_method_return(message, "o", [path])

    def respond(self, path: str, status: int, results: Any) -> None:
        self.tell(path, _REQUEST, "Response", "ua{sv}", [status, results if not status else {}])

    def press(self, action: str, session: str = "", **options: str) -> None:
        told = {name: Variant("s", value) for name, value in options.items()}
        body = [session or self.sessions[-1], action, 0, told]
        path = "/org/freedesktop/portal/desktop"
        self.tell(path, _SHORTCUTS, "Activated", "osta{sv}", body)

    def tell(self, path: str, interface: str, member: str, signature: str, body: Any) -> None:
        signal = Message.new_signal(path, interface, member, signature, body)
        signal.destination = self.sender
        self.bus.send(signal)


@dataclass
class Stage:
    """What the program heard of a portal."""

    fake: FakePortal
    hotkeys: Hotkeys
    pressed: list[str]
    told: list[tuple[Refusal, ...]]

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not true():  # noqa: ASYNC110 (true of lists that signals fill)
                await asyncio.sleep(0.01)


Play: TypeAlias = Callable[[Stage], Any]


@asynccontextmanager
async def running(address: str, **how: Any) -> AsyncIterator[FakePortal]:
    bus = await MessageBus(bus_address=address).connect()
    fake = FakePortal(bus, **how)
    bus.add_message_handler(fake.handle)
    assert await bus.request_name(_PORTAL) is RequestNameReply.PRIMARY_OWNER
    try:
        yield fake
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


def play(address: str, act: Play, *, wait: float = 5, **how: Any) -> None:
    async def run() -> None:
        async with running(address, **how) as fake:
            pressed: list[str] = []
            told: list[tuple[Refusal, ...]] = []
            hotkeys = await portal.open_portal(pressed.append, told.append, wait=wait)
            assert not isinstance(hotkeys, Obstacle), hotkeys
            try:
                await act(Stage(fake, hotkeys, pressed, told))
            finally:
                await hotkeys.close()

    asyncio.run(run())


def test_a_key_that_the_desktop_gave_does_its_action(bus: str) -> None:
    async def act(stage: Stage) -> None:
        assert await stage.hotkeys.bind(WISHES) == ()
        stage.fake.press("record")
        await stage.until(lambda: stage.pressed)
        assert stage.pressed == ["record"]

    play(bus, act)


def test_what_lets_a_window_come_to_the_front_is_kept_for_it(
    bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")

    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        stage.fake.press("record", activation_token="let-it-come")
        await stage.until(lambda: stage.pressed)
        assert os.environ["XDG_ACTIVATION_TOKEN"] == "let-it-come"

    play(bus, act)


def test_the_desktop_is_told_what_each_key_is_for(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        assert stage.fake.wished == [
            {
                "ask_region": {
                    "description": "Ask about a region",
                    "preferred_trigger": "SHIFT+LOGO+a",
                },
                "record": {
                    "description": "Start or stop recording",
                    "preferred_trigger": "SHIFT+LOGO+r",
                },
            }
        ]

    play(bus, act)


def test_the_program_says_who_it_is_before_it_asks(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        assert stage.fake.registered == [APP_ID]

    play(bus, act)


def test_a_portal_from_before_the_registry_serves_too(bus: str) -> None:
    async def act(stage: Stage) -> None:
        assert await stage.hotkeys.bind(WISHES) == ()

    play(bus, act, error={"Register": "org.freedesktop.DBus.Error.UnknownMethod"})


def test_the_keys_that_the_desktop_chose_are_known(bus: str) -> None:
    async def act(stage: Stage) -> None:
        (refusal,) = await stage.hotkeys.bind(WISHES)
        assert stage.hotkeys.held == {"ask_region": "Press F9"}
        assert (refusal.action, refusal.chord) == ("record", "Meta+Shift+R")
        assert "names no key" in refusal.reason

    play(bus, act, keys={"ask_region": "Press F9", "record": ""})


def test_keys_that_the_user_changes_in_the_desktop_are_told(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        stage.fake.keys = {"ask_region": "F9", "record": "F10"}
        body = [stage.fake.sessions[-1], stage.fake.given().value]
        path = "/org/freedesktop/portal/desktop"
        stage.fake.tell(path, _SHORTCUTS, "ShortcutsChanged", "oa(sa{sv})", body)
        await stage.until(lambda: stage.told)
        assert stage.told == [()]
        assert stage.hotkeys.held == {"ask_region": "F9", "record": "F10"}

    play(bus, act)


@pytest.mark.parametrize("question", ["opened", "bound"])
@pytest.mark.parametrize(("status", "words"), [(1, "declined"), (2, "could not give")])
def test_a_denial_is_said_for_every_wish(bus: str, question: str, status: int, words: str) -> None:
    async def act(stage: Stage) -> None:
        refusals = await stage.hotkeys.bind(WISHES)
        assert [refusal.action for refusal in refusals] == ["ask_region", "record"]
        for refusal in refusals:
            assert words in refusal.reason
            assert "sightline snip" in refusal.reason

    play(bus, act, **{question: status})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("org.freedesktop.portal.Error.NotAllowed", "declined"),
        ("org.freedesktop.DBus.Error.Failed", "could not give"),
    ],
)
@pytest.mark.parametrize("member", ["CreateSession", "BindShortcuts"])
def test_a_refused_call_is_said(bus: str, member: str, error: str, words: str) -> None:
    async def act(stage: Stage) -> None:
        refusals = await stage.hotkeys.bind(WISHES)
        assert len(refusals) == 2
        assert words in refusals[0].reason

    play(bus, act, error={member: error})


@pytest.mark.parametrize("question", ["opened", "bound"])
def test_silence_ends_in_a_sentence(bus: str, question: str) -> None:
    async def act(stage: Stage) -> None:
        started = time.monotonic()
        refusals = await stage.hotkeys.bind(WISHES)
        assert time.monotonic() - started < 2
        assert len(refusals) == 2
        assert "not answered within 0.3 seconds" in refusals[0].reason
        assert "sightline snip" in refusals[0].reason

    play(bus, act, wait=0.3, **{question: None})


def test_an_answer_that_comes_late_still_gives_the_keys(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        stage.fake.respond(stage.fake.waiting, 0, {"shortcuts": stage.fake.given()})
        await stage.until(lambda: stage.told)
        assert stage.told == [()]
        stage.fake.press("ask_region")
        await stage.until(lambda: stage.pressed)

    play(bus, act, wait=0.2, bound=None)


def test_a_dialog_nobody_answered_is_closed_when_keys_are_wished_anew(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        await stage.hotkeys.bind({})
        assert stage.fake.closed == [stage.fake.waiting, stage.fake.sessions[0]]

    play(bus, act, wait=0.2, bound=None)


def test_pausing_gives_the_keys_back(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        assert await stage.hotkeys.bind({}) == ()
        assert stage.fake.closed == stage.fake.sessions
        stage.fake.press("record")
        await asyncio.sleep(0.1)
        assert stage.pressed == []

    play(bus, act)


def test_each_set_of_keys_has_a_session_of_its_own(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        await stage.hotkeys.bind({"record": "Meta+F9"})
        first, second = stage.fake.sessions
        assert stage.fake.closed == [first]
        stage.fake.press("record", first)
        stage.fake.press("record", second)
        await stage.until(lambda: stage.pressed)
        assert stage.pressed == ["record"]

    play(bus, act)


def test_keys_that_the_desktop_takes_back_are_said(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        path = stage.fake.sessions[-1]
        stage.fake.tell(path, "org.freedesktop.portal.Session", "Closed", "a{sv}", [{}])
        await stage.until(lambda: stage.told)
        assert "taken the hotkeys back" in stage.told[0][0].reason

    play(bus, act)


def test_a_portal_that_starts_again_gives_the_keys_again(bus: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.hotkeys.bind(WISHES)
        await stage.fake.bus.release_name(_PORTAL)
        stage.fake.sessions.clear()  # it knows of nothing
        await stage.fake.bus.request_name(_PORTAL)
        await stage.until(lambda: stage.told)
        assert stage.told == [()]
        assert stage.fake.registered == [APP_ID, APP_ID]
        stage.fake.press("record")
        await stage.until(lambda: stage.pressed)

    play(bus, act)


def test_a_portal_without_hotkeys_names_the_command_to_bind(bus: str) -> None:
    async def run() -> Hotkeys | Obstacle:
        error = {"Get": "org.freedesktop.DBus.Error.InvalidArgs"}
        async with running(bus, error=error):
            return await portal.open_portal(lambda _: None, lambda _: None)

    found = asyncio.run(run())
    assert isinstance(found, Obstacle)
    assert "no global hotkeys" in found.reason
    assert "sightline snip" in found.remedy


def test_a_wayland_session_is_served_by_its_portal(
    bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")

    async def run() -> None:
        async with running(bus):
            assert await portal.obstacle() is None
            hotkeys = await open_hotkeys(lambda _: None)
            assert not isinstance(hotkeys, Obstacle)
            assert hotkeys.name == "GlobalShortcuts portal"
            await hotkeys.close()

    asyncio.run(run())


def test_a_bus_that_ends_is_said(bus: str) -> None:
    async def run() -> None:
        own = await MessageBus(bus_address=bus).connect()
        own.add_message_handler(FakePortal(own).handle)
        await own.request_name(_PORTAL)
        hotkeys = await portal.open_portal(lambda _: None, lambda _: None)
        assert not isinstance(hotkeys, Obstacle)
        (daemon,) = (p for p in psutil.Process().children() if p.name() == "dbus-daemon")
        daemon.kill()
        for connection in (own, hotkeys._bus):
            with suppress(EOFError):
                await connection.wait_for_disconnect()
        (refusal,) = await hotkeys.bind({"record": "Meta+R"})
        assert "D-Bus" in refusal.reason
        await hotkeys.close()

    asyncio.run(run())
