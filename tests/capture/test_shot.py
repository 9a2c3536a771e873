"""Cutting raw pixels, and places on a desktop of several screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.shot import Monitor, Shot, at, by_monitor, clip, cut
from app.vocabulary import CaptureFault, Region


def numbered(width: int, height: int, x: int = 0, y: int = 0, *, padding: int = 0) -> Shot:
    """A shot in which every pixel says where it stands: (column, row)."""
    rows = [
        b"".join(bytes((column % 256, row % 256, 0, 0)) for column in range(width))
        + b"\xee" * padding
        for row in range(height)
    ]
    return Shot(
        b"".join(rows), width, height, width * 4 + padding, Region(x, y, width, height), 1.0, "s"
    )


def corners(shot: Shot) -> tuple[tuple[int, int], tuple[int, int]]:
    """Which pixels of the numbered shot stand first and last."""
    last = (shot.height - 1) * shot.stride + (shot.width - 1) * 4
    return (shot.pixels[0], shot.pixels[1]), (shot.pixels[last], shot.pixels[last + 1])


@given(st.data())
def test_a_cut_holds_the_pixels_of_its_place(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    across, down = data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y))
    whole = numbered(width, height, -7, 9, padding=data.draw(st.sampled_from([0, 4, 12])))
    part = cut(whole, Region(x, y, across, down))
    assert corners(part) == ((x, y), (x + across - 1, y + down - 1))
    assert part.region == Region(x - 7, y + 9, across, down)
    assert len(part.pixels) == part.stride * part.height


def test_a_region_over_the_edge_is_clipped() -> None:
    assert clip(Region(-5, 2, 20, 20), 10, 10) == Region(0, 2, 10, 8)


@pytest.mark.parametrize(
    "region", [Region(10, 0, 5, 5), Region(-5, 0, 5, 5), Region(0, 0, 0, 5), Region(0, 0, 5, -1)]
)
def test_a_region_that_shows_nothing_is_a_clear_fault(region: Region) -> None:
    with pytest.raises(CaptureFault, match="shows nothing: the picture is 10 by 10") as caught:
        clip(region, 10, 10)
    assert caught.value.kind == "bad_input"


LEFT = Monitor("left", Region(-10, -5, 10, 20), 1.0)
RIGHT = Monitor("right", Region(0, 0, 20, 10), 1.0)


@pytest.mark.parametrize("scale", [1, 2])
def test_a_desktop_is_cut_into_its_screens(scale: int) -> None:
    whole = numbered(30 * scale, 20 * scale)
    left, right = by_monitor(whole, (LEFT, RIGHT))
    assert (left.name, left.region, left.scale) == (
        "left",
        Region(-10 * scale, -5 * scale, 10 * scale, 20 * scale),
        scale,
    )
    assert corners(left) == ((0, 0), (10 * scale - 1, 20 * scale - 1))
    assert corners(right) == ((10 * scale, 5 * scale), (30 * scale - 1, 15 * scale - 1))


@pytest.mark.parametrize("scale", [1.25, 1.5, 1.75])
def test_broken_scales_leave_no_pixel_out_and_none_twice(scale: float) -> None:
    monitors = (Monitor("a", Region(0, 0, 13, 11), 1.0), Monitor("b", Region(13, 0, 17, 11), 1.0))
    whole = numbered(round(30 * scale), round(11 * scale))
    first, second = by_monitor(whole, monitors)
    assert first.width + second.width == whole.width
    assert first.region.x + first.width == second.region.x


def test_a_picture_that_does_not_fit_the_screens_stays_whole() -> None:
    whole = numbered(30, 40)
    assert by_monitor(whole, (LEFT, RIGHT)) == (whole,)


def test_a_picture_without_known_screens_stays_whole() -> None:
    whole = numbered(3, 4)
    assert by_monitor(whole, ()) == (whole,)


def test_a_region_is_taken_from_the_screen_that_shows_most_of_it() -> None:
    screens = (numbered(10, 10, -10, 0), numbered(20, 10))
    part = at(screens, Region(-2, 3, 8, 4))
    assert part.region == Region(0, 3, 6, 4)


def test_a_region_off_every_screen_is_a_clear_fault() -> None:
    with pytest.raises(CaptureFault, match="shows nothing"):
        at((numbered(10, 10),), Region(50, 50, 5, 5))
