"""Hotkeys from an X server: each chord is grabbed, so that the focused program does not see it.

Knows the X protocol and nothing of what a hotkey does. The loop reads the server's messages, no
thread waits for them. Sources: the X11 protocol (GrabKey, MappingNotify); Extended Window Manager
Hints (_NET_SUPPORTING_WM_CHECK).
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from Xlib import X
from Xlib import error as fault
from Xlib.display import Display

from app.capture.hotkey.chord import Chord, shown
from app.capture.hotkey.culprit import culprit, running
from app.capture.hotkey.keyboard import Keyboard
from app.capture.hotkey.wish import Pressed, Refusal, Told, settled, taken
from app.capture.obstacle import Obstacle
from app.capture.x11 import Desktop

log = logging.getLogger(__name__)

NAME = "X11"
_CALM = 0.1  # s after the last of the messages that one change of layout sends
_REPEAT = 5  # ms; nobody lets a key go and presses it again as fast as a held one repeats
_MODIFIERS = 0xFF  # Shift, Lock, Control, Mod1 to Mod5; what stands above are buttons
_CLOSED = "The display has closed, so no key can be taken."


@dataclass(frozen=True, slots=True)
class _Grab:
    """One chord as it was asked for; `denial` holds what the server answered, if anything."""

    chord: Chord
    code: int | None
    mask: int
    denial: Any

    @property
    def failed(self) -> bool:
        return self.code is None or self.denial.get_error() is not None


def connect(display: str) -> Any:
    """A connection of its own, some ten milliseconds. Raises OSError where there is no server."""
    # WORKAROUND python-xlib leaves sockets open where nobody answers, libxcb does not; held until
    # the other stands, for some servers start anew when their only client leaves
    with Desktop(display):
        try:
            return Display(display)
        except (fault.DisplayError, fault.XauthError, fault.ConnectionClosedError) as error:
            raise ConnectionError(str(error)) from error


def obstacle() -> Obstacle | None:
    """Why this way does not serve here; None if it does."""
    where = os.environ.get("DISPLAY", "")
    try:
        connect(where).close()
    except OSError:
        return Obstacle(f"the display {where} does not answer", kind="no_display")
    return None


class Grabs:
    """The chords that are taken from one X server. To be made by a running loop."""

    def __init__(self, display: Any, pressed: Pressed, told: Told) -> None:
        self.name = NAME
        self.held: dict[str, str] = {}
        self._display = display
        self._root = display.screen().root
        self._pressed = pressed
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._wishes: dict[str, str] = {}
        self._actions: dict[tuple[int, int], str] = {}  # by key code and modifiers without locks
        self._locked = 0  # the masks of the locks
        self._refused: tuple[Refusal, ...] = ()
        self._programs: Collection[str] = ()
        self._let_go: dict[int, int] = {}  # when each key was, in the server's ms
        self._change: asyncio.TimerHandle | None = None
        self._reads = True
        display.set_error_handler(_note)
        self._file = int(display.fileno())  # which it does not tell any more once it has closed
        self._loop.add_reader(self._file, self._read)

    async def bind(self, wishes: Mapping[str, str]) -> tuple[Refusal, ...]:
        if any(wishes.values()):
            self._programs = await asyncio.to_thread(running)
        self._wishes = dict(wishes)
        self._refused = self._take()
        return self._refused

    async def close(self) -> None:
        self._stop()
        try:
            self._display.close()  # the server frees what a client had
        except (fault.ConnectionClosedError, OSError) as error:
            log.info("the display had closed: %s", error)

    def _take(self) -> tuple[Refusal, ...]:
        """Grabs what is wished in place of what was grabbed; what is refused."""
        chords, senseless = settled(self._wishes)
        try:
            lost = self._grab(chords)
        except fault.ConnectionClosedError as error:
            return self._lose(error)
        if not lost:
            return senseless
        who = culprit(self._manager(), self._programs)
        return (*senseless, *(self._refusal(action, grab, who) for action, grab in lost.items()))

    def _grab(self, chords: Mapping[str, Chord]) -> dict[str, _Grab]:
        """Those that could not be had. One answer is waited for, however many there are."""
        keyboard = Keyboard(self._display)
        locks = keyboard.locks()
        self._locked = max(locks)
        self._root.ungrab_key(X.AnyKey, X.AnyModifier)
        grabs = {action: self._ask(chord, keyboard, locks) for action, chord in chords.items()}
        self._display.sync()
        lost = {action: grab for action, grab in grabs.items() if grab.failed}
        for grab in lost.values():
            self._forget(grab, locks)
        self._display.flush()
        self._actions = {
            (grab.code, grab.mask): action
            for action, grab in grabs.items()
            if grab.code is not None and action not in lost
        }
        # what came along with the answers was read already, and wakes no loop
        self._loop.call_soon(self._read)
        return lost

    def _ask(self, chord: Chord, keyboard: Keyboard, locks: tuple[int, ...]) -> _Grab:
        """A grab holds for one state of the locks: it is asked for with each."""
        code, mask = keyboard.code(chord.key), keyboard.mask(chord.modifiers)
        grab = _Grab(chord, code, mask, fault.CatchError(fault.BadAccess))
        if code is not None:
            for lock in locks:
                self._root.grab_key(
                    code, mask | lock, False, X.GrabModeAsync, X.GrabModeAsync, grab.denial
                )
        return grab

    def _forget(self, grab: _Grab, locks: tuple[int, ...]) -> None:
        """Nothing is kept of a chord that was had in part, with NumLock on for example."""
        if grab.code is not None:
            for lock in locks:
                self._root.ungrab_key(grab.code, grab.mask | lock)

    def _refusal(self, action: str, grab: _Grab, who: str) -> Refusal:
        missing = f"This keyboard has no key {grab.chord.key}, so {shown(grab.chord)} can't be had."
        reason = missing if grab.code is None else taken(grab.chord, who)
        return Refusal(action, self._wishes[action], reason)

    def _manager(self) -> str:
        """The window manager by its own name; empty where it says none."""
        try:
            (window,) = self._property(self._root, "_NET_SUPPORTING_WM_CHECK")
            found = self._display.create_resource_object("window", window)
            name = self._property(found, "_NET_WM_NAME")
        except (fault.XError, ValueError):
            return ""
        said = bytes(name).decode("utf-8", "replace")
        return f"the window manager {said}" if said else ""

    def _property(self, window: Any, name: str) -> Any:
        found = window.get_full_property(self._display.intern_atom(name), X.AnyPropertyType)
        return found.value if found else ()

    def _read(self) -> None:
        try:
            while self._reads and self._display.pending_events():
                self._hear(self._display.next_event())
        except fault.ConnectionClosedError as error:
            self._told(self._lose(error))

    def _hear(self, event: Any) -> None:
        if event.type == X.KeyRelease:
            self._let_go[event.detail] = event.time
        elif event.type == X.KeyPress:
            self._press(event)
        elif event.type == X.MappingNotify and event.request != X.MappingPointer:
            if self._change is not None:
                self._change.cancel()
            self._change = self._loop.call_later(_CALM, self._follow)

    def _press(self, event: Any) -> None:
        """A held key repeats as pairs of a release and a press at the same time."""
        if abs(event.time - self._let_go.get(event.detail, -_REPEAT)) < _REPEAT:
            return
        mask = event.state & _MODIFIERS & ~self._locked
        action = self._actions.get((event.detail, mask))
        if action is not None:
            self._loop.call_soon(self._pressed, action)

    def _follow(self) -> None:
        """The layout has changed: the same chords may be other keys now."""
        self._change = None
        refused = self._take()
        if refused != self._refused:
            self._refused = refused
            self._told(refused)

    def _lose(self, error: Exception) -> tuple[Refusal, ...]:
        log.warning("the display has closed: %s", error)
        self._stop()
        self._actions.clear()
        wished = ((action, chord) for action, chord in self._wishes.items() if chord)
        self._refused = tuple(Refusal(action, chord, _CLOSED) for action, chord in wished)
        return self._refused

    def _stop(self) -> None:
        if self._change is not None:
            self._change.cancel()
        if self._reads:
            self._reads = False
            self._loop.remove_reader(self._file)


def _note(error: Any, _request: Any) -> None:
    log.debug("the display refused a request: %s", error)
