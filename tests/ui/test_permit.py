"""What a Mac's user is told before the screen can be captured, by a gate that the test opens; and
the program that starts again once it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from app.capture import permission
from app.ui.screen.permit import LOOK, Gate, Permit

Hear = Callable[..., list[Any]]


class System:
    """What the system was asked for, and whether it gives leave."""

    def __init__(self) -> None:
        self.leave = False
        self.asked: list[str] = []

    @property
    def gate(self) -> Gate:
        return Gate(
            lambda: self.leave,
            lambda: self.asked.append("request"),
            lambda: self.asked.append("page"),
        )


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def permit(qt: QApplication, system: System) -> Iterator[Permit]:
    made = Permit(system.gate)
    yield made
    made.close()
    made.deleteLater()


def button(permit: Permit, text: str) -> QPushButton:
    assert permit.box is not None
    (found,) = (b for b in permit.box.findChildren(QPushButton) if b.text() == text)
    return found


def test_with_leave_nothing_is_said(permit: Permit, system: System) -> None:
    system.leave = True
    assert permit.lets() and permit.box is None and system.asked == []


def test_without_it_the_way_is_explained_and_the_system_asked_once(
    permit: Permit, system: System
) -> None:
    assert not permit.lets()
    box = permit.box
    assert box is not None and box.isVisible() and not box.isModal()
    assert "Screen Recording" in box.informativeText()
    assert not permit.lets()
    assert permit.box is box and system.asked == ["request"]


def test_its_page_of_settings_opens_and_the_explanation_stays(
    permit: Permit, system: System
) -> None:
    permit.lets()
    button(permit, "Open System Settings").click()
    assert system.asked == ["request", "page"]
    assert permit.box is not None and permit.box.isVisible()


def test_a_leave_that_comes_is_noticed_and_leaves_one_thing_to_do(
    permit: Permit, system: System, hear: Hear
) -> None:
    reopened = hear(permit.reopened)
    permit.lets()
    system.leave = True
    QTest.qWait(LOOK + 200)
    assert permit.box is not None and "now" in permit.box.text()
    assert permit.box.defaultButton() is button(permit, "Quit and reopen")
    button(permit, "Quit and reopen").click()
    assert len(reopened) == 1 and permit.box is None


def test_it_can_be_left_for_later(permit: Permit, hear: Hear) -> None:
    reopened = hear(permit.reopened)
    permit.lets()
    button(permit, "Cancel").click()
    assert permit.box is None and reopened == []


@pytest.mark.skipif(sys.platform == "darwin", reason="there it is the system's to say")
def test_elsewhere_there_is_no_leave_to_ask_for() -> None:
    assert permission.granted() and permission.obstacle() is None
    permission.request()


@pytest.mark.skipif(os.name != "posix", reason="there is no shell")
def test_the_program_starts_again_once_it_has_ended(tmp_path: Path) -> None:
    began = tmp_path / "began"
    touch = ("touch", str(began))
    first = (
        "import os, time\nfrom app.ui.relaunch import relaunch\n"
        f"relaunch({touch})\ntime.sleep(0.6)\nassert not os.path.exists({str(began)!r})\n"
    )
    subprocess.run([sys.executable, "-c", first], check=True, timeout=20)
    until = time.monotonic() + 10
    while not began.exists():
        assert time.monotonic() < until, "it did not start again"
        time.sleep(0.05)
