"""Real captures of a real X server with a real window on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from app.capture import probe, still
from app.capture.encode import as_image
from app.capture.window import active_window
from app.vocabulary import CaptureFault, Frame, Region

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
]

_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication(sys.argv)
window = QWidget()
window.setStyleSheet("background: #c81e28")
window.setGeometry(100, 80, 200, 120)
window.show()
window.activateWindow()
QTimer.singleShot(300, lambda: print("shown", flush=True))
application.exec()
"""


def display(opened: ExitStack, *options: str) -> str:
    """Starts an X server on a free display."""
    reading, writing = os.pipe()
    server = opened.enter_context(
        subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-noreset", *options],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
    )
    opened.callback(server.terminate)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    assert number, "Xvfb did not start"
    return f":{number}"


def shows(opened: ExitStack, where: str) -> None:
    """Puts a red window on the display and waits until it is there."""
    variables = os.environ | {"DISPLAY": where, "QT_QPA_PLATFORM": "xcb"}
    window = opened.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", _WINDOW], env=variables, stdout=subprocess.PIPE, text=True
        )
    )
    opened.callback(window.kill)
    assert window.stdout and window.stdout.readline() == "shown\n", "no window came up"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ExitStack() as opened:
        where = display(opened, "-screen", "0", "800x600x24")
        shows(opened, where)
        yield where


@pytest.fixture
def screen(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", server)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    return server


def colour(frame: Frame, x: int, y: int) -> str:
    return QImage.fromData(frame.image).pixelColor(x, y).name()


def test_the_screen_is_captured_in_its_own_pixels(screen: str) -> None:
    (frame,) = still.screens()
    assert (frame.width, frame.height, frame.media_type) == (800, 600, "image/png")
    assert frame.source.region == Region(0, 0, 800, 600)
    assert frame.source.name
    assert colour(frame, 150, 130) == "#c81e28"
    assert colour(frame, 700, 500) != "#c81e28"


def test_the_frozen_picture_is_shown_without_encoding(screen: str) -> None:
    (shot,) = still.shots()
    assert as_image(shot).pixelColor(150, 130) == QColor("#c81e28")


def test_a_region_is_captured(screen: str) -> None:
    frame = still.region(Region(100, 80, 200, 120))
    assert (frame.width, frame.height) == (200, 120)
    assert [colour(frame, x, y) for x, y in ((0, 0), (199, 119))] == ["#c81e28"] * 2


def test_the_doctor_finds_the_screen(screen: str) -> None:
    assert probe.reasons()[0] == probe.BackendState("X11", True)


def test_qt_captures_the_same_picture_where_it_must(screen: str) -> None:
    script = """
from PySide6.QtWidgets import QApplication
application = QApplication([])
from app.capture import direct, toolkit
from app.capture.encode import as_image
assert toolkit.obstacle() is None, toolkit.obstacle()
(qt,), (x11,) = toolkit.grab(), toolkit.with_scales(direct.grab())
print(as_image(qt) == as_image(x11), qt.region == x11.region, x11.scale, len(toolkit.monitors()))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.split() == ["True", "True", "2.0", "1"], ran.stderr


@pytest.mark.skipif(shutil.which("openbox") is None, reason="openbox is not installed")
def test_the_window_in_front_is_found_with_its_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as opened:
        where = display(opened, "-screen", "0", "640x480x24")
        monkeypatch.setenv("DISPLAY", where)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        manager = opened.enter_context(
            subprocess.Popen(["openbox", "--sm-disable"], stderr=subprocess.DEVNULL)
        )
        opened.callback(manager.terminate)
        shows(opened, where)
        place = active_window()
        frame = still.region(place)
    assert place.width >= 200 and 120 < place.height < 200
    assert colour(frame, frame.width // 2, frame.height - 30) == "#c81e28"


def test_a_screen_with_no_window_has_none_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as opened:
        monkeypatch.setenv("DISPLAY", display(opened, "-screen", "0", "320x200x24"))
        with pytest.raises(CaptureFault, match="no window is in front"):
            active_window()


@pytest.mark.skipif(shutil.which("xrandr") is None, reason="xrandr is not installed")
def test_every_monitor_gives_its_own_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as opened:
        where = display(opened, "-screen", "0", "800x600x24")
        monkeypatch.setenv("DISPLAY", where)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        for place in ("left 300/80x600/160+0+0 screen", "right 500/130x400/100+300+200 none"):
            subprocess.run(
                ["xrandr", "--setmonitor", *place.split()],
                env=os.environ,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        shows(opened, where)
        left, right = still.shots()
        across = still.region(Region(290, 250, 20, 10))
    assert (left.region, right.region) == (Region(0, 0, 300, 600), Region(300, 200, 500, 400))
    assert left.name != right.name
    assert as_image(left).pixelColor(299, 100) == QColor("#c81e28")
    assert across.source.region == Region(290, 250, 10, 10)
