"""The quick window on a real, if virtual, screen: real keys, a real pointer, a window manager."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat import ChatServer
from PySide6.QtCore import QSize

from app.ui.popup.stature import size_of

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]
BESIDE = (300, 200, 200, 150)


class Show:
    """The windows in a process of their own; it tells facts as JSON lines."""

    def __init__(self, display: str, home: Path, server: str, **extra: str) -> None:
        self.environment = os.environ | {
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "SIGHTLINE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "SERVER": server,
            **extra,
        }
        self.environment.pop("WAYLAND_DISPLAY", None)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("quick_stage.py"))],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._facts: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.fact("ready")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._facts.put(json.loads(line))

    def fact(self, kind: str, seconds: float = 20, **wanted: Any) -> dict[str, Any]:
        """The next fact of that kind and with these values; others are passed over."""
        until = time.monotonic() + seconds
        while True:
            found = self._facts.get(timeout=max(0.01, until - time.monotonic()))
            if found["kind"] == kind and wanted.items() <= found.items():
                return found

    def say(self, *words: object) -> None:
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)

    def ask(self, *place: int) -> dict[str, Any]:
        """Opens a quick window beside the place; where its parts stand, once it has the keys."""
        self.say(*place)
        placed = self.fact("placed")
        time.sleep(0.3)
        return placed

    def do(self, *words: object) -> str:
        """Runs xdotool with these words."""
        return self._run("xdotool", *words)

    def state(self, window: int) -> str:
        return self._run("xprop", "-id", window, "_NET_WM_STATE")

    def _run(self, *words: object) -> str:
        done = subprocess.run(
            list(map(str, words)),
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
        return done.stdout

    def click(self, part: list[int]) -> None:
        x, y, wide, high = part
        self.do("mousemove", x + wide // 2, y + high // 2, "click", 1)

    def drag(self, start: tuple[int, int], by: tuple[int, int]) -> None:
        self.do("mousemove", *start)
        time.sleep(0.1)
        self.do("mousedown", 1)
        for step in range(1, 9):
            self.do("mousemove", start[0] + by[0] * step // 8, start[1] + by[1] * step // 8)
            time.sleep(0.03)
        self.do("mouseup", 1)
        time.sleep(0.3)

    def end(self) -> dict[str, Any]:
        """Ends it as its tray would; its last fact."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        self._reader.join(5)
        self._process.stdout.close()
        return self.fact("over")

    def close(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self.end()


@pytest.fixture
def show(display: str, home: Path, chat: ChatServer) -> Iterator[Callable[..., Show]]:
    shows: list[Show] = []

    def build(**extra: str) -> Show:
        shows.append(Show(display, home, chat.url, **extra))
        return shows[-1]

    yield build
    for built in shows:
        built.close()


def test_it_has_the_keys_at_once_and_enter_asks(
    show: Callable[..., Show], chat: ChatServer
) -> None:
    chat.pieces = [{"content": "It says no."}]
    stage = show()
    stage.ask(*BESIDE)
    stage.do("type", "--delay", 20, "What?")
    stage.do("key", "Return")
    assert stage.fact("asked")["question"] == "What?"
    assert stage.fact("ended")["answer"] == "It says no."
    stage.do("type", "--delay", 20, "And why?")  # it still has the keys
    stage.do("key", "Return")
    assert stage.fact("asked")["question"] == "And why?"
    stage.fact("ended")
    assert len(chat.asked) == 2


def test_escape_stops_and_then_closes(show: Callable[..., Show], chat: ChatServer) -> None:
    chat.pieces, chat.hang = [{"content": "half"}], True
    stage = show()
    stage.ask(*BESIDE)
    stage.do("type", "--delay", 20, "What?")
    stage.do("key", "Return")
    stage.fact("grew")
    stage.do("key", "Escape")
    assert stage.fact("ended") == {"kind": "ended", "state": "cancelled", "answer": "half"}
    stage.do("key", "Escape")
    assert stage.fact("hidden")["window"] == "Quick"


def test_it_stands_above_everything_and_a_pinned_one_stays(show: Callable[..., Show]) -> None:
    stage = show()
    placed = stage.ask(*BESIDE)
    assert "_NET_WM_STATE_ABOVE" in stage.state(placed["id"])
    stage.click(placed["pin"])
    stage.do("key", "Escape")
    time.sleep(0.3)
    again = stage.ask(*BESIDE)
    assert again["id"] != placed["id"]
    assert "_NET_WM_STATE_ABOVE" in stage.state(placed["id"])  # still there, still above
    stage.do("key", "Escape")  # the second one, which has the keys
    assert stage.fact("hidden")["window"] == "Quick"


def test_a_streaming_answer_goes_on_in_the_window(
    show: Callable[..., Show], chat: ChatServer
) -> None:
    words = [f"{n} " for n in range(120)]
    chat.pieces, chat.pace = [{"content": word} for word in words], 0.02
    stage = show()
    placed = stage.ask(*BESIDE)
    stage.do("type", "--delay", 20, "Count")
    stage.do("key", "Return")
    for _ in range(5):
        stage.fact("grew")
    stage.click(placed["onward"])
    stage.fact("hidden", window="Quick")
    stage.fact("active", window="Window")
    assert stage.fact("window ended")["answer"] == "".join(words)
    assert len(chat.asked) == 1


@pytest.mark.parametrize("scale", ["1", "1.25", "2"])
def test_it_never_leaves_the_screen(
    show: Callable[..., Show], chat: ChatServer, scale: str
) -> None:
    chat.pieces = [{"content": "a line\n\n" * 40}]
    stage = show(QT_SCALE_FACTOR=scale)
    wide, high = round(1280 / float(scale)), round(800 / float(scale))
    corners = ((0, 0), (wide - 60, 0), (0, high - 60), (wide - 60, high - 60))
    for x, y in (*corners, (wide // 2, high // 2)):
        placed = stage.ask(x, y, 60, 60)
        assert within(placed["window"], placed["screen"])
        stage.do("type", "--delay", 20, "Go")
        stage.do("key", "Return")
        stage.fact("ended")
        time.sleep(0.4)
        stage.say("where")
        placed = stage.fact("placed")
        assert within(placed["window"], placed["screen"])
        stage.do("key", "Escape")
        stage.fact("hidden")


def test_it_is_moved_by_its_ground_and_resized_by_its_corner(
    show: Callable[..., Show], chat: ChatServer
) -> None:
    chat.pieces = [{"content": "a line\n\n" * 40}]
    stage = show()
    stage.ask(*BESIDE)
    stage.do("type", "--delay", 20, "Go")
    stage.do("key", "Return")
    stage.fact("ended")
    time.sleep(0.4)
    stage.say("where")
    x, y, wide, high = stage.fact("placed")["window"]
    stage.drag((x + wide // 2, y + 5 + 8), (-120, -60))
    stage.say("where")
    assert stage.fact("placed")["window"] == [x - 120, y - 60, wide, high]
    stage.drag((x - 120 + wide - 3, y - 60 + high - 14), (60, -80))
    stage.say("where")
    assert stage.fact("placed")["window"] == [x - 120, y - 60, wide + 60, high - 80]
    assert size_of(stage.end()["size"]) == QSize(wide + 60, high - 80)


def within(window: list[int], screen: list[int]) -> bool:
    x, y, wide, high = window
    left, top, width, height = screen
    return left <= x and top <= y and x + wide <= left + width and y + high <= top + height
