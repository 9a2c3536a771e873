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


SETTINGS: dict[str, Any] = {
    # a server that is never asked: the engine of this machine is not started for its sake
    "endpoint": "Nobody",
    "profiles": [{"name": "Nobody", "base_url": "http://127.0.0.1:9/v1", "model": "none"}],
    "theme": "light",
    "close_to_tray": False,
    "sign": "none",
    "hinted": True,
}


class Stage:
    """The program in its own process; it tells facts as JSON lines. `settings` amend SETTINGS,
    `extra` the environment."""

    def __init__(
        self,
        display: str,
        home: Path,
        *arguments: str,
        settings: dict[str, Any] | None = None,
        **extra: str,
    ) -> None:
        self.display = display
        (home / "config").mkdir(parents=True, exist_ok=True)
        (home / "config" / "settings.json").write_text(json.dumps(SETTINGS | (settings or {})))
        environment = os.environ | {
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "SIGHTLINE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            **extra,
        }
        environment.pop("WAYLAND_DISPLAY", None)
        self.environment = environment
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("stage.py")), *arguments],
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

    def facts(self, *kinds: str, seconds: float = 20) -> dict[str, dict[str, Any]]:
        """One of each kind, in whatever order they come."""
        until = time.monotonic() + seconds
        found: dict[str, dict[str, Any]] = {}
        while set(kinds) - set(found):
            fact = self._facts.get(timeout=max(0.01, until - time.monotonic()))
            found.setdefault(fact["kind"], fact)
        return found

    def window(self, name: str, seconds: float = 20) -> dict[str, Any]:
        """Waits until the window of that class has the keys."""
        while (found := self.fact("active", seconds))["window"] != name:
            pass
        return found

    def start_again(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A second start of the program, with the same home."""
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

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
def panel(display: str) -> Iterator[None]:
    """A tray at the foot of the screen, until the test ends."""
    if shutil.which("trayer") is None:
        pytest.skip("not installed: trayer")
    place = ("--edge", "bottom", "--align", "right", "--widthtype", "pixel", "--width", "120")
    tray = subprocess.Popen(
        ["trayer", *place, "--height", "28", "--expand", "false"],
        env=os.environ | {"DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(1)
    yield
    tray.terminate()
    tray.wait(5)


@pytest.fixture
def stage(display: str, home: Path) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def build(*arguments: str, **given: Any) -> Stage:
        stages.append(Stage(display, home, *arguments, **given))
        return stages[-1]

    yield build
    for built in stages:
        built.close()
