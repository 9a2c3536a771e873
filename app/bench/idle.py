"""What the program takes while nothing of it is shown but the tray: rows of `sightline bench
capture`. It is started as a user starts it, its window closed, and it is watched from outside."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
from Xlib import X
from Xlib.display import Display
from Xlib.protocol.event import ClientMessage

from app.bench.start import PATIENCE, shown, x_display
from app.bench.table import Row
from app.settings import Settings, save
from app.vocabulary import UsageFault

SETTLED = 5.0  # s after the window is gone, until which what it did may still be put away
LOOK = 10.0  # s of one look
LOOKS = 3


@dataclass(frozen=True, slots=True)
class Spent:
    """By a process and its children, all threads: seconds of a core, times one was woken up."""

    seconds: float
    wakes: int


def measure() -> Sequence[Row]:
    """Raises UsageFault where it can't be measured."""
    if not Path("/proc/self/task").is_dir():
        raise UsageFault("bad_input", "How often a program wakes up is only told by Linux.")
    with ExitStack() as opened:
        environment = opened.enter_context(x_display())
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sightline-bench-")))
        save(Settings(tray_missed=True), home / "config")
        child = opened.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "app"],
                env=environment | {"SIGHTLINE_HOME": str(home)},
                stderr=subprocess.DEVNULL,
            )
        )
        opened.callback(child.terminate)
        _close_window(child, environment)
        time.sleep(SETTLED)
        looks = [_look(child.pid) for _ in range(LOOKS)]
    return (
        Row("idle, window closed: a core", "%", tuple(look[0] for look in looks), at_most=0.5),
        Row("idle, window closed: wake-ups", "1/s", tuple(look[1] for look in looks), at_most=2),
    )


def _look(process: int) -> tuple[float, float]:
    """Percent of a core and wake-ups a second."""
    began, before = time.perf_counter(), _spent(process)
    time.sleep(LOOK)
    after, passed = _spent(process), time.perf_counter() - began
    return (
        (after.seconds - before.seconds) / passed * 100,
        (after.wakes - before.wakes) / passed,
    )


def _spent(process: int) -> Spent:
    parent = psutil.Process(process)
    members = [parent, *parent.children(recursive=True)]
    times = [member.cpu_times() for member in members]
    wakes = sum(_wakes(member.pid) for member in members)
    return Spent(sum(spent.user + spent.system for spent in times), wakes)


def _wakes(process: int) -> int:
    """Of every thread; a thread that ends takes its own along, so none may end meanwhile."""
    count = 0
    for status in Path(f"/proc/{process}/task").glob("*/status"):
        lines = status.read_text().splitlines()
        count += next(int(x.split()[1]) for x in lines if x.startswith("voluntary_ctxt"))
    return count


def _close_window(child: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
    """As the button in its title bar does."""
    _until(lambda: shown(child.pid, environment), child)
    time.sleep(1)
    search = ["search", "--onlyvisible", "--pid", str(child.pid), "--name", "Sightline"]
    found = subprocess.run(
        ["xdotool", *search], env=environment, capture_output=True, text=True, check=True
    )
    display = Display(environment["DISPLAY"])
    for number in found.stdout.split():
        window = display.create_resource_object("window", int(number))
        kind = display.intern_atom("_NET_CLOSE_WINDOW")
        said = ClientMessage(window=window, client_type=kind, data=(32, [0, 2, 0, 0, 0]))
        heard = X.SubstructureRedirectMask | X.SubstructureNotifyMask
        display.screen().root.send_event(said, event_mask=heard)
    display.close()
    _until(lambda: not shown(child.pid, environment), child)


def _until(true: Callable[[], bool], child: subprocess.Popen[bytes]) -> None:
    began = time.perf_counter()
    while not true():
        if child.poll() is not None or time.perf_counter() - began > PATIENCE:
            raise UsageFault("failed", "The window did not come, or did not go.")
        time.sleep(0.1)
