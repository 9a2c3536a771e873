"""What is done where nobody tells which window is whose."""

from __future__ import annotations

import asyncio
import sys

import psutil
import pytest

from app.capture.scene import freeze
from app.vocabulary import CaptureFault

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Wayland is Linux's")


def test_a_program_that_can_not_be_left_out_forbids_the_picture(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("WAYLAND_DISPLAY", "wayland-0")
    running = psutil.Process().name()
    with pytest.raises(CaptureFault, match="is running and is never captured") as caught:
        asyncio.run(freeze((running.upper(),)))
    assert running.upper() in caught.value.message


def test_one_that_does_not_run_forbids_nothing(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(CaptureFault, match="no D-Bus"):  # it went on to the desktop's portal
        asyncio.run(freeze(("a-program-that-nobody-runs",)))
