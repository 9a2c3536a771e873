"""A display of its own with a window manager, and the window on it as a process of its own."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NEEDED = ("Xvfb", "openbox", "xdotool")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual screen of 1280 by 800 with openbox, on a number that was free."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    read, write = os.pipe()
    screen = ["-screen", "0", "1280x800x24", "-nolisten", "tcp", "-displayfd", str(write)]
    server = subprocess.Popen(["Xvfb", *screen], pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    if not number:
        server.wait(5)
        pytest.skip("Xvfb found no free display")
    name = f":{number}"
    manager = subprocess.Popen(
        ["openbox"], env=os.environ | {"DISPLAY": name}, stderr=subprocess.DEVNULL
    )
    yield name
    for process in (manager, server):
        process.terminate()
        process.wait(5)


class Stage:
    """The window in its own process; it tells facts as JSON lines."""

    def __init__(self, display: str, home: Path, **extra: str) -> None:
        self.display = display
        environment = os.environ | {
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "SIGHTLINE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            **extra,
        }
        environment.pop("WAYLAND_DISPLAY", None)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("stage.py"))],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._facts: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._facts.put(json.loads(line))

    def fact(self, kind: str, seconds: float = 20) -> dict[str, Any]:
        """The next fact of that kind; others are passed over."""
        until = time.monotonic() + seconds
        while True:
            found = self._facts.get(timeout=max(0.01, until - time.monotonic()))
            if found["kind"] == kind:
                return found

    def do(self, *words: str | int) -> str:
        """Runs xdotool with these words."""
        done = subprocess.run(
            ["xdotool", *map(str, words)],
            env=os.environ | {"DISPLAY": self.display},
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
        return done.stdout

    def end(self) -> int:
        """Waits for the program to end by itself; its exit status."""
        status = self._process.wait(20)
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self.end()


@pytest.fixture
def stage(display: str, home: Path) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def build(**extra: str) -> Stage:
        stages.append(Stage(display, home, **extra))
        return stages[-1]

    yield build
    for built in stages:
        built.close()
