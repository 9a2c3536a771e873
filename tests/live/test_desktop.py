"""The window on a real, if virtual, screen, worked with a real pointer and keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.live

Stage = Any  # tests/live/conftest.py; no package to import it from
CAPTURE = ("key", "ctrl+shift+s")


@pytest.fixture
def open_stage(stage: Callable[..., Stage]) -> Callable[..., Stage]:
    def build(**extra: str) -> Stage:
        built = stage(**extra)
        built.fact("active")
        time.sleep(0.5)  # the window manager places and decorates it
        return built

    return build


def drag(stage: Stage, start: tuple[int, int], end: tuple[int, int]) -> None:
    stage.do("mousemove", *start, "mousedown", 1)
    for step in range(1, 6):
        x = start[0] + (end[0] - start[0]) * step // 5
        y = start[1] + (end[1] - start[1]) * step // 5
        stage.do("mousemove", x, y)
    stage.do("mouseup", 1)
    time.sleep(0.2)


def capture(stage: Stage) -> None:
    """Calls the overlay and waits until it has the keys."""
    stage.do(*CAPTURE)
    assert stage.fact("hidden")["window"] == "Window"
    while stage.fact("active")["window"] != "Pane":
        pass
    time.sleep(0.3)


def test_what_is_typed_stands_in_the_field_at_once(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage()
    stage.do("type", "--delay", 20, "hello")
    stage.do("key", "alt+F4")
    assert stage.fact("closed")["text"] == "hello"
    assert stage.end() == 0


def test_a_region_is_captured_while_the_window_is_out_of_the_way(
    open_stage: Callable[..., Stage],
) -> None:
    stage = open_stage()
    capture(stage)
    drag(stage, (300, 200), (700, 500))
    stage.do("key", "Return")
    taken = stage.fact("attached")
    assert taken["region"] == [300, 200, 400, 300]
    assert taken["size"] == [400, 300]
    assert taken["corner"] == "#000000"  # the bare screen: no window, no veil


def test_the_window_comes_back_where_it_was(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage()
    stage.do("search", "--name", "Sightline", "windowmove", 40, 60)
    time.sleep(0.3)
    before = stage.do("search", "--onlyvisible", "--name", "Sightline", "getwindowgeometry")
    capture(stage)
    stage.do("key", "Escape")
    while stage.fact("active")["window"] != "Window":
        pass
    time.sleep(0.5)
    after = stage.do("search", "--onlyvisible", "--name", "Sightline", "getwindowgeometry")
    assert after.splitlines()[1] == before.splitlines()[1]


def test_arrows_set_the_region_to_the_pixel(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage()
    capture(stage)
    drag(stage, (300, 200), (700, 500))
    stage.do("key", "Left", "Up", "shift+Right")
    stage.do("key", "Return")
    assert stage.fact("attached")["region"] == [299, 199, 401, 300]


def test_a_click_marks_the_whole_screen(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage()
    capture(stage)
    stage.do("mousemove", 640, 400, "click", 1)
    time.sleep(0.3)
    stage.do("key", "Return")
    assert stage.fact("attached")["size"] == [1280, 800]


@pytest.mark.parametrize("scale", ["1.25", "2"])
def test_pixels_are_the_screens_own_at_every_scale(
    open_stage: Callable[..., Stage], scale: str
) -> None:
    stage = open_stage(QT_SCALE_FACTOR=scale)
    capture(stage)
    drag(stage, (200, 100), (600, 400))
    stage.do("key", "Return")
    taken = stage.fact("attached")
    for told, wanted in zip(taken["region"], (200, 100, 400, 300), strict=True):
        assert abs(told - wanted) <= 2  # the pointer moves in logical pixels
    assert taken["size"] == taken["region"][2:]


def test_a_right_click_leaves_the_overlay(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage()
    capture(stage)
    stage.do("mousemove", 640, 400, "click", 3)
    assert stage.fact("hidden")["window"] == "Pane"
    while stage.fact("active")["window"] != "Window":
        pass
