"""Hotkeys on a real X server: real keys, a real window manager, a real program in focus."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from app.capture.hotkey.hotkeys import Hotkeys, Refusal, open_hotkeys, reasons
from app.capture.obstacle import Obstacle

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("xev") is None, reason="xev is not installed"),
]
ROOT = Path(__file__).parents[2]
WISHES = {"ask_region": "Meta+Shift+A", "record": "Ctrl+Alt+R", "new_chat": ""}


@dataclass
class Desk:
    """The program with its hotkeys, and someone who presses keys."""

    display: str
    hotkeys: Hotkeys
    pressed: list[str] = field(default_factory=list)
    told: list[tuple[Refusal, ...]] = field(default_factory=list)

    async def press(self, *words: str) -> None:
        await self.run("xdotool", *words)
        await asyncio.sleep(0.15)

    async def run(self, *command: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | {"DISPLAY": self.display}
        )
        assert await process.wait() == 0


Act: TypeAlias = Callable[[Desk], Awaitable[None]]


@pytest.fixture
def where(display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", display)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    return display


@pytest.fixture
def layouts(where: str) -> Iterator[str]:
    """Where the layout may be changed."""
    yield where
    subprocess.run(["setxkbmap", "us"], env=os.environ, check=True)
    time.sleep(0.5)  # the window manager takes its keys again


@pytest.fixture
def focused(where: str) -> Iterator[Callable[[], str]]:
    """A program that has the focus; what it was told of keys so far."""
    command = ["stdbuf", "-oL", "xev", "-event", "keyboard"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        os.set_blocking(program.stdout.fileno(), False)
        subprocess.run(
            ["xdotool", "search", "--sync", "--name", "Event Tester", "windowfocus", "--sync"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        said: list[str] = []

        def heard() -> str:
            time.sleep(0.2)
            said.append(program.stdout.read() or "")  # type: ignore[union-attr]
            return "".join(said)

        yield heard
        program.terminate()


def play(where: str, act: Act, wishes: dict[str, str] | None = None) -> None:
    async def run() -> None:
        desk = Desk(where, None)  # type: ignore[arg-type]
        opened = await open_hotkeys(desk.pressed.append, desk.told.append)
        assert not isinstance(opened, Obstacle), opened
        desk.hotkeys = opened
        try:
            assert await opened.bind(WISHES if wishes is None else wishes) == ()
            await act(desk)
        finally:
            await opened.close()

    asyncio.run(run())


def test_a_chord_does_its_action_wherever_the_focus_is(where: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.press("key", "super+shift+a")
        await desk.press("key", "ctrl+alt+r")
        assert desk.pressed == ["ask_region", "record"]

    play(where, act)


def test_the_focused_program_does_not_see_the_key(where: str, focused: Callable[[], str]) -> None:
    async def act(desk: Desk) -> None:
        await desk.press("key", "super+shift+a")
        await desk.press("key", "z")
        heard = await asyncio.to_thread(focused)
        assert "keysym 0x7a, z" in heard  # it hears what is its own
        assert "keysym 0x41, A" not in heard
        assert desk.pressed == ["ask_region"]

    play(where, act)


def test_pausing_gives_the_key_back(where: str, focused: Callable[[], str]) -> None:
    async def act(desk: Desk) -> None:
        assert await desk.hotkeys.bind({}) == ()
        await desk.press("key", "super+shift+a")
        assert "keysym 0x41, A" in await asyncio.to_thread(focused)
        assert desk.pressed == []
        await desk.hotkeys.bind(WISHES)
        await desk.press("key", "super+shift+a")
        assert desk.pressed == ["ask_region"]

    play(where, act)


@pytest.mark.parametrize("locks", [("Num_Lock",), ("Caps_Lock",), ("Num_Lock", "Caps_Lock")])
def test_locks_make_no_difference(where: str, locks: tuple[str, ...]) -> None:
    async def act(desk: Desk) -> None:
        await desk.press("key", *locks)
        await desk.press("key", "super+shift+a")
        await desk.press("key", *locks)
        assert desk.pressed == ["ask_region"]

    play(where, act)


def test_a_key_that_is_held_does_its_action_once(where: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.press("keydown", "super", "keydown", "shift", "keydown", "a")
        await asyncio.sleep(1.2)  # the server repeats after 0.66 s
        await desk.press("keyup", "a", "keyup", "shift", "keyup", "super")
        assert desk.pressed == ["ask_region"]
        await desk.press("key", "super+shift+a")
        assert len(desk.pressed) == 2

    play(where, act)


def test_a_chord_follows_its_letter_to_another_layout(layouts: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.run("setxkbmap", "fr")  # A stands where Q stood
        await asyncio.sleep(0.3)
        await desk.press("key", "super+shift+a")
        assert desk.pressed == ["ask_region"]
        await desk.press("keydown", "super", "keydown", "shift", "key", "38", "keyup", "shift")
        await desk.press("keyup", "super")
        assert desk.pressed == ["ask_region"]

    play(layouts, act)


def test_a_second_alphabet_makes_no_difference(layouts: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.run("setxkbmap", "us,ru")
        await asyncio.sleep(0.3)
        await desk.press("key", "ISO_Next_Group")
        await desk.press("keydown", "super", "keydown", "shift", "key", "38", "keyup", "shift")
        await desk.press("keyup", "super")
        assert desk.pressed == ["ask_region"]
        assert desk.told == []

    play(layouts, act)


def test_a_key_that_the_new_layout_lacks_is_told(layouts: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.run("setxkbmap", "ru")
        await asyncio.sleep(0.3)
        (refused,) = desk.told
        assert [refusal.action for refusal in refused] == ["ask_region", "record"]
        assert refused[0].reason == "This keyboard has no key A, so Super+Shift+A can't be had."
        await desk.run("setxkbmap", "us")
        await asyncio.sleep(0.3)
        assert desk.told[-1] == ()

    play(layouts, act)


def test_a_chord_of_the_window_managers_names_it(where: str) -> None:
    async def act(desk: Desk) -> None:
        wishes = {"record": "Alt+F4", "ask_region": "Meta+Shift+A"}
        (refusal,) = await desk.hotkeys.bind(wishes)
        assert (refusal.action, refusal.chord) == ("record", "Alt+F4")
        assert refusal.reason.startswith("Alt+F4 is taken by another program, most likely ")
        assert "the window manager Openbox" in refusal.reason
        await desk.press("key", "super+shift+a")
        assert desk.pressed == ["ask_region"]  # one refusal keeps no other out

    play(where, act)


def test_a_chord_of_another_program_is_refused_until_it_lets_go(where: str) -> None:
    async def act(desk: Desk) -> None:
        second = await open_hotkeys(lambda _action: None)
        assert not isinstance(second, Obstacle)
        (refusal,) = await second.bind({"show_window": "Super+Shift+A"})
        assert refusal.reason.startswith("Super+Shift+A is taken by another program")
        await desk.hotkeys.bind({})
        assert await second.bind({"show_window": "Super+Shift+A"}) == ()
        await second.close()
        assert await desk.hotkeys.bind(WISHES) == ()

    play(where, act)


def test_the_doctor_finds_the_way(where: str) -> None:
    (way,) = reasons()
    assert (way.name, way.ok) == ("X11", True)


def test_a_display_that_closes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(server: subprocess.Popen[bytes]) -> None:
        told: list[tuple[Refusal, ...]] = []
        hotkeys = await open_hotkeys(lambda _action: None, told.append)
        assert not isinstance(hotkeys, Obstacle)
        await hotkeys.bind(WISHES)
        server.terminate()
        async with asyncio.timeout(5):
            while not told:  # noqa: ASYNC110 (filled by a callback)
                await asyncio.sleep(0.02)
        assert "The display has closed" in told[0][0].reason
        assert len(await hotkeys.bind(WISHES)) == 2
        await hotkeys.close()

    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(write)
        with os.fdopen(read) as said:
            monkeypatch.setenv("DISPLAY", f":{said.readline().strip()}")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        try:
            asyncio.run(run(server))
        finally:
            server.kill()


_PROGRAM = """
import asyncio, sys
import qasync
from PySide6.QtWidgets import QApplication
from app.capture.hotkey.hotkeys import open_hotkeys

