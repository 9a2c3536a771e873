"""The program around its window on a real, if virtual, screen: tray, hotkeys, later starts."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.live

Stage = Any  # tests/live/conftest.py; no package to import it from
Build = Callable[..., Stage]
ROOT = Path(__file__).parents[2]
STAYS = {"close_to_tray": True}


def middle(place: list[int]) -> tuple[int, int]:
    return place[0] + place[2] // 2, place[1] + place[3] // 2


def in_tray(stage: Build) -> tuple[Stage, tuple[int, int]]:
    """The program with its window closed, and where its icon stands."""
    built = stage(settings=STAYS)
    icon = built.facts("active", "tray", "keys")["tray"]["place"]
    time.sleep(0.5)
    built.do("key", "alt+F4")
    while built.fact("hidden")["window"] != "Window":
        pass
    time.sleep(0.3)
    assert built.runs
    return built, middle(icon)


def mark(stage: Stage, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drags over the overlay and says that this is it."""
    stage.window("Pane")
    time.sleep(0.3)
    stage.do("mousemove", *start, "mousedown", 1)
    for part in (0.3, 0.7, 1.0):
        x, y = (round(a + (b - a) * part) for a, b in zip(start, end, strict=True))
        stage.do("mousemove", x, y)
    stage.do("mouseup", 1)
    time.sleep(0.3)
    stage.do("key", "Return")


def choose(stage: Stage, icon: tuple[int, int], entry: str) -> None:
    """Clicks an entry of the tray's menu."""
    stage.do("mousemove", *icon, "click", 3)
    entries = stage.fact("menu")["entries"]
    stage.do("mousemove", *middle(entries[entry]), "click", 1)


def ends(stage: Stage) -> None:
    """With no process and no socket left."""
    family = psutil.Process(stage.pid).children(recursive=True)
    assert stage.fact("closed")["kind"] == "closed"
    assert stage.end() == 0
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    runtime = Path(stage.environment.get("XDG_RUNTIME_DIR", "/tmp"))
    assert not [path for path in runtime.glob("sightline-*") if path.is_socket()]


@pytest.fixture(autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)


def test_the_icon_stands_in_the_tray_and_the_window_goes_there(panel: None, stage: Build) -> None:
    _built, icon = in_tray(stage)
    assert icon[0] > 1100 and icon[1] > 760


def test_a_click_on_the_icon_snips(panel: None, stage: Build) -> None:
    built, icon = in_tray(stage)
    built.do("mousemove", *icon, "click", 1)
    assert built.window("Pane")


def test_a_click_opens_the_window_where_that_is_wanted(panel: None, stage: Build) -> None:
    built = stage(settings=STAYS | {"tray_click": "window"})
    icon = middle(built.facts("active", "tray")["tray"]["place"])
    time.sleep(0.5)
    built.do("key", "alt+F4")
    assert built.fact("hidden")["window"] == "Window"
    time.sleep(0.3)
    built.do("mousemove", *icon, "click", 1)
    assert built.window("Window")


def test_the_menu_captures_opens_and_quits(panel: None, stage: Build) -> None:
    built, icon = in_tray(stage)
    choose(built, icon, "Ask about a region")
    built.window("Pane")
    built.do("key", "Escape")
    assert built.fact("hidden")["window"] == "Pane"
    time.sleep(0.3)
    choose(built, icon, "Open Sightline")
    built.window("Window")
    choose(built, icon, "Quit")
    ends(built)


def test_a_hotkey_asks_about_the_screen_while_the_window_is_closed(
    panel: None, stage: Build
) -> None:
    built, _icon = in_tray(stage)
    built.do("key", "super+shift+a")
    mark(built, (300, 200), (700, 500))
    place = built.window("Quick")["place"]
    assert place[0] >= 700 or place[0] + place[2] <= 300 or place[1] >= 500
    built.do("search", "--onlyvisible", "--name", ".")
    with pytest.raises(queue.Empty):  # nobody asked for the window
        built.window("Window", 0.5)


def test_hotkeys_that_are_paused_do_nothing_until_they_are_wanted_again(
    panel: None, stage: Build
) -> None:
    built, icon = in_tray(stage)
    choose(built, icon, "Pause hotkeys")
    assert built.fact("keys")["refused"] == []
    built.do("key", "super+shift+a")
    with pytest.raises(queue.Empty):
        built.window("Pane", 1.0)
    choose(built, icon, "Pause hotkeys")
    built.fact("keys")
    built.do("key", "super+shift+a")
    assert built.window("Pane")


