"""Which way is taken, and what is said where there is none."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.capture import probe, still
from app.capture.grab import grab_screens, grab_shots
from app.capture.window import active_window
from app.vocabulary import CaptureFault, Region

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="displays are Linux's")


def test_without_a_display_it_is_said(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(CaptureFault, match="no display") as caught:
        still.screens()
    assert caught.value.kind == "no_display"


def test_without_a_display_no_part_of_it_can_be_had(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(CaptureFault, match="no display"):
        still.region(Region(0, 0, 10, 10))


def test_a_display_that_does_not_answer_is_named(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("DISPLAY", ":4242")
    with pytest.raises(CaptureFault, match=":4242 does not answer") as caught:
        asyncio.run(grab_screens())
    assert caught.value.kind == "no_display"


def test_wayland_without_a_bus_is_said(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(CaptureFault, match="no D-Bus"):
        asyncio.run(grab_shots())


def test_wayland_is_never_read_through_x(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("XDG_SESSION_TYPE", "wayland")
    bare.setenv("DISPLAY", ":0")
    first, *_ = probe.reasons()
    assert (first.ok, first.reason) == (False, "Wayland shows a program its own windows only")


def test_the_doctor_works_without_anything(bare: pytest.MonkeyPatch) -> None:
    states = probe.reasons()
    assert [state.name for state in states] == ["X11", "QScreen", "Wayland portal"]
    assert not any(state.ok for state in states)
    assert all(state.reason for state in states)


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("", "no display"),
        ("WAYLAND_DISPLAY", "Wayland tells no program"),
        ("DISPLAY", "not answer"),
    ],
)
def test_the_window_in_front_can_not_be_found_and_it_is_said(
    bare: pytest.MonkeyPatch, variable: str, words: str
) -> None:
    if variable:
        bare.setenv(variable, ":4242")
    with pytest.raises(CaptureFault, match=words):
        active_window()


def test_the_command_line_loads_neither_qt_nor_d_bus() -> None:
    script = "import sys, app.capture.grab, app.capture.probe, app.capture.still\n"
    script += "print([name for name in ('PySide6', 'dbus_fast') if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert ran.stdout.strip() == "[]"
