"""What ties the program's parts together: who hears whom, and when the program stays."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtWidgets import QApplication, QPushButton

from app.capture.hotkey.wish import Refusal
from app.capture.obstacle import Obstacle
from app.handover import Invocation
from app.keys import Keys
from app.settings import LOCAL, Profile, Settings, folders
from app.ui.desk import Desk
from app.ui.film.trim import Film
from app.ui.instance import Instance
from app.ui.look import Look
from app.ui.preferences import Preferences
from app.ui.services import Services
from app.ui.session import Session
from app.ui.window import Window
from app.vocabulary import Error, Frame

Scene = Callable[[Desk], Awaitable[None]]
Play = Callable[..., None]
Hear = Callable[..., list[Any]]
NOBODY = Profile("Nobody", "http://127.0.0.1:9/v1", "none")


@pytest.fixture
def play(
    qt: QApplication, look: Look, tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any
) -> Play:
    """Runs a scene at a real desk, on a desktop that has no tray and lets nobody take a key."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)

    async def run(scene: Scene, settings: Settings, said: Invocation) -> None:
        async with asyncio.timeout(30):
            where, keys = folders(), Keys()
            services = Services(
                replace(settings, endpoint="Nobody", profiles=(NOBODY,)), where, keys
            )
            session = Session(services)
            window = Window(session, look, keys)
            instance = Instance(where.config)
            desk = Desk(session, window, instance)
            desk.begin(said)
            session.start()
            try:
                await scene(desk)
            finally:
                instance.close()
                desk.leave()
                await desk.end()
                await window.end()
                await session.close()
                await services.close()
                window.deleteLater()

    def perform(
        scene: Scene,
        settings: Settings = Settings(),  # noqa: B008
        said: Invocation = Invocation(),  # noqa: B008
    ) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene, settings, said))
        gc.collect()

    return perform


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def button(desk: Desk, text: str) -> QPushButton:
    box = desk.farewell.box
    assert box is not None
    (found,) = (b for b in box.buttons() if b.text() == text)
    assert isinstance(found, QPushButton)
    return found


def test_the_window_stands_there_at_once(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        assert desk.window.isVisible()

    play(scene)


def test_a_key_that_is_refused_is_named_beside_a_way_to_change_it(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        banner = desk.window.banner
        refusal = Refusal("record", "Meta+R", "Super+R is taken by Kooha.")
        desk.bindings.refused.emit((refusal,))
        assert banner.isVisible() and "Kooha" in banner.text
        banner._button.click()
        (preferences,) = desk.window.findChildren(Preferences)
        assert preferences.isVisible()
        assert preferences.pages.currentWidget() is preferences.hotkeys
        preferences.close()

    play(scene)


def test_what_was_said_of_a_key_goes_when_it_is_free_again(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        refusal = Refusal("record", "Meta+R", "Super+R is taken by Kooha.")
        desk.bindings.refused.emit((refusal,))
        desk.bindings.refused.emit(())
        assert desk.window.banner.isHidden()
        desk.session.noticed.emit(Error("failed", "Something else."))
        desk.bindings.refused.emit(())
        assert desk.window.banner.text == "Something else."

    play(scene)


def test_where_no_key_can_be_taken_the_settings_say_what_to_bind(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        await until(lambda: desk.bindings.way)
        assert isinstance(desk.bindings.way, Obstacle)
        desk.window.deeds.hotkeys()
        (preferences,) = desk.window.findChildren(Preferences)
        assert "sightline snip" in preferences.hotkeys.rows["ask_region"].command.text()
        preferences.close()

    play(scene)


def test_without_close_to_tray_the_programs_end_is_the_windows(play: Play, hear: Hear) -> None:
    async def scene(desk: Desk) -> None:
        quitted = hear(desk.quitted)
        desk.window.close()
        assert len(quitted) == 1

    play(scene, Settings(close_to_tray=False))


def test_without_a_tray_the_window_stays_until_it_is_said_what_becomes_of_the_program(
    play: Play, hear: Hear
) -> None:
    async def scene(desk: Desk) -> None:
        quitted = hear(desk.quitted)
        desk.window.close()
        assert desk.window.isVisible() and desk.farewell.box is not None
        button(desk, "Cancel").click()
        assert desk.window.isVisible() and quitted == [] and desk.farewell.box is None
        desk.window.close()
        button(desk, "Keep running").click()
        assert not desk.window.isVisible() and quitted == []
        assert desk.session.settings.tray_missed
        desk.show_window()
        desk.window.close()  # it was said once
        assert not desk.window.isVisible() and desk.farewell.box is None

    play(scene)


def test_quit_in_that_question_ends_the_program(play: Play, hear: Hear) -> None:
    async def scene(desk: Desk) -> None:
        quitted = hear(desk.quitted)
        desk.window.close()
        button(desk, "Quit").click()
        assert len(quitted) == 1

    play(scene)


def test_what_was_typed_in_a_quick_window_goes_on_in_the_window(play: Play, frame: Frame) -> None:
    async def scene(desk: Desk) -> None:
        attached = []
        desk.session.attachments_changed.connect(attached.append)
        desk.window.hide()
        desk.shutter.quicks.moved_to_window.emit(frame, "What is the total due?")
        assert desk.window.isVisible()
        assert desk.window.composer.prompt.toPlainText() == "What is the total due?"
        assert [item.frames for item in attached[-1]] == [(frame,)]

    play(scene)


def test_a_recording_is_asked_about_in_the_window(play: Play, frame: Frame, tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        turns = []
        desk.session.turn_ended.connect(turns.append)
        film = Film((frame,), tmp_path / "r.mkv", 0.0, 2.0, "What happened?", name="Recording")
        desk.recorder.taken.emit(film)
        assert desk.window.isVisible()
        await until(lambda: turns)
        assert (turns[0].question, turns[0].frames) == ("What happened?", (frame,))

    play(scene)


def test_a_new_chat_by_its_key_is_an_empty_window(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.window.hide()
        desk.bindings.pressed.emit("new_chat")
        assert desk.window.isVisible()
        assert desk.session.conversation is None

    play(scene)


def test_the_tray_lists_what_was_asked_lately(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.session.ask("Where is the harbour?")
        await until(desk.tray.recent.actions)
        assert desk.tray.recent.actions()[0].text() == "Where is the harbour?"

    play(scene)


def test_who_answers_is_chosen_from_the_tray(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.tray.endpoints.actions()[0].trigger()
        assert desk.session.settings.endpoint == LOCAL
        desk.tray.endpoints.actions()[1].trigger()
        assert desk.session.settings.endpoint == "Nobody"
        assert "Nobody" in desk.tray.state.text()

    play(scene)


def test_a_capture_that_fails_says_why_where_it_is_seen(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.window.hide()
        desk.bindings.pressed.emit("ask_screen")
        await until(lambda: desk.window.banner.text)
        assert "can't be captured" in desk.window.banner.text
        assert desk.window.isVisible()  # there is no tray to say it beside

    play(scene)


def test_a_quit_of_the_desktops_own_puts_everything_away(tmp_path: Path) -> None:
    script = """
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from app.handover import Invocation
from app.ui.program import run

def built(desk):
    application = QCoreApplication.instance()
    quit = lambda: application.postEvent(application, QEvent(QEvent.Type.Quit))
    QTimer.singleShot(300, application, quit)

print(run(Invocation(), built))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"SIGHTLINE_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout == "0\n" and "Error" not in ran.stderr, ran.stderr
    assert not [path for path in tmp_path.glob("sightline-*") if path.is_socket()]
