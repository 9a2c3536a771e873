"""The quick window with a real session: asked, answered, stopped, pinned, opened in the window."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import qasync
from chat import ChatServer
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.keys import Keys
from app.settings import Profile, Settings, Template, folders, load
from app.store import Store, Turn
from app.ui.gallery import Gallery
from app.ui.look import Look
from app.ui.page import Page
from app.ui.popup.quick import Quick
from app.ui.popup.quicks import Quicks
from app.ui.popup.stature import size_of, size_text
from app.ui.services import Services
from app.ui.session import Session, Shown
from app.vocabulary import Answer, Error, Frame, Source

PLACE = QRect(40, 60, 200, 120)
SERVER = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Taken:
    frame: Frame
    place: QRect


class Stage:
    """Quick windows over one set of services, and what they told."""

    def __init__(self, services: Services, quicks: Quicks, frame: Frame) -> None:
        self.services = services
        self.quicks = quicks
        self.frame = frame
        self.opened: list[int] = []
        self.moved: list[tuple[Frame, str]] = []
        self.ended: list[Turn] = []
        quicks.opened_in_window.connect(self.opened.append)
        quicks.moved_to_window.connect(lambda *said: self.moved.append(said))

    def take(self, frame: Frame | None = None) -> Quick:
        quick = self.quicks.ask(Taken(frame or self.frame, PLACE))
        quick.session.turn_ended.connect(self.ended.append)
        return quick

    async def until(self, true: Callable[[], object], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.005)

    async def asked(self, quick: Quick, text: str) -> Turn:
        """Types a question and waits for its answer's end."""
        count = len(self.ended)
        write(quick, text)
        QTest.keyClick(quick.plan.inquiry.prompt, Qt.Key.Key_Return)
        await self.until(lambda: len(self.ended) > count and not quick.busy)
        return self.ended[-1]


Scene = Callable[[Stage], Awaitable[None]]
Perform = Callable[..., None]


@pytest.fixture
def perform(qt: QApplication, look: Look, chat: ChatServer, frame: Frame) -> Perform:
    async def run(scene: Scene, changes: dict[str, Any]) -> None:
        sees = changes.pop("sees_pictures", True)
        profile = Profile("remote", chat.url, "seer", sees_pictures=sees)
        settings = replace(Settings(endpoint="remote", profiles=(profile,)), **changes)
        services = Services(settings, folders(), Keys())
        quicks = Quicks(services, look)
        quicks.prepare()
        try:
            await scene(Stage(services, quicks, frame))
        finally:
            await quicks.close()
            await services.close()

    def play(scene: Scene, **changes: Any) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene, changes))
        qt.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()

    return play


def write(quick: Quick, text: str) -> None:
    quick.plan.inquiry.prompt.setPlainText(text)


def press(quick: Quick, key: Qt.Key) -> None:
    QTest.keyClick(quick.plan.inquiry.prompt, key)


def stored() -> tuple[Turn, ...]:
    with Store(folders().data) as store:
        return tuple(t for c in store.conversations() for t in store.turns(c.id))


def shown_answer(quick: Quick) -> str:
    return "".join(
        page.markdown for page in quick.findChildren(Page) if page.accessibleName() == "Answer"
    )


# --- asking ---------------------------------------------------------------------------------


def test_a_question_goes_with_its_picture_and_is_kept(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"reasoning_content": "hm"}, {"content": "It is **red**."}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        await stage.asked(quick, "What colour?")
        assert shown_answer(quick) == "It is **red**."
        assert quick.plan.inquiry.text == ""

    perform(scene)
    parts = chat.asked[0]["messages"][-1]["content"]  # type: ignore[index]
    assert [part["type"] for part in parts].count("image_url") == 1
    (turn,) = stored()
    assert (turn.question, turn.answer, len(turn.frames)) == ("What colour?", "It is **red**.", 1)


