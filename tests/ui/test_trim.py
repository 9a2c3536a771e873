"""The window after a recording, over real files and the real process that reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
import qasync
from PIL import Image, ImageDraw
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.capture.record.facts import Recorded
from app.ui.film.cut import LARGEST, cost, cost_whole
from app.ui.film.trim import Film, Trim
from app.ui.look import Look
from app.ui.places import Place
from app.ui.tasks import Tasks
from app.vocabulary import Error, Frame, Source

HERE = Place("local", "this machine", True, True, "ready", takes_video=True)
THERE = Place("Z", "api.example.com", False, True, "ready")
SECONDS = 6
Work = Callable[[Trim, "Heard"], Awaitable[None]]
Run = Callable[..., None]


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds in which each second shows another picture."""
    path = tmp_path_factory.mktemp("film") / "recording.mkv"
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.time_base = Fraction(1, 1000)
        for number in range(10 * SECONDS):
            picture = Image.new("RGB", (320, 180), "white")
            left = 50 * (number // 10)
            ImageDraw.Draw(picture).rectangle((left, 20, left + 48, 160), fill="black")
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number * 100, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class Heard:
    def __init__(self, trim: Trim) -> None:
        self.films: list[Film] = []
        self.discards = 0
        self.saved: list[Path] = []
        trim.asked.connect(self.films.append)
        trim.saved.connect(self.saved.append)
        trim.discarded.connect(self._discard)

    def _discard(self) -> None:
        self.discards += 1

    async def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)


@pytest.fixture
def run(qt: QApplication, look: Look, filmed: Path) -> Iterator[Run]:
    errors: list[Error] = []

    def go(test: Work, place: Place = THERE, path: Path = filmed, largest: int = LARGEST) -> None:
        async def within() -> None:
            tasks = Tasks(errors.append)
            recorded = Recorded(path, float(SECONDS), 9000, 320, 180, "asked")
            trim = Trim(look, recorded, tasks, place, largest=largest)
            trim.show()
            trim.activateWindow()
            try:
                await test(trim, Heard(trim))
            finally:
                trim.hide()
                await tasks.end()
                trim.deleteLater()

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(within())

    yield go
    assert errors == []