def test_the_window_comes_back_by_its_hotkey(panel: None, stage: Build) -> None:
    built, _icon = in_tray(stage)
    built.do("key", "super+shift+o")
    assert built.window("Window")


def test_a_second_start_raises_the_window_of_the_first(panel: None, stage: Build) -> None:
    built, _icon = in_tray(stage)
    second = built.start_again()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert built.window("Window")


def test_snip_from_a_second_process_opens_the_overlay_in_the_first(
    panel: None, stage: Build
) -> None:
    built, _icon = in_tray(stage)
    assert built.start_again("snip").returncode == 0
    mark(built, (100, 100), (300, 250))
    assert built.window("Quick")


def test_a_region_that_is_named_is_asked_about_without_the_overlay(
    panel: None, stage: Build
) -> None:
    built, _icon = in_tray(stage)
    assert built.start_again("snip", "--region", "100,100,200,150").returncode == 0
    assert built.fact("active")["window"] == "Quick"


def test_a_region_on_no_screen_is_named(stage: Build) -> None:
    built = stage()
    built.window("Window")
    assert built.start_again("snip", "--region", "9000,9000,20,20").returncode == 0
    assert "lies on no screen" in built.fact("notice")["text"]


def test_a_recording_is_begun_and_ended_from_a_terminal(panel: None, stage: Build) -> None:
    built, _icon = in_tray(stage)
    assert built.start_again("snip", "--record").returncode == 0
    mark(built, (100, 100), (300, 250))
    assert built.fact("recording")["state"] == "waiting"
    assert built.fact("recording")["state"] == "recording"
    time.sleep(1)
    assert built.start_again("snip", "--record").returncode == 0
    assert built.fact("recording")["state"] == "idle"
    assert built.window("Trim")


def test_a_quit_while_recording_keeps_the_recording_and_leaves_no_process(
    panel: None, stage: Build, home: Path
) -> None:
    built, icon = in_tray(stage)
    built.start_again("snip", "--record")
    mark(built, (100, 100), (300, 250))
    while built.fact("recording")["state"] != "recording":
        pass
    time.sleep(1)
    choose(built, icon, "Quit")
    ends(built)
    (kept,) = (home / "data" / "recordings").iterdir()
    assert kept.suffix == ".mkv" and kept.stat().st_size > 0


def test_snip_becomes_the_program_where_none_runs(panel: None, stage: Build) -> None:
    built = stage("snip", settings=STAYS)
    mark(built, (100, 100), (300, 250))
    assert built.window("Quick")
    assert built.runs
    assert built.start_again().returncode == 0
    assert built.window("Window")


def test_without_a_tray_the_program_asks_whether_to_stay_and_stays_reachable(
    stage: Build,
) -> None:
    built = stage(settings=STAYS)
    built.window("Window")
    time.sleep(0.5)
    built.do("key", "alt+F4")
    assert built.window("QMessageBox")
    time.sleep(0.3)
    built.do("key", "Return")
    while built.fact("hidden")["window"] != "Window":
        pass
    assert built.runs
    assert built.start_again().returncode == 0
    built.window("Window")
    time.sleep(0.3)
    built.do("key", "alt+F4")  # it was said once
    while built.fact("hidden")["window"] != "Window":
        pass
    assert built.runs


def test_a_real_drop_is_attached(stage: Build, tmp_path: Path) -> None:
    built = stage()
    built.window("Window")
    time.sleep(0.5)
    sample = ROOT / "assets" / "samples" / "invoice.png"
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("drag.py")), str(sample)],
        env=os.environ | {"DISPLAY": built.display, "QT_QPA_PLATFORM": "xcb"},
        stdout=subprocess.PIPE,
        text=True,
    ) as source:
        try:
            assert source.stdout is not None and source.stdout.readline() == "shown\n"
            built.do("mousemove", 1080, 130, "mousedown", 1)
            for x in (1060, 1000, 900, 800, 700, 640):
                built.do("mousemove", x, 400)
                time.sleep(0.1)
            built.do("mouseup", 1)
            assert built.fact("attached")["name"] == "invoice.png"
        finally:
            source.terminate()


def test_the_end_by_a_signal_leaves_nothing(panel: None, stage: Build) -> None:
    built, _icon = in_tray(stage)
    psutil.Process(built.pid).terminate()
    assert built.end() == 0
    runtime = Path(built.environment["XDG_RUNTIME_DIR"])
    assert not [path for path in runtime.glob("sightline-*") if path.is_socket()]
