"""What is wished of hotkeys, and who has them instead."""

from __future__ import annotations

import asyncio
import sys

import pytest

from app.capture.hotkey.culprit import culprit, running
from app.capture.hotkey.hotkeys import ACTIONS, open_hotkeys, reasons
from app.capture.hotkey.wish import settled
from app.capture.obstacle import Obstacle
from app.settings import Hotkeys

linux = pytest.mark.skipif(sys.platform != "linux", reason="displays are Linux's")


def test_every_action_is_a_setting() -> None:
    assert tuple(Hotkeys.__dataclass_fields__) == ACTIONS


def test_one_chord_for_two_actions_goes_to_the_first() -> None:
    chords, refused = settled({"record": "Meta+R", "new_chat": "super+r", "ask_region": ""})
    assert [str(chord) for chord in chords.values()] == ["Meta+R"]
    assert [(no.action, no.chord) for no in refused] == [("new_chat", "super+r")]
    assert "already the key for “Start or stop recording”" in refused[0].reason


def test_a_chord_without_sense_keeps_no_other_out() -> None:
    chords, refused = settled({"record": "Meta+Shift", "new_chat": "Meta+N"})
    assert list(chords) == ["new_chat"]
    assert refused[0].reason == "“Meta+Shift” is no hotkey: it has no key beside its modifiers."


@pytest.mark.parametrize(
    ("system", "programs", "said"),
    [
        ("", (), "the desktop or a program that started earlier"),
        ("the window manager Openbox", ("bash",), "the window manager Openbox"),
        ("", ("flameshot", "Xorg"), "flameshot"),
        (
            "the window manager KWin",
            ("sxhkd", "kglobalacceld", "kglobalaccel5"),
            "KDE's shortcut settings, sxhkd or the window manager KWin",
        ),
    ],
)
def test_the_likely_culprit_is_named(system: str, programs: tuple[str, ...], said: str) -> None:
    assert culprit(system, programs) == said


def test_the_programs_that_run_are_known() -> None:
    assert any("python" in name or "pytest" in name for name in running())


@linux
def test_without_a_display_there_are_no_hotkeys(bare: pytest.MonkeyPatch) -> None:
    found = asyncio.run(open_hotkeys(lambda _action: None))
    assert isinstance(found, Obstacle)
    assert "no display" in found.reason


@linux
def test_a_display_that_does_not_answer_is_named(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("DISPLAY", ":4242")
    found = asyncio.run(open_hotkeys(lambda _action: None))
    assert isinstance(found, Obstacle)
    assert ":4242 does not answer" in found.reason
    assert not reasons()[0].ok


@linux
def test_wayland_without_a_portal_names_the_command_to_bind(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("WAYLAND_DISPLAY", "wayland-0")
    bare.setenv("DISPLAY", ":0")  # Xwayland: its grabs hold only in front of it
    found = asyncio.run(open_hotkeys(lambda _action: None))
    assert isinstance(found, Obstacle)
    assert "sightline snip" in found.remedy
    assert reasons()[0].name == "GlobalShortcuts portal"
