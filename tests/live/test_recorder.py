"""The recorder as people see it: real windows, real keys, a real film, a server that says what it
was shown."""

from __future__ import annotations

import base64
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import mss
import pytest
from chat import ChatServer, wait_until
from PIL import Image

ROOT = Path(__file__).parents[2]
RED = (217, 45, 32)
BOX = (120, 90, 560, 360)  # of what is recorded, without its title bar


class Filming:
    """The recorder in its own process; it tells facts as JSON lines."""

    def __init__(self, display: str, home: Path, chat: ChatServer, **extra: str) -> None:
        self.display = display
        environment = os.environ | {
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "SIGHTLINE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "SERVER": chat.url,
            **extra,
        }
        environment.pop("WAYLAND_DISPLAY", None)
        script = str(Path(__file__).with_name("filming.py"))
        self.process = subprocess.Popen(
            [sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True
        )
        self._facts: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.folder = home / "data" / "recordings"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self._facts.put(json.loads(line))

    def fact(self, kind: str, seconds: float = 30, **wanted: Any) -> dict[str, Any]:
        """The next fact of that kind that says so; others are passed over."""
        until = time.monotonic() + seconds
        while True:
            found = self._facts.get(timeout=max(0.01, until - time.monotonic()))
            if found["kind"] == kind and wanted.items() <= found.items():
                return found

    def do(self, *words: str | int) -> None:
        environment = os.environ | {"DISPLAY": self.display}
        subprocess.run(
            ["xdotool", *map(str, words)], env=environment, check=True, capture_output=True
        )

    def click(self, at: list[int]) -> None:
        self.do("mousemove", at[0], at[1], "click", 1)

    def begin(self) -> dict[str, Any]:
        """Starts a recording; where its bar and border stand."""
        self.process.send_signal(signal.SIGUSR1)
        border = self.fact("shown", window="Border")
        bar = self.fact("shown", window="Bar")
        return {"border": border["place"], **bar}

    def type(self, text: str) -> None:
        """Into what is recorded, a letter at a time."""
        self.do("mousemove", 300, 200, "click", 1)
        self.do("type", "--delay", "60", text)

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.mkv")) if self.folder.exists() else []

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def paper(display: str) -> Iterator[None]:
    """Something to record: an editor, which is another program's."""
    environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    script = [sys.executable, str(Path(__file__).with_name("paper.py")), *map(str, BOX)]
    process = subprocess.Popen(script, env=environment)
    found = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^Paper$"]
    subprocess.run(found, env=environment, check=True, capture_output=True, timeout=20)
    time.sleep(0.3)  # until the window manager has put it where it stays
    yield
    process.terminate()
    process.wait(10)


@pytest.fixture
def filming(
    display: str, home: Path, chat: ChatServer, paper: None
) -> Iterator[Callable[..., Filming]]:
    chat.pieces = [{"content": "Somebody writes."}]
    stages: list[Filming] = []

    def start(**extra: str) -> Filming:
        stages.append(Filming(display, home, chat, **extra))
        stages[-1].fact("ready")
        return stages[-1]

    yield start
    for stage in stages:
        stage.end()


def shown(display: str) -> Image.Image:
    with mss.MSS(display=display) as screen:
        grabbed = screen.grab(screen.monitors[0])
        return Image.frombytes("RGB", grabbed.size, grabbed.rgb)


def pictures(asked: Any) -> list[Image.Image]:
    """What the server got to see with the last question."""
    urls = [
        part["image_url"]["url"]
        for part in asked["messages"][-1]["content"]
        if part["type"] == "image_url"
    ]
    return [
        Image.open(BytesIO(base64.b64decode(url.split(",", 1)[1]))).convert("RGB") for url in urls
    ]


def ink(picture: Image.Image) -> int:
    """How much is written: dark pixels."""
    return sum(count for shade, count in enumerate(picture.convert("L").histogram()) if shade < 110)


def reds(picture: Image.Image) -> int:
    data = picture.tobytes()
    pixels = zip(data[::3], data[1::3], data[2::3], strict=True)
    return sum(all(abs(a - b) < 40 for a, b in zip(pixel, RED, strict=True)) for pixel in pixels)


def ours(picture: Image.Image) -> int:
    """How much is seen of our own window."""
    data = picture.tobytes()
    pixels = zip(data[::3], data[1::3], data[2::3], strict=True)
    return sum(red > 200 and green < 80 and blue > 200 for red, green, blue in pixels)


def asked_about(
    stage: Filming, chat: ChatServer, trim: dict[str, Any] | None = None
) -> list[Image.Image]:
    """Asks about what was recorded; what the server saw of it."""
    trim = trim or stage.fact("shown", window="Trim")
    time.sleep(1.5)  # until the frames are chosen
    stage.click(trim["parts"]["Question"])
    stage.do("key", "Return")
    stage.fact("answered")
    return pictures(chat.asked[-1])


def recorded(stage: Filming, seconds: float = 1.5) -> dict[str, Any]:
    """A recording of somebody writing, finished by its bar; its window."""
    bar = stage.begin()
    stage.fact("state", state="recording")
    stage.type("the quick brown fox")
    time.sleep(seconds)
    stage.click(bar["parts"]["Finish"])
    return stage.fact("shown", window="Trim")


def test_a_recording_is_paused_finished_trimmed_and_asked_about(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming()
    bar = stage.begin()
    stage.fact("state", state="recording")
    stage.type("one two")
    before = shown(stage.display)
    x, y, width, height = bar["border"]
    assert before.getpixel((x + 2, y + height // 2)) == RED
    assert before.getpixel((x + width - 3, y + height // 2)) == RED
    stage.click(bar["parts"]["Pause"])
    stage.fact("state", state="paused")
    time.sleep(1.5)  # which is in no film
    stage.click(bar["parts"]["Pause"])
    stage.fact("state", state="recording")
    stage.type("three four five six")
    stage.click(bar["parts"]["Finish"])
    stage.fact("hidden", window="Border")
    trim = stage.fact("shown", window="Trim")
    time.sleep(1.5)  # until the frames are chosen
    stage.do("key", "shift+Tab")  # from the question back
    first = trim["parts"]["Start"]
    stage.do("mousemove", first[0], first[1], "mousedown", 1)
    stage.do("mousemove", first[0] + 60, first[1], "mousemove", first[0] + 120, first[1])
    stage.do("mouseup", 1, "key", "Right")
    stage.click(trim["parts"]["Question"])
    stage.do("type", "What happens?")
    stage.do("key", "Return")
    film = stage.fact("taken")
    assert film["question"] == "What happens?"
    start, end = film["part"]
    assert start > 0.2
    assert all(start - 0.2 <= at <= end + 0.2 for at in film["times"])
    assert stage.fact("answered")["answer"] == "Somebody writes."
    seen = pictures(chat.asked[-1])
    assert len(seen) == len(film["times"]) >= 2
    assert {picture.size for picture in seen} == {BOX[2:]}
    assert ink(seen[-1]) > ink(seen[0])  # more is written at the end
    assert all(reds(picture) == 0 for picture in seen)  # the border is in none of them
    assert wait_until(lambda: not stage.files())


def test_what_was_cancelled_can_be_had_back_and_then_goes(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming()
    bar = stage.begin()
    stage.fact("state", state="recording")
    stage.type("never mind")
    stage.click(bar["parts"]["Cancel the recording"])
    notice = stage.fact("shown", window="Notice")
    assert len(stage.files()) == 1
    stage.click(notice["parts"]["Undo"])
    stage.fact("shown", window="Trim")
    stage.do("key", "Escape")
    stage.fact("hidden", window="Trim")
    notice = stage.fact("shown", window="Notice")
    assert len(stage.files()) == 1
    stage.click(notice["parts"]["Dismiss"])
    assert wait_until(lambda: not stage.files())
    assert chat.asked == []


def test_the_whole_video_goes_to_a_server_that_takes_it(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming(TAKES_VIDEO="1")
    trim = recorded(stage)
    time.sleep(1.5)
    stage.click(trim["parts"]["Send the whole video"])
    stage.click(trim["parts"][f"Ask {chat.url.split('/')[2].split(':')[0]}"])
    film = stage.fact("taken")
    stage.fact("answered")
    (part,) = chat.asked[-1]["messages"][-1]["content"]  # type: ignore[index]
    kind, data = part["video_url"]["url"].split(",", 1)
    assert kind == "data:video/mp4;base64"
    with av.open(BytesIO(base64.b64decode(data))) as video:
        seconds = float(video.duration or 0) / 1_000_000
        assert (video.streams.video[0].width, video.streams.video[0].height) == BOX[2:]
    assert seconds == pytest.approx(film["part"][1] - film["part"][0], abs=0.5)


def test_the_countdown_is_seen_and_not_filmed(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming(DELAY="2")
    bar = stage.begin()
    time.sleep(0.5)
    x, y, width, height = bar["border"]
    middle = (x + width // 2 - 30, y + height // 2 + 20)
    assert sum(shown(stage.display).getpixel(middle)) < 150  # type: ignore[arg-type]
    stage.fact("state", state="recording")
    stage.type("abc")
    stage.click(bar["parts"]["Finish"])
    trim = stage.fact("shown", window="Trim")
    time.sleep(1.5)
    stage.click(trim["parts"]["Question"])
    stage.do("key", "Return")
    stage.fact("answered")
    first = pictures(chat.asked[-1])[0]
    middle = (first.width // 2 - 30, first.height // 2 + 20)
    assert sum(first.getpixel(middle)) > 600  # type: ignore[arg-type]


def test_the_bar_on_a_whole_screen_is_not_in_the_film(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming(WHOLE_SCREEN="1")
    before = shown(stage.display)
    bar = stage.begin()
    stage.fact("state", state="recording")
    time.sleep(1)
    left, top, width, height = bar["place"]
    box = (left, top, left + width, top + height)
    assert shown(stage.display).crop(box) != before.crop(box)
    stage.click(bar["parts"]["Finish"])
    trim = stage.fact("shown", window="Trim")
    time.sleep(1.5)
    stage.click(trim["parts"]["Question"])
    stage.do("key", "Return")
    stage.fact("answered")
    for picture in pictures(chat.asked[-1]):
        assert ink(picture.crop(box)) >= 0.98 * width * height  # black, where the bar stood


def test_a_recording_that_a_crash_left_is_offered_and_can_be_asked_about(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming()
    stage.begin()
    stage.fact("state", state="recording")
    stage.type("before the end")
    time.sleep(1)
    stage.process.kill()
    stage.process.wait(10)
    assert wait_until(lambda: len(stage.files()) == 1)
    again = filming()
    notice = again.fact("shown", window="Notice")
    again.click(notice["parts"]["Open"])
    trim = again.fact("shown", window="Trim")
    time.sleep(1.5)
    again.click(trim["parts"]["Question"])
    again.do("key", "Return")
    again.fact("answered")
    assert ink(pictures(chat.asked[-1])[-1]) > 150


def test_a_recording_ends_by_itself_at_its_limit(filming: Callable[..., Filming]) -> None:
    stage = filming(LONGEST="2")
    stage.begin()
    stage.fact("state", state="recording")
    stage.type("on and on")
    stage.fact("shown", window="Trim", seconds=15)
    assert len(stage.files()) == 1


def test_a_window_of_ours_steps_aside_and_comes_back(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming()
    stage.process.send_signal(signal.SIGUSR2)
    stage.fact("shown", window="Ours")
    bar = stage.begin()
    stage.fact("state", state="recording")
    stage.type("below it")
    stage.click(bar["parts"]["Finish"])
    stage.fact("shown", window="Ours")
    assert all(ours(picture) == 0 for picture in asked_about(stage, chat))


def test_a_window_of_ours_that_comes_meanwhile_is_black(
    filming: Callable[..., Filming], chat: ChatServer
) -> None:
    stage = filming()
    bar = stage.begin()
    stage.fact("state", state="recording")
    stage.type("first")
    stage.process.send_signal(signal.SIGUSR2)
    stage.fact("shown", window="Ours")
    time.sleep(1.5)
    stage.click(bar["parts"]["Finish"])
    trim = stage.fact("shown", window="Trim")
    with av.open(str(stage.files()[0])) as film:
        frames = [frame.to_image() for frame in film.decode(video=0)]
    assert max(map(ours, frames)) == 0  # in no single one
    seen = asked_about(stage, chat, trim)
    x, y, _, _ = BOX
    assert seen[-1].getpixel((400 - x, 275 - y)) == pytest.approx((0, 0, 0), abs=12)


def test_the_bar_is_worked_from_the_keyboard(filming: Callable[..., Filming]) -> None:
    stage = filming()
    stage.begin()
    stage.fact("state", state="recording")
    stage.type("by keys alone")
    stage.do("key", "alt+Tab")
    time.sleep(0.5)
    stage.do("key", "space")
    stage.fact("state", state="paused")
    stage.do("key", "Return")
    stage.fact("shown", window="Trim")


def test_the_border_goes_with_the_window_that_is_recorded(filming: Callable[..., Filming]) -> None:
    stage = filming(WINDOW="1")
    bar = stage.begin()
    stage.fact("state", state="recording")
    x, y, width, height = bar["border"]
    stage.do("search", "--name", "^Paper$", "windowmove", 400, 250)
    moved = stage.fact("moved", window="Border")["place"]
    assert moved[2:] == [width, height]
    assert (moved[0], moved[1]) != (x, y)
    time.sleep(0.5)
    after = shown(stage.display)
    assert after.getpixel((moved[0] + 2, moved[1] + height // 2)) == RED
    stage.process.send_signal(signal.SIGUSR1)  # as the hotkey does
    stage.fact("shown", window="Trim")


def test_what_was_discarded_a_moment_before_the_end_is_offered_again(
    filming: Callable[..., Filming],
) -> None:
    stage = filming()
    recorded(stage)
    stage.do("key", "Escape")
    stage.fact("shown", window="Notice")
    stage.end()
    again = filming()
    again.fact("shown", window="Notice")
    assert len(again.files()) == 1


def test_closing_the_program_keeps_what_is_being_recorded(
    filming: Callable[..., Filming],
) -> None:
    stage = filming()
    stage.begin()
    stage.fact("state", state="recording")
    stage.type("still here")
    time.sleep(1)
    stage.end()
    (path,) = stage.files()
    with av.open(str(path)) as film:
        assert film.streams.video[0].width == BOX[2]
