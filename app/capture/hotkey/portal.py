"""Hotkeys from the desktop's portal, the only way under Wayland; knows no key code.

The desktop asks its user, keeps the answer, and may assign other keys than were wished. Sources:
org.freedesktop.portal.GlobalShortcuts and .Session, org.freedesktop.host.portal.Registry, XDG
Desktop Portal documentation.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from app import APP_ID
from app.capture.hotkey.chord import Chord
from app.capture.hotkey.keysym import trigger
from app.capture.hotkey.wish import BY_HAND, TITLES, Pressed, Refusal, Told, settled
from app.capture.obstacle import Obstacle
from app.capture.request import (
    PORTAL,
    WAIT,
    Ask,
    Question,
    Refused,
    asked,
    bare,
    call,
    close_bus,
    connected,
    listen,
    open_bus,
    signals,
    version,
)

log = logging.getLogger(__name__)

NAME = "GlobalShortcuts portal"
_SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
_SESSION = "org.freedesktop.portal.Session"
_REGISTRY = "org.freedesktop.host.portal.Registry"
_OWNER = f"type='signal',member='NameOwnerChanged',arg0='{PORTAL}'"
_NO_BUS = Obstacle("this session has no D-Bus, so no desktop portal", BY_HAND)
_NO_PORTAL = Obstacle("this desktop's portal gives programs no global hotkeys", BY_HAND)
_MUTE = Obstacle("the desktop portal does not answer", f"restart xdg-desktop-portal, or {BY_HAND}")

_DECLINED = (
    f"The desktop was asked for hotkeys and declined. Allow them in its settings, or {BY_HAND}."
)
_FAILED = f"The desktop could not give Sightline hotkeys. You can {BY_HAND}."
_KEYLESS = (
    "The desktop names no key for this. If it does nothing, give it one in the desktop's keyboard "
    "settings."
)
_ENDED = f"The desktop has taken the hotkeys back. Allow them in its settings, or {BY_HAND}."


async def obstacle() -> Obstacle | None:
    """Why this way does not serve here; None if it does. The user is asked nothing."""
    try:
        async with asyncio.timeout(WAIT), connected() as bus:
            return None if await version(bus, _SHORTCUTS) else _NO_PORTAL
    except TimeoutError:
        return _MUTE
    except (OSError, EOFError):
        return _NO_BUS


async def open_portal(pressed: Pressed, told: Told, *, wait: float = WAIT) -> Shortcuts | Obstacle:
    """The portal's way, or why there is none. An answer is waited for `wait` seconds."""
    try:
        bus = await open_bus()
    except ConnectionError:
        return _NO_BUS
    made: Shortcuts | Obstacle = _NO_PORTAL
    try:
        async with asyncio.timeout(wait):
            await _register(bus)
            if await version(bus, _SHORTCUTS):
                for rule in (signals(_SHORTCUTS), signals(_SESSION, member="Closed"), _OWNER):
                    await listen(bus, rule)
                made = Shortcuts(bus, pressed, told, wait)
    except TimeoutError:
        made = _MUTE
    except EOFError:
        made = _NO_BUS
    finally:
        if not isinstance(made, Shortcuts):
            await close_bus(bus)
    return made


async def _register(bus: MessageBus) -> None:
    """Says who asks, before anything is asked: portals from 1.20 know a program that was not
    started by the desktop by this alone. Older ones have no such method."""
    answer = await call(bus, _REGISTRY, "Register", "sa{sv}", [APP_ID, {}])
    if answer.message_type is MessageType.ERROR:
        log.info("the portal did not register %s: %s", APP_ID, answer.body)


