"""An engine that dies under a real window: it is started again, once, and the reason is shown."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.store import Turn
from app.ui.look import Look
from app.ui.places import Place
from app.ui.services import Services
from app.ui.session import Session
from app.ui.window import Window

STUB = Path(__file__).resolve().parents[1] / "engine_stub.py"
KILLED = "The system killed the engine, most likely for lack of memory."
Scene = Callable[["Stage"], Awaitable[None]]
Perform = Callable[..., None]


class Stage:
    """A window with its session, the places it told of, and the engines that were started."""

    def __init__(self, window: Window, session: Session, starts: Path) -> None:
        self.window = window
        self.session = session
        self._starts = starts
        self.places: list[Place] = []
        self.ended: list[Turn] = []
        self.said: list[str] = []
        session.turn_ended.connect(self.ended.append)
        session.place_changed.connect(self._moved)

    def _moved(self, place: Place) -> None:
        self.places.append(place)
        self.said.append(self.window.status.engine.said)

    @property
    def engines(self) -> list[int]:
        return [int(line) for line in self._starts.read_text().split()]

    @property
    def state(self) -> str:
        return self.places[-1].state

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not true():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)

    async def ask(self, question: str) -> Turn:
        asked = len(self.ended)
        self.session.ask(question)
        await self.until(lambda: len(self.ended) > asked and not self.session.busy)
        return self.ended[-1]

    async def kill(self) -> None:
        """The engine dies while nobody asks it anything."""
        changes = len(self.places)
        os.kill(self.engines[-1], signal.SIGKILL)
        await self.until(lambda: len(self.places) > changes)


@pytest.fixture
def perform(qt: QApplication, look: Look, tmp_path: Path) -> Perform:
    starts = tmp_path / "starts"
    model = folders().data / "models" / "smollm2-135m-instruct"
    model.mkdir(parents=True)
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "vision_config": {}}))
    (model / "model.safetensors").write_bytes(b"")

    def engine(_model: str, _folder: Path) -> Sequence[str]:
        return (sys.executable, str(STUB), str(starts))

    async def run(scene: Scene, settings: Settings) -> None:
        async with asyncio.timeout(30):
            keys = Keys()
            services = Services(settings, folders(), keys, engine=engine)
            session = Session(services)
            window = Window(session, look, keys)
            window.show()
            session.start()
            try:
                await scene(Stage(window, session, starts))
            finally:
                window.close()
                await window.end()
                await session.close()
                await services.close()
                window.deleteLater()

    def play(scene: Scene, settings: Settings = Settings()) -> None:  # noqa: B008
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene, settings))

    return play


def test_an_engine_that_is_killed_is_started_again_and_the_reason_is_shown(
    perform: Perform,
) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ask("Hello?")
        assert stage.state == "ready"
        await stage.kill()
        await stage.until(lambda: stage.state == "ready")
        assert len(stage.engines) == 2
        assert f"· {KILLED} Starting it again 50%" in stage.said
        assert stage.window.status.engine.said == f"· Ready · {KILLED}"
        turn = await stage.ask("Are you there?")
        assert turn.answer == f"I am {stage.engines[1]}."
        assert stage.window.status.engine.said == "· Ready"

    perform(scene)


def test_an_engine_that_dies_again_is_left_to_the_user(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ask("Hello?")
        await stage.kill()
        await stage.until(lambda: stage.state == "ready")
        await stage.kill()
        assert stage.state == "failed"
        assert stage.window.status.engine.said == f"· {KILLED}"
        await asyncio.sleep(0.3)
        assert len(stage.engines) == 2
        turn = await stage.ask("And now?")  # the user's own start
        assert turn.answer == f"I am {stage.engines[2]}."
        await stage.kill()
        await stage.until(lambda: stage.state == "ready")
        assert len(stage.engines) == 4

    perform(scene)


def test_an_answer_under_which_the_engine_dies_says_why_and_keeps_what_came(
    perform: Perform,
) -> None:
    async def scene(stage: Stage) -> None:
        turn = await stage.ask("Run out of memory!")
        assert turn.answer == f"I am {stage.engines[0]}."
        assert turn.error is not None
        assert (turn.error.kind, turn.error.message) == ("out_of_memory", f"{KILLED} Try again.")
        await stage.until(lambda: stage.state == "ready")
        assert (await stage.ask("And now?")).state == "done"

    perform(scene)


def test_a_crash_is_told_from_a_lack_of_memory(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        turn = await stage.ask("Crash!")
        assert turn.error is not None
        assert turn.error.message == "The engine ended by itself (exit status 3). Try again."
        assert turn.error.detail == "Segmentation fault of some kernel"

    perform(scene)


def test_a_question_asked_while_the_engine_comes_back_is_answered(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ask("Hello?")
        await stage.kill()
        assert stage.state == "starting"
        turn = await stage.ask("Are you there?")
        assert turn.answer == f"I am {stage.engines[1]}."
        assert len(stage.engines) == 2

    perform(scene)


def test_an_engine_that_nobody_needs_is_not_started_again(perform: Perform) -> None:
    elsewhere = Profile("far", "http://127.0.0.1:9/v1", "m")

    async def scene(stage: Stage) -> None:
        await stage.ask("Hello?")
        stage.session.choose_endpoint("far")
        os.kill(stage.engines[0], signal.SIGKILL)
        await asyncio.sleep(0.3)
        assert len(stage.engines) == 1
        assert stage.window.status.where.said == "Pictures go to 127.0.0.1"
        stage.session.choose_endpoint("local")
        assert (await stage.ask("And now?")).answer == f"I am {stage.engines[1]}."

    perform(scene, replace(Settings(), profiles=(elsewhere,)))


def test_whether_the_model_sees_is_known_before_the_engine_is_up(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.session.place.sees_pictures
        assert stage.session.place.state == "cold"

    perform(scene)


def test_closing_the_window_is_no_death(perform: Perform) -> None:
    stages: list[Stage] = []

    async def scene(stage: Stage) -> None:
        stages.append(stage)
        await stage.ask("Hello?")

    perform(scene)
    assert len(stages[0].engines) == 1
    assert stages[0].state == "ready"
