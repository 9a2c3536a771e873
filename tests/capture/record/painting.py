"""Someone who paints on a display, and recordings of it read back."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
import pytest
from Xlib import X
from Xlib import display as xdisplay

from app.capture.record.facts import Area, Progress
from app.capture.record.recorder import Recorder
from app.vocabulary import Region

T = TypeVar("T")
WIDTH, HEIGHT = 400, 300


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, *options: str) -> Iterator[str]:
    """An empty X screen of 400 by 300, the display of this process meanwhile."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    shape = ["-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-noreset", *options]
    server = subprocess.Popen(
        ["Xvfb", *shape, "-displayfd", str(write)], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        name = f":{pipe.readline().strip()}"
    monkeypatch.setenv("DISPLAY", name)
    for other in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(other, raising=False)
    try:
        yield name
    finally:
        server.terminate()
        server.wait(5)


class Painter:
    """A client of the display: paints on the root, makes windows, moves the pointer."""

    def __init__(self, name: str) -> None:
        self._closed = False
        self.display = xdisplay.Display(name)
        self.screen = self.display.screen()
        self.root = self.screen.root
        self._gc = self.root.create_gc(subwindow_mode=X.IncludeInferiors)

    def fill(self, colour: int, x: int = 0, y: int = 0, w: int = WIDTH, h: int = HEIGHT) -> None:
        self._gc.change(foreground=colour)
        self.root.fill_rectangle(self._gc, x, y, w, h)
        self.display.sync()

    def window(self, colour: int, x: int, y: int, w: int, h: int) -> Any:
        made = self.root.create_window(
            *(x, y, w, h, 0, self.screen.root_depth),
            background_pixel=colour,
            override_redirect=True,
        )
        made.map()
        self.display.sync()
        return made

    def point(self, x: int, y: int) -> None:
        self.root.warp_pointer(x, y)
        self.display.sync()

    def close(self) -> None:
        """Also twice."""
        if not self._closed:
            self._closed = True
            self.display.close()


def whole() -> Area:
    return Area("screen", Region(0, 0, WIDTH, HEIGHT))


def run(work: Callable[[], Awaitable[T]], seconds: float = 30) -> T:
    """Runs it on a loop of its own, under a clock."""

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work()

    return asyncio.run(bounded())


class Told:
    """A recorder and all that it told."""

    def __init__(self, folder: Path, **how: Any) -> None:
        self.progress: list[Progress] = []
        self._news = asyncio.Event()
        self.recorder = Recorder(folder, self._hear, **how)

    def _hear(self, progress: Progress) -> None:
        self.progress.append(progress)
        self._news.set()

    async def until(self, state: str) -> Progress:
        while not (self.progress and self.progress[-1].state == state):
            await self._more()
        return self.progress[-1]

    async def until_seconds(self, seconds: float) -> None:
        while not (self.progress and self.progress[-1].seconds >= seconds):
            await self._more()

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()


def pictures(path: Path) -> list[tuple[float, Any]]:
    """Every picture of a file: its time and its pixels, RGB."""
    with av.open(str(path)) as container:
        return [
            (float(frame.time), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def near(pixel: Any, colour: int, by: int = 12) -> bool:
    """Whether a pixel has a colour, as far as video keeps colours."""
    wanted = np.array([colour >> 16 & 255, colour >> 8 & 255, colour & 255], np.int16)
    return bool((np.abs(np.asarray(pixel, np.int16) - wanted) <= by).all())
