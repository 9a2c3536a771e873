"""The recorder's figures, rows of `sightline bench capture`: an X server of the bench's own on
which another process paints, and the real recorder. Processor time is that of its process alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import psutil

from app.bench.painter import read_number
from app.bench.table import Row
from app.bench.xserver import desktop
from app.capture.record.facts import Area
from app.capture.record.film import decoded, opened
from app.capture.record.recorder import Recorder
from app.settings import Recording
from app.vocabulary import Region

RUNS = 3
SECONDS = 10.0  # of a recording that is measured
_SETTLED = 1.5  # s from the start, with its first picture, to the measured part
FULL_HD, FOUR_K = Region(0, 0, 1920, 1080), Region(0, 0, 3840, 2160)
Scene = Literal["typing", "scrolling"]


@dataclass(frozen=True, slots=True)
class Run:
    """Cores used, changes painted, and those of them that the file lacks."""

    cores: float
    painted: int
    missing: int


def measure(runs: int) -> Iterator[Row]:
    """Raises UsageFault where there is no X server to start."""
    runs = min(runs, RUNS)
    still = _runs(FULL_HD, "typing", runs)
    cores = tuple(run.cores for run in still)
    yield Row("recording 1080p30 mostly still, cores used", "cores", cores, at_most=0.25, p95=True)
    yield Row("the same, changed frames dropped", "frames", _missing(still), at_most=0, p95=True)
    moving = _runs(FULL_HD, "scrolling", runs)
    cores = tuple(run.cores for run in moving)
    yield Row("recording 1080p30 moving, cores used", "cores", cores, at_most=0.8, p95=True)
    large = _runs(FOUR_K, "typing", runs)
    name = "recording 4K30 mostly still, changed frames dropped"
    yield Row(name, "frames", _missing(large), at_most=0, p95=True)
    cores = tuple(run.cores for run in large)
    yield Row("recording 4K30 mostly still, cores used", "cores", cores, at_most=0.8, p95=True)
    painted = tuple(float(run.painted) for run in large)
    yield Row("changes painted in each such recording", "frames", painted)


def _missing(runs: list[Run]) -> tuple[float, ...]:
    return tuple(float(run.missing) for run in runs)


def _runs(screen: Region, scene: Scene, runs: int) -> list[Run]:
    with desktop((screen,)) as desk, _painting(desk.environment, scene), _display(desk.name):
        return [asyncio.run(_recorded(screen)) for _ in range(runs)]


async def _recorded(screen: Region) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), lambda _: None)
        await recorder.start(Area("screen", screen), Recording(largest=100_000))
        await asyncio.sleep(_SETTLED)
        assert recorder.pid is not None
        process = psutil.Process(recorder.pid)
        before = process.cpu_times()
        await asyncio.sleep(SECONDS)
        after = process.cpu_times()
        recorded = await recorder.finish()
        seconds = after.user + after.system - before.user - before.system
        painted, missing = await asyncio.to_thread(_counted, recorded.path)
    return Run(seconds / SECONDS, painted, missing)


def _counted(path: Path) -> tuple[int, int]:
    """How many numbers there are from the first to the last of a file, and how many it lacks."""
    seen: set[int] = set()
    with opened(str(path)) as (container, stream):
        for _, frame in decoded(container, stream):
            plane = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            seen.add(read_number(rows))
    painted = max(seen) - min(seen) + 1
    return painted, painted - len(seen)


@contextmanager
def _painting(environment: dict[str, str], scene: Scene) -> Iterator[None]:
    given = [sys.executable, "-m", "app.bench.painter", scene]
    with subprocess.Popen(
        given, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as painter:
        assert painter.stdout is not None
        painter.stdout.readline()
        try:
            yield
        finally:
            painter.terminate()


@contextmanager
def _display(name: str) -> Iterator[None]:
    """The recorder takes the display from the environment."""
    before = {key: os.environ.pop(key, None) for key in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE")}
    before["DISPLAY"] = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = name
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
