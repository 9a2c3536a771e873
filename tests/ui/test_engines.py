"""Another model is chosen while the window lives: the engines follow, and no answer is cut."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import qasync
from folders_of_models import adapter, checkpoint
from PySide6.QtWidgets import QApplication

from app.keys import Keys
from app.settings import LOCAL, Profile, Settings, folders
from app.store import Turn
from app.ui.look import Look
from app.ui.services import Services
from app.ui.session import Session
from app.ui.window import Window
from app.vocabulary import Source

STUB = Path(__file__).resolve().with_name("patient_engine.py")
SWITCHED = {"chat_template.jinja": "{% if enable_thinking %}<think>{% endif %}</think>"}
Scene = Callable[["Stage"], Awaitable[None]]
Perform = Callable[..., None]


class Stage:
    """A window with its session, and the engines that were started."""

    def __init__(self, window: Window, session: Session, home: Path) -> None:
        self.window = window
        self.session = session
        self._home = home
        self.ended: list[Turn] = []
        self.grown: list[object] = []
        session.turn_ended.connect(self.ended.append)
        session.turn_grew.connect(self.grown.append)

    @property
    def starts(self) -> list[tuple[str, int]]:
        """Each engine that was started: its model and its process."""
        file = self._home / "starts"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(line.split()[0], int(line.split()[1])) for line in lines]

    @property
    def models(self) -> list[str]:
        return [model for model, _ in self.starts]

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not true():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)

    def choose(self, model: str) -> None:
        self.session.apply_settings(replace(self.session.settings, local_model=model))

    def think(self, on: bool) -> None:
        self.session.apply_settings(replace(self.session.settings, thinking=on))

    def attach(self, picture: bytes) -> None:
        """What starts an engine before a question does."""
        self.session.attach_picture(picture, "image/png", Source("paste", "Pasted picture"))

    async def ask(self, question: str) -> Turn:
        asked = len(self.ended)
        self.session.ask(question)
        await self.until(lambda: len(self.ended) > asked and not self.session.busy)
        return self.ended[-1]

    def let_go(self) -> None:
        (self._home / "let-go").touch()


@pytest.fixture
def perform(qt: QApplication, look: Look, tmp_path: Path) -> Perform:
    home = tmp_path / "engines"
    home.mkdir()
    for name in ("first", "second", "heavy"):
        checkpoint(folders().data / "models" / name)
    checkpoint(folders().data / "models" / "thinker", words=SWITCHED)

    def engine(model: str, _folder: Path) -> Sequence[str]:
        return (sys.executable, str(STUB), str(home), Path(model).name)

    async def run(scene: Scene, settings: Settings) -> None:
        async with asyncio.timeout(40):
            keys = Keys()
            services = Services(settings, folders(), keys, engine=engine)
            session = Session(services)
            window = Window(session, look, keys)
            window.show()
            session.start()
            try:
                await scene(Stage(window, session, home))
            finally:
                window.close()
                await window.end()
                await session.close()
                await services.close()
                window.deleteLater()

    def play(scene: Scene, settings: Settings | None = None) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene, settings or Settings(local_model="first")))

    return play


def test_the_next_question_starts_the_chosen_model_and_ends_the_old_one(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        assert (await stage.ask("Who?")).answer == "first None"
        stage.choose("second")
        assert stage.session.place.state == "cold"
        assert (await stage.ask("Who?")).answer == "second None"
        assert stage.models == ["first", "second"]
        assert not psutil.pid_exists(stage.starts[0][1])
        assert stage.session.place.state == "ready"

    perform(scene)


def test_a_model_that_is_chosen_back_at_once_runs_on(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ask("Who?")
        stage.choose("second")
        stage.choose("first")
        assert stage.session.place.state == "ready"
        assert (await stage.ask("Who?")).answer == "first None"
        assert stage.models == ["first"]

    perform(scene)


def test_an_answer_under_way_is_not_cut_by_another_choice(
    perform: Perform, picture: Callable[..., bytes]
) -> None:
    async def scene(stage: Stage) -> None:
        stage.session.ask("Hold on.")
        await stage.until(lambda: stage.grown)
        stage.choose("second")
        stage.attach(picture())  # wants the new engine while the old one answers
        await asyncio.sleep(0.3)
        assert stage.models == ["first"]
        assert not stage.ended
        stage.let_go()
        await stage.until(lambda: stage.models == ["first", "second"])
        await stage.until(lambda: stage.session.place.state == "ready")
        assert (stage.ended[0].state, stage.ended[0].answer) == ("done", "first None")

    perform(scene)


def test_a_start_that_nobody_waits_for_ends_with_another_choice(
    perform: Perform, picture: Callable[..., bytes]
) -> None:
    async def scene(stage: Stage) -> None:
        stage.choose("heavy")
        stage.attach(picture())
        await stage.until(lambda: stage.models == ["heavy"])
        stage.choose("second")
        await stage.until(lambda: not psutil.pid_exists(stage.starts[0][1]))
        assert (await stage.ask("Who?")).answer == "second None"

    perform(scene)


def test_a_question_that_is_given_up_leaves_its_model_to_the_next_choice(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.choose("heavy")
        stage.session.ask("Who?")
        await stage.until(lambda: stage.models == ["heavy"])
        stage.session.stop()
        await stage.until(lambda: not stage.session.busy)
        stage.choose("second")
        assert (await stage.ask("Who?")).answer == "second None"
        assert not psutil.pid_exists(stage.starts[0][1])

    perform(scene)


def test_the_engine_of_a_model_no_longer_chosen_is_not_started_again(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ask("Who?")
        stage.choose("second")
        psutil.Process(stage.starts[0][1]).kill()
        await asyncio.sleep(0.3)
        assert stage.models == ["first"]
        assert stage.session.place.state == "cold"
        assert (await stage.ask("Who?")).answer == "second None"

    perform(scene)


def test_other_settings_do_not_hide_that_the_engine_starts(
    perform: Perform, picture: Callable[..., bytes]
) -> None:
    async def scene(stage: Stage) -> None:
        stage.choose("heavy")
        stage.attach(picture())
        await stage.until(lambda: stage.session.place.state == "starting")
        stage.session.apply_settings(replace(stage.session.settings, history_turns=1))
        assert stage.session.place.state == "starting"

    perform(scene)


def test_a_model_in_a_folder_anywhere_answers(perform: Perform, tmp_path: Path) -> None:
    checkpoint(tmp_path / "elsewhere" / "mine")

    async def scene(stage: Stage) -> None:
        stage.session.services.use_model(tmp_path / "elsewhere" / "mine")
        await stage.until(lambda: stage.session.settings.local_model != "first")
        assert (await stage.ask("Who?")).answer == "mine None"
        assert stage.window.status.model.said == "· mine"

    perform(scene)


def test_a_folder_without_a_model_is_refused_and_nothing_changes(
    perform: Perform, tmp_path: Path
) -> None:
    async def scene(stage: Stage) -> None:
        said: list[str] = []
        stage.session.services.model_refused.connect(said.append)
        stage.session.services.use_model(tmp_path)
        await stage.until(lambda: said)
        assert said == [f"The folder {tmp_path} holds no model: it has no config.json."]
        assert stage.session.settings.local_model == "first"

    perform(scene)


def test_the_status_line_names_the_model_where_there_is_room(perform: Perform) -> None:
    elsewhere = Profile("far", "http://127.0.0.1:9/v1", "m")

    async def scene(stage: Stage) -> None:
        status = stage.window.status
        assert (status.model.said, status.model.isVisible()) == ("· first", True)
        assert "first" in status.where.toolTip()
        stage.window.resize(520, 600)
        await stage.until(lambda: not status.model.isVisible())
        stage.session.choose_endpoint("far")
        assert status.model.said == ""
        stage.session.choose_endpoint(LOCAL)

    perform(scene, Settings(local_model="first", profiles=(elsewhere,)))


def test_thinking_is_offered_for_a_model_here_that_can_be_told(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        think = stage.window.composer.think
        assert not think.isVisible()
        stage.choose("thinker")
        assert think.isVisible()
        stage.choose("first")
        assert not think.isVisible()

    perform(scene)


def test_the_switch_for_thinking_reaches_the_engine(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.think(False)
        assert (await stage.ask("Who?")).answer == "thinker False"
        stage.think(True)
        assert (await stage.ask("Who?")).answer == "thinker True"

    perform(scene, Settings(local_model="thinker"))


def test_a_model_that_does_not_think_is_told_nothing_of_it(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.think(True)
        assert (await stage.ask("Who?")).answer == "first None"

    perform(scene)


def test_the_settings_list_choose_and_mark_a_model(perform: Perform) -> None:
    adapter(folders().data / "models" / "notes", base="owner/first")

    async def scene(stage: Stage) -> None:
        stage.window.deeds.preferences()
        preferences = stage.window.deeds._preferences
        assert preferences is not None
        page = preferences.models
        preferences.names.setCurrentRow(1)
        await stage.until(lambda: "second" in page.choices)
        await stage.until(page.choices["first"].isChecked)
        page.choices["second"].click()
        assert stage.session.settings.local_model == "second"
        assert stage.session.place.model == "second"
        checkpoint(folders().data / "models" / "third")  # fetched in a terminal meanwhile
        stage.session.services.list_models()
        await stage.until(lambda: "third" in page.choices)
        assert page.choices["second"].isChecked()
        preferences.close()

    perform(scene)


def test_a_page_of_settings_keeps_what_another_has_changed(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.window.deeds.preferences()
        preferences = stage.window.deeds._preferences
        assert preferences is not None
        stage.choose("second")
        preferences.appearance.arrangement._buttons["stacked"].click()
        preferences.answers.tokens.setValue(512)
        preferences.answers.flush()
        now = stage.session.settings
        assert (now.local_model, now.layout, now.max_tokens) == ("second", "stacked", 512)
        preferences.close()

    perform(scene)