class Shortcuts:
    """The hotkeys of one connection to the portal. One session of the portal's takes one set of
    keys, so that each set has its own; what an earlier one had is free when it is closed."""

    def __init__(self, bus: MessageBus, pressed: Pressed, told: Told, wait: float) -> None:
        self.name = NAME
        self.held: dict[str, str] = {}
        self._bus = bus
        self._pressed = pressed
        self._told = told
        self._wait = wait
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._wishes: dict[str, str] = {}
        self._session = ""  # its path
        self._answer: asyncio.Task[tuple[Refusal, ...]] | None = None
        self._renewal: asyncio.Task[None] | None = None
        bus.add_message_handler(self._hear)

    async def bind(self, wishes: Mapping[str, str]) -> tuple[Refusal, ...]:
        """A person may be asked by the desktop: where that takes longer than `wait`, it is said,
        and what comes of it is told when it comes."""
        self._wishes = dict(wishes)  # from now on no other action is heard
        async with self._turn:
            try:
                await self._leave()
                return await self._bind()
            except Refused as refused:
                log.warning("no hotkeys: %s", refused)
                return self._all(_DECLINED if refused.forbidden else _FAILED)
            except TimeoutError:
                return self._all(self._silence())
            except (EOFError, OSError):
                return self._all("The desktop has ended the session's D-Bus: no key can be taken.")

    async def close(self) -> None:
        self._bus.remove_message_handler(self._hear)
        for task in (self._answer, self._renewal):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await close_bus(self._bus)  # the portal ends the session with it

    async def _bind(self) -> tuple[Refusal, ...]:
        chords, senseless = settled(self._wishes)
        if not chords:
            return senseless
        token = {"session_handle_token": Variant("s", f"sightline_{secrets.token_hex(8)}")}
        opened = await asked(self._bus, Ask(_SHORTCUTS, "CreateSession", options=token), self._wait)
        if opened.status != 0:
            return self._all(_DECLINED if opened.status == 1 else _FAILED)
        self._session = str(opened.results["session_handle"])
        body = (self._session, [_entry(action, chord) for action, chord in chords.items()], "")
        question = Question(self._bus, Ask(_SHORTCUTS, "BindShortcuts", "oa(sa{sv})s", body))
        self._answer = self._loop.create_task(self._answered(question))
        done, _ = await asyncio.wait({self._answer}, timeout=self._wait)
        if done:
            return self._answer.result()
        self._answer.add_done_callback(self._tell_late)
        return self._all(self._silence())

    async def _answered(self, question: Question) -> tuple[Refusal, ...]:
        """What is refused once the desktop has asked its user."""
        try:
            await question.put()
            response = await question.response()
        except asyncio.CancelledError:
            await question.take_back()
            raise
        finally:
            question.end()
        if response.status != 0:
            return self._all(_DECLINED if response.status == 1 else _FAILED)
        return self._assigned(response.results.get("shortcuts", []))

    def _assigned(self, shortcuts: list[Any]) -> tuple[Refusal, ...]:
        """Notes the keys that the desktop has chosen; what it has chosen none for."""
        named = ((action, str(about.get("trigger_description", ""))) for action, about in shortcuts)
        self.held = {action: key for action, key in named if key}
        chords, senseless = settled(self._wishes)
        keyless = (action for action in chords if action not in self.held)
        return (*senseless, *(self._refusal(action, _KEYLESS) for action in keyless))

    async def _leave(self) -> None:
        """Frees what the last session had; what it has not answered, it need not."""
        if self._answer is not None:
            self._answer.remove_done_callback(self._tell_late)
            self._answer.cancel()
            await asyncio.gather(self._answer, return_exceptions=True)
            self._answer = None
        session, self._session, self.held = self._session, "", {}
        if session:
            async with asyncio.timeout(self._wait):
                await call(self._bus, _SESSION, "Close", path=session)

    def _tell_late(self, answer: asyncio.Task[tuple[Refusal, ...]]) -> None:
        if answer.cancelled():
            return
        error = answer.exception()
        if error is not None:
            log.warning("no hotkeys: %s", error)
        self._told(self._all(_FAILED) if error is not None else answer.result())

    def _hear(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        match message.member:
            case "Activated" if message.body[0] == self._session:
                self._activate(str(message.body[1]), bare(message.body[3]))
            case "ShortcutsChanged" if message.body[0] == self._session:
                self._told(self._assigned(bare(message.body[1])))
            case "Closed" if message.path == self._session:
                self._session, self.held = "", {}
                self._told(self._all(_ENDED))
            case "NameOwnerChanged" if message.body[0] == PORTAL and message.body[2]:
                self._session = ""
                self._renewal = self._loop.create_task(self._renew())

    def _activate(self, action: str, options: dict[str, Any]) -> None:
        if not self._wishes.get(action):
            return
        token = options.get("activation_token")
        if token:  # without it a window may not come to the front; toolkits look for it there
            os.environ["XDG_ACTIVATION_TOKEN"] = str(token)
        self._loop.call_soon(self._pressed, action)

    async def _renew(self) -> None:
        """A portal that was started again knows nothing of the keys that the last one gave."""
        with suppress(EOFError):  # then there is no bus either, as `bind` says
            await _register(self._bus)
        self._told(await self.bind(self._wishes))

    def _all(self, reason: str) -> tuple[Refusal, ...]:
        """One reason for every wish."""
        return tuple(self._refusal(action, reason) for action, w in self._wishes.items() if w)

    def _refusal(self, action: str, reason: str) -> Refusal:
        return Refusal(action, self._wishes.get(action, ""), reason)

    def _silence(self) -> str:
        return (
            f"The desktop has not answered within {self._wait:g} seconds. Answer its question, if "
            f"it shows one; if it was asked before and said no, allow it in its settings, or "
            f"{BY_HAND}."
        )


def _entry(action: str, chord: Chord) -> list[Any]:
    about = {
        "description": Variant("s", TITLES.get(action, action)),
        "preferred_trigger": Variant("s", trigger(chord)),
    }
    return [action, about]