async def live():
    pressed = asyncio.Event()
    def hear(action):
        print(action, flush=True)
        pressed.set()
    hotkeys = await open_hotkeys(hear)
    print(await hotkeys.bind({"ask_region": "Meta+Shift+A"}), flush=True)
    await pressed.wait()
    await hotkeys.close()

application = QApplication(sys.argv)
application.setQuitOnLastWindowClosed(False)
with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
    runner.run(live())
"""


def test_keys_are_heard_by_qts_loop_and_waiting_for_them_costs_nothing(where: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env=os.environ | {"QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == "()\n"
        process = psutil.Process(program.pid)
        time.sleep(0.5)
        before, woken = process.cpu_times(), process.num_ctx_switches().voluntary
        time.sleep(2)
        after = process.cpu_times()
        assert (after.user + after.system) - (before.user + before.system) < 0.01 * 2
        assert process.num_ctx_switches().voluntary - woken <= 4  # 2 a second
        subprocess.run(["xdotool", "key", "super+shift+a"], check=True)
        assert program.stdout.readline() == "ask_region\n"
        assert program.wait(10) == 0


_FIELD = """
import sys
from PySide6.QtWidgets import QApplication
from app.ui.chords import ChordField

application = QApplication(sys.argv)
field = ChordField("Record")
field.recorded.connect(lambda chord: print(chord, flush=True))
field.recorded.connect(lambda _: field.wait(True))
field.setWindowTitle("Chord field")
field.show()
field.activateWindow()
field.setFocus()
field.wait(True)
application.exec()
"""


def test_chords_are_recorded_as_real_keys_tell_them(layouts: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _FIELD],
        env=os.environ | {"QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Chord field"]
            subprocess.run([*search, "windowfocus", "--sync"], check=True)
            time.sleep(0.3)
            assert program.stdout
            for keys, recorded in (
                ("super+shift+a", "Meta+Shift+A"),
                ("super+shift+1", "Meta+Shift+1"),
                ("ctrl+shift+minus", "Ctrl+Shift+-"),
                ("ctrl+shift+Tab", "Ctrl+Shift+Tab"),
                ("Pause", "Pause"),
                ("alt+F9", "Alt+F9"),
            ):
                subprocess.run(["xdotool", "key", keys], check=True)
                assert program.stdout.readline() == f"{recorded}\n"
            subprocess.run(["setxkbmap", "ru"], check=True)
            time.sleep(0.5)
            subprocess.run(
                ["xdotool", "keydown", "ctrl", "keydown", "alt", "key", "45"], check=True
            )
            subprocess.run(["xdotool", "keyup", "alt", "keyup", "ctrl"], check=True)
            assert program.stdout.readline() == "Ctrl+Alt+K\n"  # where K stands
        finally:
            program.kill()
