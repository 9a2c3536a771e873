"""A display of its own with a window manager, a tray and something on the desktop, for the pictures
that need one; needs Xvfb, openbox and trayer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SIZE = (1280, 800)


@contextmanager
def desktop(theme: str, scale: int) -> Iterator[tuple[dict[str, str], int]]:
    """What a program on it needs of its environment, and who draws what stands there."""
    with ExitStack() as stack:
        environment = os.environ | {
            "DISPLAY": stack.enter_context(_server(scale)),
            "QT_QPA_PLATFORM": "xcb",
            "QT_SCALE_FACTOR": str(scale),
            "PYTHONPATH": str(ROOT),
        }
        environment.pop("WAYLAND_DISPLAY", None)
        stack.enter_context(_process(["openbox"], environment))
        tray = ["trayer", "--edge", "bottom", "--align", "right", "--widthtype", "request"]
        tint = ["--tint", "0x111A20" if theme == "dark" else "0x8FAFB4", "--transparent", "false"]
        size = ["--height", str(30 * scale), "--expand", "false"]
        stack.enter_context(_process([*tray, *tint, *size], environment))
        scenery = [sys.executable, str(HERE / "scenery.py"), theme]
        painter = stack.enter_context(_process(scenery, environment))
        time.sleep(2.5)
        yield environment, painter.pid


def photograph(folder: Path, theme: str, language: str, scale: int = 2) -> None:
    """All the pictures of one theme and language."""
    with desktop(theme, scale) as (environment, scenery), tempfile.TemporaryDirectory() as home:
        script = [sys.executable, str(HERE / "screen.py"), str(folder), theme, language]
        subprocess.run(
            [*script, str(scenery)], env=environment | {"SIGHTLINE_HOME": home}, check=True
        )


@contextmanager
def _server(scale: int) -> Iterator[str]:
    read, write = os.pipe()
    size = "x".join(str(side * scale) for side in SIZE)
    screen = ["-screen", "0", f"{size}x24", "-nolisten", "tcp", "-displayfd", str(write)]
    server = subprocess.Popen(["Xvfb", *screen], pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        server.terminate()
        server.wait(5)


@contextmanager
def _process(words: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(5)
