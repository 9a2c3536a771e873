"""The pure parts of a recorder: its clock, its canvas, what crosses the pipe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.capture.record.canvas import Canvas, Pointer, blend, merged
from app.capture.record.claim import claim, claimed
from app.capture.record.clock import Clock
from app.capture.record.eye import inside
from app.capture.record.facts import Area, Order, order_of_json, order_to_json
from app.capture.record.system import arrow, in_points
from app.capture.record.writer import threads
from app.vocabulary import Region

regions = st.builds(
    Region, st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 60), st.integers(1, 60)
)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 5)), max_size=20))
def test_the_time_of_the_file_is_the_time_it_was_not_paused(
    steps: list[tuple[bool, float]],
) -> None:
    now, expected = 100.0, 0.0
    clock = Clock(now)
    for paused, seconds in steps:
        clock.pause(now) if paused else clock.resume(now)
        assert clock.paused == paused
        now += seconds
        expected += 0 if paused else seconds
        assert abs(clock.time(now) - expected) < 1e-6


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(0, 255)), max_size=30),
)
def test_patches_laid_on_each_other_are_what_the_screen_showed(
    width: int, height: int, dots: list[tuple[int, int, int]]
) -> None:
    canvas = Canvas(width, height)
    shown = np.zeros((height, width, 4), np.uint8)
    columns, rows = canvas.size
    laid = np.full((rows, columns, 4), 99, np.uint8)
    for number, (x, y, shade) in enumerate(dots):
        shown[y % height, x % width] = shade
        if number % 3:
            continue
        canvas.put(0, 0, shown.copy())
        for patch in canvas.take(None):
            part = patch.pixels
            assert not (patch.x % 2 or patch.y % 2 or part.shape[0] % 2 or part.shape[1] % 2)
            laid[patch.y : patch.y + part.shape[0], patch.x : patch.x + part.shape[1]] = part
        assert (laid[:height, :width] == shown).all()
        if columns > width:
            assert (laid[:height, -1] == shown[:, -1]).all()
        if rows > height:
            assert (laid[-1, :width] == shown[-1]).all()


@given(st.lists(regions, max_size=40))
def test_merged_rectangles_cover_what_the_many_covered(parts: list[Region]) -> None:
    found = merged(parts)
    assert len(found) <= max(1, len(parts))
    for part in parts:
        assert any(
            whole.x <= part.x
            and whole.y <= part.y
            and part.x + part.width <= whole.x + whole.width
            and part.y + part.height <= whole.y + whole.height
            for whole in found
        )


@given(regions, st.integers(1, 60), st.integers(1, 60))
def test_what_is_inside_of_a_desktop_is_all_of_it_that_is(
    region: Region, width: int, height: int
) -> None:
    def cells(part: Region) -> set[tuple[int, int]]:
        return {
            (x, y)
            for x in range(part.x, part.x + part.width)
            for y in range(part.y, part.y + part.height)
            if 0 <= x < width and 0 <= y < height
        }

    found = inside(region, width, height)
    assert (cells(found) if found else set()) == cells(region)
    assert found is None or len(cells(found)) == found.width * found.height


@given(st.integers(-30, 60), st.integers(-30, 60))
def test_a_pointer_is_drawn_wherever_it_stands(x: int, y: int) -> None:
    pixels = np.full((40, 50, 4), 200, np.uint8)
    blend(pixels, Pointer(x, y, arrow(), 1), 0, 0)
    touched = np.argwhere((pixels != 200).any(axis=2))
    height, width = arrow().shape[:2]
    for row, column in touched:
        assert y <= row < y + height
        assert x <= column < x + width
    tip_is_seen = 0 <= x < 50 and 0 <= y < 40
    assert not tip_is_seen or tuple(pixels[y, x, :3]) == (255, 255, 255)


def test_a_pointer_that_moves_leaves_nothing_behind() -> None:
    canvas = Canvas(60, 40)
    page = np.full((40, 60, 4), 120, np.uint8)
    canvas.put(0, 0, page)
    canvas.take(Pointer(5, 5, arrow(), 1))
    laid = page.copy()
    for patch in canvas.take(Pointer(40, 20, arrow(), 1)):
        part = patch.pixels
        laid[patch.y : patch.y + part.shape[0], patch.x : patch.x + part.shape[1]] = part
    assert (laid[5:21, 5:17, :3] == 120).all()
    assert canvas.take(Pointer(40, 20, arrow(), 1)) == ()


def test_an_order_crosses_the_pipe_whole(tmp_path: Path) -> None:
    area = Area("window", Region(-5, 3, 20, 10), 77)
    hidden = (Region(1, 2, 3, 4), Region(-1, -2, 3, 4))
    order = Order(tmp_path / "ü.mkv", area, 30, True, 2.5, 60, 10**9, hidden, tmp_path / "m", True)
    assert order_of_json(json.loads(json.dumps(order_to_json(order)))) == order
    plain = replace(order, hidden=(), area=Area("screen", Region(0, 0, 1, 1)))
    assert order_of_json(json.loads(json.dumps(order_to_json(plain)))) == plain


def test_an_area_is_given_to_macos_in_its_points() -> None:
    area = Area("region", Region(200, -100, 401, 300))
    assert in_points(area, 2.0) == {"left": 100, "top": -50, "width": 200, "height": 150}
    assert in_points(area, 1.0) == {"left": 200, "top": -100, "width": 401, "height": 300}


def test_a_large_picture_gets_half_of_the_cores() -> None:
    full_hd, four_k = 1920 * 1080, 3840 * 2160
    assert [threads(full_hd, cores) for cores in (1, 2, 16)] == [1, 1, 1]
    assert [threads(four_k, cores) for cores in (1, 2, 4, 16)] == [1, 1, 2, 4]


def test_a_file_is_claimed_as_long_as_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(b"")
    with path.open("r+b") as file:
        assert claim(file.fileno())
        assert claimed(path)
    assert not claimed(path)
    assert claimed(tmp_path / "none")
