"""`sightline bench start`: how long until the window is on the screen, and what it holds when idle.

The program is started as a user starts it and watched from outside, on an X server: the one that
`DISPLAY` names, else one of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psutil

from app.bench.table import Row
from app.vocabulary import UsageFault

RUNS = 7  # unless told otherwise
LEAST = 5  # starts, below which a median says little
PATIENCE = 30.0  # s until a window that does not come is given up
LOOK = 0.005  # s between two looks
IDLE = 3.0  # s after which the window has settled


@dataclass(frozen=True, slots=True)
class Started:
    """Seconds to the shown window; memory when idle in MB: resident, and the process's own."""

    seconds: float
    resident: float
    own: float


def measure(runs: int) -> Sequence[Row]:
    """Starts the program `runs` times (at least five), after one start that fills the caches."""
    with ExitStack() as opened:
        environment = opened.enter_context(x_display())
        home = opened.enter_context(tempfile.TemporaryDirectory(prefix="sightline-bench-"))
        environment |= {"SIGHTLINE_HOME": home}
        _start(environment, 0.0)
        started = [_start(environment, IDLE) for _ in range(max(runs, LEAST))]
    return [
        Row("start to a shown window", "s", tuple(s.seconds for s in started), at_most=0.8),
        Row("resident memory, idle", "MB", tuple(s.resident for s in started), at_most=160),
        Row("of that its own", "MB", tuple(s.own for s in started)),
    ]


def _start(environment: dict[str, str], idle: float) -> Started:
    """Starts the program, waits for its window, lets it idle, and ends it."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "app"], env=environment, stderr=subprocess.DEVNULL
    ) as child:
        try:
            while not shown(child.pid, environment):
                if child.poll() is not None or time.perf_counter() - began > PATIENCE:
                    raise UsageFault("failed", "The window did not come.")
                time.sleep(LOOK)
            seconds = time.perf_counter() - began
            time.sleep(idle)
            memory = psutil.Process(child.pid).memory_full_info()
        finally:
            child.terminate()
    return Started(seconds, memory.rss / 2**20, memory.uss / 2**20)


def shown(process: int, environment: dict[str, str]) -> bool:
    """Whether a window of this process is mapped."""
    asked = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--pid", str(process)],
        env=environment,
        capture_output=True,
        check=False,
    )
    return bool(asked.stdout.strip())


@contextmanager
def x_display() -> Iterator[dict[str, str]]:
    """The environment of a program that opens windows on an X server."""
    needed = ["xdotool"] if os.environ.get("DISPLAY") else ["xdotool", "Xvfb", "openbox"]
    missing = [name for name in needed if shutil.which(name) is None]
    if missing:
        raise UsageFault("bad_input", f"This benchmark needs {', '.join(missing)}.")
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    if os.environ.get("DISPLAY"):
        yield environment
        return
    with ExitStack() as opened:
        yield environment | {"DISPLAY": _own_server(opened)}


def _own_server(opened: ExitStack) -> str:
    """An X server with a window manager, until the stack is closed."""
    reading, writing = os.pipe()
    options = ["-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    server = opened.enter_context(
        subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), *options],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
    )
    opened.callback(server.terminate)
    os.close(writing)
    with os.fdopen(reading) as told:
        display = f":{told.readline().strip()}"
    manager = opened.enter_context(
        subprocess.Popen(
            ["openbox"], env=os.environ | {"DISPLAY": display}, stderr=subprocess.DEVNULL
        )
    )
    opened.callback(manager.terminate)
    return display