def test_a_second_question_goes_on_in_the_same_conversation(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces = [{"content": "four"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        await stage.asked(quick, "How many?")
        await stage.asked(quick, "And twice that?")

    perform(scene)
    assert "How many?" in str(chat.asked[1]["messages"])
    first, second = stored()
    assert first.conversation == second.conversation
    assert second.frames == ()


def test_nothing_is_sent_before_the_user_sends(perform: Perform, chat: ChatServer) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        write(quick, "not yet")
        await asyncio.sleep(0.2)
        press(quick, Qt.Key.Key_Escape)

    perform(scene)
    assert chat.asked == [] and stored() == ()


def test_a_composition_in_progress_is_not_sent(perform: Perform, chat: ChatServer) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        prompt = quick.plan.inquiry.prompt
        QApplication.sendEvent(prompt, QInputMethodEvent("shi", []))
        press(quick, Qt.Key.Key_Return)
        await asyncio.sleep(0.1)
        assert not quick.busy
        done = QInputMethodEvent()
        done.setCommitString("是什么")
        QApplication.sendEvent(prompt, done)
        assert quick.plan.inquiry.text.startswith("是什么")

    perform(scene)
    assert chat.asked == []


def test_shift_enter_breaks_the_line(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        write(quick, "a")
        prompt = quick.plan.inquiry.prompt
        prompt.moveCursor(prompt.textCursor().MoveOperation.End)
        QTest.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClicks(prompt, "b")
        assert prompt.toPlainText() == "a\nb" and not quick.busy

    perform(scene)


def test_a_quick_action_asks_at_once_with_what_was_typed_below_it(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces = [{"content": "ok"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        write(quick, "into French")
        quick.plan.chips.buttons[1].click()
        await stage.until(lambda: stage.ended)
        assert quick.plan.inquiry.text == ""

    perform(scene)
    question = stored()[0].question
    assert question.startswith("Translate") and question.endswith("\n\ninto French")


def test_own_templates_stand_after_the_others_and_follow_the_settings(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces = [{"content": "ok"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        names = [button.accessibleName() for button in quick.plan.chips.buttons]
        assert names == [
            "Explain", "Translate", "Extract table", "Copy text", "Fix this error", "Shorter",
        ]  # fmt: skip
        more = Template("Longer", "Say more.")
        settings = stage.services.settings
        stage.services.apply_settings(replace(settings, templates=(*settings.templates, more)))
        quick.plan.chips.buttons[-1].click()
        await stage.until(lambda: stage.ended)

    perform(scene, templates=(Template("Shorter", "Say less."),))
    assert stored()[0].question == "Say more."


def test_the_words_of_a_picture_are_copied_and_no_model_is_asked(
    perform: Perform, chat: ChatServer, samples: Path
) -> None:
    image = (samples / "dialog.png").read_bytes()

    async def scene(stage: Stage) -> None:
        size = QGuiApplication.primaryScreen().size()
        frame = Frame(image, "image/png", size.width(), size.height(), Source("screen", "Screen"))
        quick = stage.take(frame)
        QGuiApplication.clipboard().clear()
        quick.plan.chips.buttons[3].click()
        says = quick.plan.inquiry.says
        await stage.until(lambda: "copied" in says.said, 60)
        assert len(QGuiApplication.clipboard().text()) > 20

    perform(scene)
    assert chat.asked == []


def test_a_picture_without_words_says_so_and_the_clipboard_stays(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        QGuiApplication.clipboard().setText("mine")
        quick.plan.chips.buttons[3].click()
        await stage.until(lambda: quick.plan.inquiry.says.said == "No text found.", 60)
        assert QGuiApplication.clipboard().text() == "mine"

    perform(scene)


# --- where it goes --------------------------------------------------------------------------


def test_the_button_says_where_the_picture_goes(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        send = stage.take().plan.inquiry.send
        assert send.text() == f"Ask · {SERVER}"
        stage.services.choose_endpoint("local")
        assert send.text() == "Ask · this machine"
        assert "stay on this machine" in send.toolTip()

    perform(scene)


def test_a_model_that_only_reads_is_said_as_the_composer_says_it(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        sight = stage.take().plan.sight
        assert not sight.isHidden() and "does not see them" in sight.text()

    perform(scene, sees_pictures=False)


def test_a_model_that_sees_needs_no_word_about_it(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.take().plan.sight.isHidden()

    perform(scene)


# --- answers --------------------------------------------------------------------------------


def test_an_error_stands_below_with_a_retry_that_works(perform: Perform, chat: ChatServer) -> None:
    chat.status, chat.error = 500, "out of luck"

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        turn = await stage.asked(quick, "What?")
        assert turn.error is not None
        said = [label.text() for label in quick.findChildren(QLabel) if label.isVisible()]
        assert any("out of luck" in text for text in said)
        chat.status, chat.pieces = 200, [{"content": "yes"}]
        retry = [b for b in quick.findChildren(QPushButton) if b.text() == "Retry"]
        retry[0].click()
        await stage.until(lambda: len(stage.ended) == 2)
        assert shown_answer(quick) == "yes"

    perform(scene)
    assert [(turn.answer, len(turn.frames)) for turn in stored()] == [("yes", 1)]


def test_boxes_in_the_answer_are_drawn_on_the_picture(
    perform: Perform, chat: ChatServer, qt: QApplication
) -> None:
    chat.pieces = [{"content": "The button is at [[250, 250, 750, 750]]."}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        await stage.asked(quick, "Where is the button?")
        large = quick.plan.large
        assert large.isVisible() and quick.plan.small.isHidden()
        await asyncio.sleep(0.2)
        image = large.grab().toImage()
        edge = image.pixelColor(image.width() // 4, image.height() // 2)
        assert edge.green() > edge.red()  # the accent, on a red picture
        middle = image.pixelColor(image.width() // 2, image.height() // 2)
        assert middle.red() > 200

    perform(scene)


def test_the_picture_opens_in_the_gallery(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        quick.plan.small.click()
        (gallery,) = quick.findChildren(Gallery)
        assert gallery.isVisible()
        gallery.close()

    perform(scene)


# --- its life -------------------------------------------------------------------------------


def test_escape_stops_the_answer_first_and_then_closes(perform: Perform, chat: ChatServer) -> None:
    chat.pieces, chat.hang = [{"content": "half an"}], True

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        write(quick, "What?")
        press(quick, Qt.Key.Key_Return)
        await stage.until(lambda: shown_answer(quick))
        press(quick, Qt.Key.Key_Escape)
        await stage.until(lambda: stage.ended and not quick.busy)
        assert quick.isVisible() and stage.ended[0].state == "cancelled"
        press(quick, Qt.Key.Key_Escape)
        assert not quick.isVisible() and stage.quicks.windows == ()

    perform(scene)
    assert stored()[0].answer == "half an"


def test_a_pinned_one_survives_escape_and_the_next_capture(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        pinned = stage.take()
        pinned.plan.pin.click()
        press(pinned, Qt.Key.Key_Escape)
        assert pinned.isVisible()
        loose = stage.take()
        last = stage.take()
        assert stage.quicks.windows == (pinned, last) and not loose.isVisible()

    perform(scene)


def test_one_that_still_answers_is_not_cut_by_the_next_capture(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces, chat.pace = [{"content": f"{n} "} for n in range(30)], 0.02

    async def scene(stage: Stage) -> None:
        first = stage.take()
        write(first, "Count")
        press(first, Qt.Key.Key_Return)
        await stage.until(lambda: shown_answer(first))
        stage.take()
        assert first.isVisible()
        await stage.until(lambda: stage.ended)
        assert stage.ended[0].state == "done"

    perform(scene)


def test_closed_while_it_answers_it_stops_and_keeps_what_came(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces, chat.hang = [{"content": "half"}], True

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        write(quick, "What?")
        press(quick, Qt.Key.Key_Return)
        await stage.until(lambda: shown_answer(quick))
        quick.plan.leave.click()
        await stage.until(chat.hung_up.is_set)

    perform(scene)
    assert [(turn.answer, turn.state) for turn in stored()] == [("half", "cancelled")]


def test_a_conversation_deleted_elsewhere_takes_its_window_along(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces = [{"content": "ok"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        turn = await stage.asked(quick, "What?")
        stage.services.delete_conversation(turn.conversation)
        await stage.until(lambda: stage.quicks.windows == ())

    perform(scene)
    assert stored() == ()


def test_what_fails_beside_the_answer_is_said_in_the_window(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        stage.services.noticed.emit(Error("no_space", "The disk is full."))
        assert quick.plan.banner.isVisible() and quick.plan.banner.text == "The disk is full."
        press(quick, Qt.Key.Key_Escape)
        assert quick.plan.banner.isHidden() and quick.isVisible()

    perform(scene)


# --- open in the window ---------------------------------------------------------------------


class Window:
    """What a main window hears of the conversation that it is told to open."""

    def __init__(self, stage: Stage) -> None:
        self.session = Session(stage.services)
        self.shown: list[Shown] = []
        self.text = ""
        self.ended: list[Turn] = []
        self.session.conversation_shown.connect(self._show)
        self.session.turn_grew.connect(self._grow)
        self.session.turn_ended.connect(self.ended.append)

    def _show(self, shown: Shown) -> None:
        self.shown.append(shown)
        self.text = shown.turns[-1].answer if shown.turns else ""

    def _grow(self, growth: Any) -> None:
        self.text += "".join(event.text for event in growth.events if isinstance(event, Answer))


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after the quick one is gone"])
def test_in_the_window_a_streaming_answer_goes_on_whole_and_nothing_is_asked_twice(
    perform: Perform, chat: ChatServer, later: bool
) -> None:
    words = [f"{n} " for n in range(60)]
    chat.pieces, chat.pace = [{"content": word} for word in words], 0.02

    async def scene(stage: Stage) -> None:
        window = Window(stage)
        quick = stage.take()
        write(quick, "Count")
        press(quick, Qt.Key.Key_Return)
        await stage.until(lambda: len(shown_answer(quick)) > 20)
        if not later:
            stage.quicks.opened_in_window.connect(window.session.open_conversation)
        quick.plan.onward.click()
        assert not quick.isVisible()
        if later:
            await asyncio.sleep(0.2)
            window.session.open_conversation(stage.opened[0])
        await stage.until(lambda: window.ended)
        assert window.text == "".join(words)
        assert window.ended[0].state == "done"
        assert window.session.conversation is not None
        await stage.until(lambda: not window.session.busy)
        await window.session.close()

    perform(scene)
    assert len(chat.asked) == 1
    assert [(turn.answer, turn.state) for turn in stored()] == [("".join(words), "done")]


def test_the_window_asks_on_in_the_same_conversation(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"content": "four"}]

    async def scene(stage: Stage) -> None:
        window = Window(stage)
        quick = stage.take()
        await stage.asked(quick, "How many?")
        stage.quicks.opened_in_window.connect(window.session.open_conversation)
        quick.plan.onward.click()
        await stage.until(lambda: window.shown)
        assert [turn.answer for turn in window.shown[0].turns] == ["four"]
        window.session.ask("Twice that?")
        await stage.until(lambda: window.ended)
        await window.session.close()

    perform(scene)
    first, second = stored()
    assert first.conversation == second.conversation


def test_before_anything_was_asked_the_picture_and_the_words_go_to_the_window(
    perform: Perform,
) -> None:
    async def scene(stage: Stage) -> None:
        quick = stage.take()
        write(quick, "a longer question")
        quick.plan.onward.click()
        assert not quick.isVisible()
        assert stage.moved == [(stage.frame, "a longer question")] and stage.opened == []

    perform(scene)


def test_what_was_typed_meanwhile_goes_along(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"content": "four"}]

    async def scene(stage: Stage) -> None:
        words: list[str] = []
        stage.quicks.words_moved.connect(words.append)
        quick = stage.take()
        await stage.asked(quick, "How many?")
        write(quick, "and half of")
        quick.plan.onward.click()
        assert len(stage.opened) == 1 and words == ["and half of"]

    perform(scene)


def test_wished_before_the_question_is_written_down_it_opens_when_it_is(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces = [{"content": "four"}]

    async def scene(stage: Stage) -> None:
        window = Window(stage)
        stage.quicks.opened_in_window.connect(window.session.open_conversation)
        quick = stage.take()
        write(quick, "How many?")
        press(quick, Qt.Key.Key_Return)
        quick.plan.onward.click()
        assert stage.opened == [] and quick.isVisible()
        await stage.until(lambda: window.ended)
        assert stage.quicks.windows == () and window.text == "four"
        await window.session.close()

    perform(scene)
    assert len(chat.asked) == 1


def test_what_failed_before_is_not_said_in_the_next_one(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.services.noticed.emit(Error("no_space", "The disk is full."))
        assert stage.take().plan.banner.isHidden()

    perform(scene)


def test_both_windows_follow_a_pinned_one(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"content": "four"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        turn = await stage.asked(quick, "How many?")
        window = Window(stage)
        window.session.open_conversation(turn.conversation)
        await stage.until(lambda: window.shown)
        window.session.ask("And now?")
        await stage.until(lambda: len(stage.ended) == 2)
        assert shown_answer(quick) == "fourfour"
        await window.session.close()

    perform(scene)


# --- its place and its size -----------------------------------------------------------------


def test_it_stands_beside_what_was_marked_and_grows_on_its_screen(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces = [{"content": "line\n\n" * 40}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        room = quick.screen().availableGeometry()
        before = quick.geometry()
        assert room.contains(before)
        assert before.left() > PLACE.right() or not room.contains(
            QRect(PLACE.right() + 1, PLACE.top(), before.width(), 1)
        )
        await stage.asked(quick, "What?")
        await stage.until(lambda: quick.height() > before.height() + 100)
        assert room.contains(quick.geometry())

    perform(scene)


def test_the_size_it_was_given_by_hand_is_remembered(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"content": "ok"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        await stage.asked(quick, "What?")
        QTest.mousePress(
            quick, Qt.MouseButton.LeftButton, pos=QPoint(quick.width() - 2, quick.height() - 2)
        )
        quick.resize(520, 420)
        QTest.mouseRelease(quick, Qt.MouseButton.LeftButton)
        quick.close()
        assert size_of(stage.services.settings.quick_size) == QSize(520, 420)
        again = stage.take()
        assert again.width() == 520

    perform(scene)
    assert size_of(load(folders().config)[0].quick_size) == QSize(520, 420)


@pytest.mark.parametrize("text", ["", "AAAA", "nonsense!", "x" * 40, "é", size_text(QSize(-1, 4))])
def test_a_size_that_is_none_is_ignored(text: str) -> None:
    assert size_of(text) is None


def test_every_control_has_a_name(
    perform: Perform, chat: ChatServer, unnamed: Callable[[QObject], list[str]]
) -> None:
    chat.pieces = [{"reasoning_content": "hm"}, {"content": "ok"}]

    async def scene(stage: Stage) -> None:
        quick = stage.take()
        await stage.asked(quick, "What?")
        stage.services.noticed.emit(Error("bad_key", "The server refused the key."))
        assert unnamed(quick) == []

    perform(scene)


SCREENS = [
    {"name": "left", "x": -1920, "y": 120, "width": 1920, "height": 1080, "dpr": 1},
    {"name": "main", "x": 0, "y": 0, "width": 1280, "height": 800, "dpr": 1.5},
    {"name": "above", "x": 0, "y": -1200, "width": 960, "height": 1200, "dpr": 2},
]
ELSEWHERE = """
import asyncio, json, sys
import qasync
from dataclasses import dataclass
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication
from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.ui.look import Look
from app.ui.popup.quicks import Quicks
from app.ui.services import Services
from app.vocabulary import Frame, Source

@dataclass
class Taken:
    frame: Frame
    place: QRect

async def live():
    profile = Profile("r", "http://127.0.0.1:9/v1", "m")
    services = Services(Settings(endpoint="r", profiles=(profile,)), folders(), Keys())
    quicks = Quicks(services, Look(application, "light"))
    frame = Frame(sys.stdin.buffer.read(), "image/png", 64, 48, Source("screen", "Screen"))
    for place in json.loads(sys.argv[1]):
        quick = quicks.ask(Taken(frame, QRect(*place)))
        await asyncio.sleep(0.1)
        stands = quick.geometry().getRect()
        print(json.dumps([quick.screen().name(), stands]))
    await quicks.close()
    await services.close()

application = QApplication([])
application.setQuitOnLastWindowClosed(False)
with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
    runner.run(live())
"""


def test_it_opens_on_the_screen_of_the_mark_whatever_its_scale(
    qt: QApplication, tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    screens = tmp_path / "screens.json"
    plain = {"logicalDpi": 96, "logicalBaseDpi": 96}
    screens.write_text(json.dumps({"screens": [plain | screen for screen in SCREENS]}))
    marks = [
        [screen["x"] + dx, screen["y"] + dy, 60, 40]  # type: ignore[operator]
        for screen in SCREENS
        for dx, dy in ((0, 0), (screen["width"] - 60, screen["height"] - 40), (300, 300))  # type: ignore[operator]
    ]
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(marks)],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={screens}"},
        input=picture(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    stood = [json.loads(line) for line in ran.stdout.splitlines()]
    wanted = [screen for screen in SCREENS for _ in range(3)]
    for (name, place), screen in zip(stood, wanted, strict=True):
        assert name == screen["name"]
        room = QRect(screen["x"], screen["y"], screen["width"], screen["height"])  # type: ignore[arg-type]
        assert room.contains(QRect(*place))