def test_the_frames_are_shown_with_their_number_and_time(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        texts = [trim.picks.item(at).text() for at in range(trim.picks.count())]
        assert len(texts) >= SECONDS  # a frame a scene at least
        assert texts[0] == "1 · 0:00.0"
        assert trim.count.text() == f"{len(texts)} frames will be sent"
        assert "tokens (estimate)" in trim.cost.text()

    run(test)


def test_only_frames_of_what_is_kept_are_sent(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        trim.strip.first.setValue(2500)
        trim.strip.last.setValue(4400)
        trim.prompt.write("What moves?")
        QTest.keyClick(trim.prompt, Qt.Key.Key_Return)  # before the new frames are there
        await heard.until(lambda: heard.films)
        (film,) = heard.films
        assert (film.start, film.end, film.question) == (2.5, 4.4, "What moves?")
        assert film.frames
        assert all(2.4 <= (frame.source.time or 0) <= 4.4 for frame in film.frames)
        assert {frame.source.name for frame in film.frames} == {film.name}

    run(test)


def test_no_more_frames_than_wished_are_sent(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        trim.most.setCurrentIndex(0)
        await heard.until(lambda: trim.picks.count() == 4)
        trim.ask.click()
        await heard.until(lambda: heard.films)
        assert len(heard.films[0].frames) == 4

    run(test)


def test_enter_in_the_middle_of_a_composition_sends_nothing(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        event = QInputMethodEvent("ni", [])
        QApplication.sendEvent(trim.prompt, event)
        QTest.keyClick(trim.prompt, Qt.Key.Key_Return)
        await asyncio.sleep(0.2)
        assert heard.films == []

    run(test)


def test_ask_says_where_it_goes_also_when_that_changes(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        assert trim.ask.text() == "Ask · api.example.com"
        assert not trim.whole.isVisible()
        trim.show_place(HERE)
        assert trim.ask.text() == "Ask · this machine"
        assert trim.whole.isVisible()

    run(test)


def test_a_model_that_only_reads_is_told_of(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        assert "sees no pictures" in trim.cost.text()

    run(test, replace(THERE, sees_pictures=False))


def test_the_whole_video_is_cut_to_what_is_kept(run: Run, tmp_path: Path) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        trim.whole.setChecked(True)
        assert trim.count.text() == "The whole video will be sent"
        trim.strip.last.setValue(3000)
        trim.ask.click()
        await heard.until(lambda: heard.films)
        (clip,) = heard.films[0].clips
        (tmp_path / "out.mp4").write_bytes(clip.data)
        with av.open(str(tmp_path / "out.mp4")) as video:
            assert float(video.duration or 0) / 1e6 == pytest.approx(3.0, abs=0.3)
        assert clip.name == heard.films[0].name
        assert heard.films[0].frames  # for a server that takes none

    run(test, replace(THERE, takes_video=True))


def test_a_video_that_is_too_large_to_go_is_said_and_nothing_is_lost(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        trim.whole.setChecked(True)
        trim.ask.click()
        await heard.until(lambda: "sent whole" in trim.says.text())
        assert heard.films == []
        trim.whole.setChecked(False)
        trim.ask.click()
        await heard.until(lambda: heard.films)

    run(test, replace(THERE, takes_video=True), largest=100)


def test_it_is_saved_as_a_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "kept.mp4"

    async def test(trim: Trim, heard: Heard) -> None:
        trim.strip.first.setValue(1000)
        trim.save_to(out)
        await heard.until(lambda: heard.saved)
        assert trim.says.text() == "Saved as kept.mp4."

    run(test)
    with av.open(str(out)) as video:
        assert float(video.duration or 0) / 1e6 == pytest.approx(SECONDS - 1, abs=0.3)


def test_a_place_that_can_not_be_written_to_is_said(run: Run, tmp_path: Path) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        trim.save_to(tmp_path / "nowhere" / "kept.mp4")
        await heard.until(lambda: trim.says.property("tone") == "danger")
        assert heard.saved == []

    run(test)


def test_a_damaged_recording_is_said_in_a_sentence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.mkv"
    path.write_bytes(b"no video at all")

    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(lambda: "broken.mkv" in trim.says.text())
        trim.ask.click()
        await asyncio.sleep(0.3)
        assert heard.films == []

    run(test, path=path)


def test_escape_discards_and_tells_it_once(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        QTest.keyClick(trim, Qt.Key.Key_Escape)
        await heard.until(lambda: heard.discards)
        assert not trim.isVisible()
        assert heard.discards == 1

    run(test)


def test_the_frame_under_a_handle_is_shown(run: Run) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        await heard.until(trim.picks.count)
        trim.strip.last.setValue(3500)
        await heard.until(lambda: trim.projection.seconds == 3.5)
        trim.picks.setCurrentRow(1)
        second = trim.picks.item(1).data(Qt.ItemDataRole.UserRole)
        await heard.until(lambda: trim.projection.seconds == second)

    run(test)


def test_everything_in_the_window_has_a_name(
    run: Run, unnamed: Callable[[QWidget], list[str]]
) -> None:
    async def test(trim: Trim, heard: Heard) -> None:
        assert unnamed(trim) == []

    run(test)


def test_two_frames_of_a_video_count_as_one_picture_where_they_are_read_so() -> None:
    frames = (Frame(b"", "image/jpeg", 560, 280, Source("video", "a")),) * 4
    assert (cost(frames, paired=False), cost(frames, paired=True)) == (800, 400)


def test_a_whole_video_has_an_upper_limit() -> None:
    recorded = Recorded(Path("a"), 9000.0, 1, 1280, 720, "asked")
    assert cost_whole(recorded, 2.0) == 2 * 46 * 26
    assert cost_whole(recorded, 9000.0) == 30_000
