"""The frozen selection: marks by mouse and keys, secrets offered, and what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget

from app.capture.secrets import Secret
from app.docs.reader import DocumentWorker
from app.ui.look import Look
from app.ui.places import HERE
from app.ui.screen.keeping import Keeper
from app.ui.screen.marks import Arrow, Box, Label, Number, Pen, Pixelate, Redact
from app.ui.screen.pin import Pins
from app.ui.screen.studio import Aids, Studio
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.vocabulary import Error, Region

Scene = Callable[["Stage"], Awaitable[None]]
Perform = Callable[..., None]
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
REGION = Region(40, 40, 600, 300)


class Ground(QWidget):
    """What is under the studio: it hears what the studio leaves to it."""

    def __init__(self) -> None:
        super().__init__()
        self.presses: list[QPoint] = []
        self.keys: list[int] = []
        self.resize(800, 600)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.presses.append(event.position().toPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keys.append(event.key())


@dataclass
class Stage:
    ground: Ground
    studio: Studio
    pins: Pins
    heard: list[str]
    faults: list[Error]
    app: QApplication

    def press(self, *keys: str | Qt.Key, by: Qt.KeyboardModifier | None = None) -> None:
        for key in keys:
            QTest.keyClick(self.ground, key, by or Qt.KeyboardModifier.NoModifier)

    def draw(self, key: str, *points: tuple[int, int]) -> None:
        self.press(key)
        QTest.mousePress(self.studio, LEFT, pos=QPoint(*points[0]))
        for point in points[1:]:
            QTest.mouseMove(self.studio, QPoint(*point))
        QTest.mouseRelease(self.studio, LEFT, pos=QPoint(*points[-1]))
        self.press("0" if self.studio.hand.tool != "move" else "")

    def click(self, x: int, y: int, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseClick(self.studio, button, pos=QPoint(x, y))

    @property
    def marks(self) -> list[type]:
        return [type(mark) for mark in self.studio.hand.sheet.marks]

    async def until(self, true: Callable[[], object], seconds: float = 40) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)


def page(*lines: str, width: int = 800, height: int = 600) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setPen(QColor("#1D1C1A"))
    font = QApplication.font()
    font.setPixelSize(20 * width // 800)
    painter.setFont(font)
    for at, text in enumerate(lines):
        painter.drawText(60 * width // 800, (90 + 50 * at) * width // 800, text)
    painter.end()
    return image


@pytest.fixture
def perform(qt: QApplication, look: Look, tmp_path: Path) -> Perform:
    async def run(scene: Scene, still: QImage, deed: Any, where: str) -> None:
        faults: list[Error] = []
        tasks, worker = Tasks(faults.append), DocumentWorker()
        keeper = Keeper(tmp_path)
        pins = Pins(look, keeper, tasks)
        ground = Ground()
        aids = Aids(Texts(worker, tasks), tasks, pins, keeper, lambda: where)
        studio = Studio(ground, look, still, aids, deed=deed)
        studio.setGeometry(ground.rect())
        heard: list[str] = []
        for name in ("asked", "attached", "copied", "saved", "pinned", "cancelled"):
            getattr(studio, name).connect(lambda *_, name=name: heard.append(name))
        ground.show()
        ground.activateWindow()
        await asyncio.sleep(0.05)
        studio.show_region(REGION)
        try:
            await scene(Stage(ground, studio, pins, heard, faults, qt))
        finally:
            pins.close()
            ground.hide()
            await tasks.end()
            await worker.close()
            ground.deleteLater()
            keeper.deleteLater()
            await asyncio.sleep(0)

    def play(
        scene: Scene, still: QImage | None = None, *, deed: str = "ask", where: str = HERE
    ) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene, still or page(), deed, where))

    return play


def test_each_tool_is_a_key_and_a_drag(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.draw("1", (60, 60), (150, 120))
        stage.draw("a", (200, 60), (300, 120))
        stage.draw("3", (60, 200), (80, 220), (120, 200))
        stage.draw("n", (400, 100), (400, 100))
        stage.draw("6", (60, 250), (200, 270))
        stage.draw("x", (300, 250), (400, 300))
        assert stage.marks == [Box, Arrow, Pen, Number, Redact, Pixelate]

    perform(scene)


def test_a_text_is_written_where_it_was_clicked(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.press("4")
        stage.click(100, 100)
        field = stage.app.focusWidget()
        assert field is not None
        QTest.keyClicks(field, "1 here")
        QTest.keyClick(field, Qt.Key.Key_Return, SHIFT)
        QTest.keyClicks(field, "b")
        assert stage.studio.hand.tool == "label"  # digits and letters were written, no tools
        QTest.keyClick(field, Qt.Key.Key_Return)
        (label,) = stage.studio.hand.sheet.marks
        assert isinstance(label, Label)
        assert label.text == "1 here\nb"
        assert Qt.Key.Key_Return not in stage.ground.keys  # it ended the text, not the selection
        stage.click(105, 105)
        field = stage.app.focusWidget()
        assert field is not None
        QTest.keyClicks(field, "anew")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert [m.text for m in stage.studio.hand.sheet.marks if isinstance(m, Label)] == ["anew"]

    perform(scene)


def test_a_text_that_is_being_written_is_in_the_picture(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        before = stage.studio.picture()
        stage.press("4")
        stage.click(100, 100)
        field = stage.app.focusWidget()
        assert field is not None
        QTest.keyClicks(field, "here")
        assert stage.studio.picture() != before

    perform(scene)


def test_undo_and_redo_by_keys(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.draw("1", (60, 60), (150, 120))
        stage.draw("2", (60, 60), (150, 120))
        stage.press("z", by=CONTROL)
        assert stage.marks == [Box]
        stage.press("z", by=CONTROL | SHIFT)
        assert stage.marks == [Box, Arrow]
        stage.press("z", by=CONTROL)
        stage.press("z", by=CONTROL)
        stage.press("z", by=CONTROL)
        assert stage.marks == []

    perform(scene)


def test_a_mark_is_moved_by_the_mouse_and_taken_away_by_delete(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.draw("6", (60, 60), (160, 100))
        QTest.mousePress(stage.studio, LEFT, pos=QPoint(100, 80))
        QTest.mouseMove(stage.studio, QPoint(150, 130))
        QTest.mouseRelease(stage.studio, LEFT, pos=QPoint(150, 130))
        assert stage.studio.hand.sheet.marks == (Redact(Region(110, 110, 100, 40)),)
        stage.press(Qt.Key.Key_Right)
        assert stage.studio.hand.sheet.marks == (Redact(Region(111, 110, 100, 40)),)
        stage.press(Qt.Key.Key_Delete)
        assert stage.marks == []
        assert stage.ground.presses == []
        assert stage.ground.keys == []

    perform(scene)


def test_without_a_tool_the_pane_has_the_mouse_and_the_keys(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.click(300, 200)
        stage.press(Qt.Key.Key_Left, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Space)
        assert stage.ground.presses == [QPoint(300, 200)]
        assert len(stage.ground.keys) == 4
        stage.press("1")
        stage.click(300, 200)
        assert len(stage.ground.presses) == 1

    perform(scene)


def test_escape_and_the_right_button_close_the_innermost_thing(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.press("4")
        stage.click(100, 100)
        field = stage.app.focusWidget()
        assert field is not None
        QTest.keyClicks(field, "no")
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert stage.marks == []
        assert stage.studio.hand.tool == "label"
        stage.press(Qt.Key.Key_Escape)
        assert stage.studio.hand.tool == "move"
        stage.press("1")
        stage.click(300, 200, RIGHT)
        assert stage.studio.hand.tool == "move"
        assert stage.ground.presses == []
        stage.press(Qt.Key.Key_Escape)
        assert stage.ground.keys == [Qt.Key.Key_Escape]

    perform(scene)


def test_while_nothing_is_marked_it_takes_no_key(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.studio.show_region(None)
        stage.press("1", Qt.Key.Key_Escape)
        assert stage.studio.hand.tool == "move"
        assert not stage.studio.bar.isVisible()
        assert stage.ground.keys == [Qt.Key.Key_1, Qt.Key.Key_Escape]

    perform(scene)


def test_a_picture_is_the_region_in_its_own_pixels_with_the_marks(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.studio.show_region(Region(80, 80, 1000, 600))
        stage.draw("6", (100, 100), (150, 120))  # logical: twice as many pixels
        made = stage.studio.picture()
        assert (made.width(), made.height()) == (1000, 600)
        assert made.pixelColor(200 - 80, 200 - 80) == QColor("black")
        assert made.pixelColor(299 - 80, 239 - 80) == QColor("black")
        assert made.pixelColor(301 - 80, 241 - 80) == QColor("white")
        assert not made.hasAlphaChannel()

    perform(scene, page(width=1600, height=1200))


def test_ask_and_attach_are_what_they_say(perform: Perform) -> None:
    async def asks(stage: Stage) -> None:
        assert stage.studio.bar.take.text() == "Ask · api.example.com"
        stage.studio.bar.take.click()
        assert stage.heard == ["asked"]

    async def attaches(stage: Stage) -> None:
        stage.studio.bar.take.click()
        assert stage.heard == ["attached"]

    perform(asks, where="api.example.com")
    perform(attaches, deed="attach")


def test_this_machine_is_named(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.studio.bar.take.text() == "Ask · this machine"

    perform(scene)


def test_the_picture_is_copied_as_it_is_shown(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.draw("6", (60, 60), (160, 100))
        made = stage.studio.picture()
        stage.press("c", by=CONTROL)
        assert QGuiApplication.clipboard().image() == made
        assert stage.heard == ["copied"]

    perform(scene)


def test_it_is_pinned_where_it_stood(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.press("p", by=CONTROL)
        (pin,) = stage.pins.pins
        assert stage.heard == ["pinned"]
        assert (pin.image.width(), pin.image.height()) == (600, 300)

    perform(scene)


async def dialog(stage: Stage) -> QFileDialog:
    def shown() -> list[QFileDialog]:
        widgets = QApplication.topLevelWidgets()
        return [w for w in widgets if isinstance(w, QFileDialog) and w.isVisible()]

    await stage.until(shown)
    return shown()[0]


def test_it_is_saved_as_png_and_the_folder_is_remembered(perform: Perform, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    async def scene(stage: Stage) -> None:
        made = stage.studio.picture()
        stage.press("s", by=CONTROL)
        asked = await dialog(stage)
        assert asked.directory().absolutePath() == str(tmp_path)
        asked.done(0)
        await asyncio.sleep(0.1)
        assert stage.heard == []  # the selection stands as it did
        stage.press("s", by=CONTROL)
        asked = await dialog(stage)
        asked.findChild(QLineEdit, "fileNameEdit").setText(str(folder / "mine"))
        asked.accept()
        await stage.until(lambda: stage.heard)
        assert stage.heard == ["saved"]
        assert QImage(str(folder / "mine.png")) == made

    perform(scene)


def test_where_no_window_manager_helps_the_question_stands_inside_and_keeps_what_is_there(
    perform: Perform, tmp_path: Path
) -> None:
    there = tmp_path / "1.png"
    there.write_bytes(b"mine")

    async def scene(stage: Stage) -> None:
        stage.ground.setWindowFlag(Qt.WindowType.BypassWindowManagerHint)
        stage.ground.show()
        stage.ground.activateWindow()
        stage.studio.show_region(REGION)
        stage.press("s", by=CONTROL)
        await stage.until(lambda: stage.ground.findChildren(QFileDialog))
        (asked,) = stage.ground.findChildren(QFileDialog)
        assert not asked.isWindow()
        field = stage.ground.focusWidget()
        assert isinstance(field, QLineEdit)
        QTest.keyClick(field, "1")  # over the name that was proposed, and no tool
        assert field.text() in ("1", "1.png")  # it may be completed
        assert stage.studio.hand.tool == "move"
        QTest.keyClick(field, Qt.Key.Key_Return)
        await stage.until(lambda: stage.heard)
        assert there.read_bytes() == b"mine"
        assert QImage(str(tmp_path / "1 (2).png")) == stage.studio.picture()
        stage.press("1")
        assert stage.studio.hand.tool == "box"  # the keys are the studio's again
        assert Qt.Key.Key_Return not in stage.ground.keys

    perform(scene)


def test_what_can_not_be_saved_is_said_and_nothing_is_lost(
    perform: Perform, tmp_path: Path
) -> None:
    async def scene(stage: Stage) -> None:
        stage.draw("1", (60, 60), (150, 120))
        stage.press("s", by=CONTROL)
        asked = await dialog(stage)
        gone = tmp_path / "gone"
        gone.mkdir()
        asked.findChild(QLineEdit, "fileNameEdit").setText(str(gone / "mine.png"))
        gone.rmdir()
        asked.accept()
        await stage.until(lambda: "save the picture" in stage.studio.bar.note)
        assert stage.heard == []
        assert stage.faults == []
        assert stage.marks == [Box]

    perform(scene)


# --- with the real reader -------------------------------------------------------------------

TEXT = ("Card 4539 1488 0343 6467 of Anna", "Write to anna.schmidt@example.com", "At ten o'clock")


@pytest.mark.slow
def test_secrets_are_offered_once_the_selection_has_settled_and_hidden_with_one_key(
    perform: Perform,
) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.studio.bar.note == ""
        await stage.until(lambda: stage.studio.bar.offers)
        assert stage.studio.bar.note == "2 secrets found"
        before = stage.studio.picture()
        stage.press("h", by=CONTROL)
        assert stage.studio.bar.note == "2 secrets hidden"
        assert stage.marks == [Redact, Redact]
        assert stage.studio.picture() != before
        stage.press("z", by=CONTROL)  # one step
        assert stage.marks == []
        stage.studio._quiet.timeout.emit()
        stage.studio._quiet.stop()
        stage.studio._show_offer()
        assert stage.studio.bar.offers

    perform(scene, page(*TEXT))


@pytest.mark.slow
def test_the_text_that_is_copied_is_that_of_what_is_shown(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.draw("6", (50, 60), (600, 105))  # all of the first line
        stage.press("t", by=CONTROL)
        await stage.until(lambda: stage.studio.bar.note == "Reading the text…")
        await stage.until(lambda: stage.studio.bar.note.startswith("Copied"))
        text = QGuiApplication.clipboard().text()
        assert "4539" not in text
        assert "anna.schmidt@example.com" in text
        assert stage.studio.bar.note == f"Copied {len(text)} characters"
        await stage.until(lambda: stage.heard == ["copied"])

    perform(scene, page(*TEXT))


@pytest.mark.slow
def test_where_there_is_no_text_that_is_said(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        stage.press("t", by=CONTROL)
        await stage.until(lambda: "no text" in stage.studio.bar.note)
        assert stage.heard == []

    perform(scene)


def test_secrets_outside_the_selection_or_hidden_already_are_not_offered(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        studio = stage.studio
        studio._reading.found.emit(
            (Secret("card", (Region(60, 60, 80, 20),)), Secret("key", (Region(700, 500, 20, 20),)))
        )
        assert studio.bar.note == "1 secret found"
        stage.draw("6", (50, 50), (200, 100))
        assert studio.bar.note == ""

    perform(scene)


def test_asking_does_not_wait_for_the_reader(perform: Perform) -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(0.5)  # the reading has begun
        stage.studio.bar.take.click()
        assert stage.heard == ["asked"]
        assert stage.studio.picture().width() == REGION.width

    perform(scene, page(*TEXT))


def test_every_control_has_a_name(perform: Perform, unnamed: Callable[..., list[str]]) -> None:
    async def scene(stage: Stage) -> None:
        stage.press("4")
        stage.click(100, 100)
        assert unnamed(stage.ground) == []

    perform(scene)
