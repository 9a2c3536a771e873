"""The overlay's figures, rows of `sightline bench capture`: the program is started as a user starts
it, its window closed, its real key pressed, and what comes is watched on the X server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from Xlib import X
from Xlib.error import BadWindow
from Xlib.protocol.event import ClientMessage

from app.bench.table import Row
from app.bench.xserver import PATIENCE, Desktop, desktop
from app.settings import Hotkeys, Profile, Settings, save
from app.vocabulary import Region, UsageFault

RUNS = 20  # below that nineteen of twenty say little
FULL_HD, FOUR_K = Region(0, 0, 1920, 1080), Region(0, 0, 3840, 2160)
BESIDE = Region(1920, 0, 1920, 1080)
SETTLED = 3.0  # s after the start, until which windows and keys are made ready
PAUSE = 0.3  # s between two captures
KEY = ("Control_L", "Alt_L", "a")  # no window manager has it
STEPS = 90  # of a drag


def measure(runs: int) -> Iterator[Row]:
    """Raises UsageFault where it can't be measured."""
    runs = max(runs, RUNS)
    with _program((FULL_HD,)) as desk:
        shown = tuple(_opened(desk, (FULL_HD,)) for _ in range(runs))
        yield Row("hotkey to overlay shown, 1920×1080", "ms", shown, at_most=120, p95=True)
        asked = tuple(_asked(desk) for _ in range(runs))
        yield Row("selection taken to question box focused", "ms", asked, at_most=80, p95=True)
    with _program((FOUR_K,)) as desk:
        shown = tuple(_opened(desk, (FOUR_K,)) for _ in range(runs))
        yield Row("hotkey to overlay shown, 3840×2160", "ms", shown, at_most=200, p95=True)
        frames = _dragged(desk)
        yield Row("overlay drag, a move to its pixels, 4K", "ms", frames, at_most=16, p95=True)
    with _program((FULL_HD, BESIDE)) as desk:
        shown = tuple(_opened(desk, (FULL_HD, BESIDE)) for _ in range(runs))
        yield Row("hotkey to overlay shown, two screens", "ms", shown, at_most=250, p95=True)


def _opened(desk: Desktop, screens: Sequence[Region]) -> float:
    """ms from the key to the first picture of the overlay on every screen."""
    corners = [(screen.x + 40, screen.y + screen.height - 40) for screen in screens]
    began = time.perf_counter()
    desk.press(*KEY)
    seconds = desk.until(*corners, white=False) - began
    time.sleep(PAUSE)
    desk.press("Escape")
    desk.until(*corners, white=True)
    time.sleep(PAUSE)
    return seconds * 1000


def _dragged(desk: Desktop) -> tuple[float, ...]:
    """ms from each move of a drag across the screen to the pixels it uncovers."""
    frames: list[float] = []
    corner = (40, FOUR_K.height - 40)
    desk.point(100, 100)
    desk.press(*KEY)
    desk.until(corner, white=False)
    time.sleep(PAUSE)
    desk.button(down=True)
    for step in range(1, STEPS + 1):
        x, y = 100 + 40 * step, 100 + 20 * step
        began = time.perf_counter()
        desk.point(x, y)
        frames.append((desk.until((x - 6, y - 6), white=True) - began) * 1000)
        time.sleep(max(0.0, began + 1 / 60 - time.perf_counter()))
    desk.button(down=False)
    time.sleep(PAUSE)
    desk.press("Escape")
    desk.until(corner, white=True)
    return tuple(frames[1:])  # the first begins the drag


def _asked(desk: Desktop) -> float:
    """ms from Enter on a selection to the field that hears the question."""
    corner = (40, FULL_HD.height - 40)
    desk.point(500, 300)
    desk.press(*KEY)
    desk.until(corner, white=False)
    time.sleep(PAUSE)
    desk.button(down=True)
    for step in range(1, 11):
        desk.point(500 + 40 * step, 300 + 30 * step)
        time.sleep(0.01)
    desk.button(down=False)
    time.sleep(PAUSE)
    overlay = desk.focus()
    began = time.perf_counter()
    desk.press("Return")
    seconds = _question(desk, overlay) - began
    time.sleep(PAUSE)
    desk.press("Escape")
    time.sleep(PAUSE)
    return seconds * 1000


def _question(desk: Desktop, overlay: int) -> float:
    """When a window of the program other than the overlay has the keys."""
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        focus = desk.focus()
        if focus > X.PointerRoot and focus != overlay and _pid(desk, focus):
            return time.perf_counter()
        time.sleep(0.0005)
    raise UsageFault("failed", "No question box comes.")


def _pid(desk: Desktop, window: int) -> int:
    atom = desk.display.intern_atom("_NET_WM_PID")
    try:
        said = desk.display.create_resource_object("window", window).get_full_property(atom, 0)
    except BadWindow:  # it has closed
        return 0
    return int(said.value[0]) if said else 0


@contextmanager
def _program(screens: Sequence[Region]) -> Iterator[Desktop]:
    """The program on a desktop of its own, waiting for its key, its window closed."""
    with ExitStack() as opened:
        desk = opened.enter_context(desktop(screens))
        home = opened.enter_context(tempfile.TemporaryDirectory(prefix="sightline-bench-"))
        nobody = Profile("Nobody", "http://127.0.0.1:9/v1", "none")
        keys = Hotkeys(ask_region="Ctrl+Alt+A")
        settings = Settings(
            endpoint="Nobody",
            profiles=(nobody,),
            hotkeys=keys,
            hinted=True,
            tray_missed=True,
            sign="none",
        )
        save(settings, Path(home) / "config")
        child = opened.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "app"],
                env=desk.environment | {"SIGHTLINE_HOME": home, "LC_ALL": "C.UTF-8"},
                stderr=subprocess.DEVNULL if "BENCH_TELL" not in os.environ else None,
            )
        )
        opened.callback(child.terminate)
        _close_window(desk, child)
        yield desk


def _close_window(desk: Desktop, child: subprocess.Popen[bytes]) -> None:
    """As a user closes it: the program stays."""
    listed = desk.display.intern_atom("_NET_CLIENT_LIST")
    until = time.perf_counter() + PATIENCE
    windows: Sequence[int] = ()
    while not windows:
        if child.poll() is not None or time.perf_counter() > until:
            raise UsageFault("failed", "The program's window did not come.")
        time.sleep(0.1)
        said = desk.root.get_full_property(listed, X.AnyPropertyType)
        windows = said.value if said else ()
    time.sleep(SETTLED)
    for number in windows:
        window = desk.display.create_resource_object("window", number)
        close = desk.display.intern_atom("_NET_CLOSE_WINDOW")
        message = ClientMessage(window=window, client_type=close, data=(32, [0, 2, 0, 0, 0]))
        mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
        desk.root.send_event(message, event_mask=mask)
    desk.display.flush()
    time.sleep(SETTLED)
