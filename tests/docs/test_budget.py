"""Sizes, times and costs stay within what was asked for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.docs.budget import fit, frame_times, how_many, page_zoom, side_for, tokens


def test_a4_is_drawn_at_150_dpi() -> None:
    assert round(595.28 * page_zoom(595.28, 841.89)) == 1240


def test_a_stamp_is_enlarged() -> None:
    assert 36 * page_zoom(36, 20) == 400


@given(st.floats(0.01, 1e7), st.floats(0.01, 1e7))
def test_no_page_is_drawn_larger_than_2000_pixels(width: float, height: float) -> None:
    assert max(width, height) * page_zoom(width, height) <= 2000.001


@given(st.floats(0.01, 1e7), st.integers(1, 5000))
def test_a_side_that_was_asked_for_is_never_passed(width: float, side: int) -> None:
    assert width * page_zoom(width, width / 2, side) <= side * 1.00001


@given(st.integers(1, 20000), st.integers(1, 20000), st.integers(1, 4000))
def test_fitting_keeps_within_the_side_and_never_enlarges(w: int, h: int, side: int) -> None:
    width, height = fit(w, h, side)
    assert 1 <= width <= max(1, min(w, side))
    assert 1 <= height <= max(1, min(h, side))


def test_a_short_clip_is_seen_once_a_second() -> None:
    assert frame_times(5.0) == (0.5, 1.5, 2.5, 3.5, 4.5)


def test_a_film_is_seen_32_times_at_most_and_evenly() -> None:
    times = frame_times(7200.0)
    steps = {round(after - before, 3) for before, after in pairwise(times)}
    assert (len(times), steps) == (32, {225.0})


def test_every_second_second_starts_at_zero() -> None:
    assert frame_times(5.0, every=2.0) == (0.0, 2.0, 4.0)


@given(st.floats(0, 1e6), st.one_of(st.none(), st.floats(0.01, 1e4)), st.integers(1, 100))
def test_times_rise_within_the_video(duration: float, every: float | None, most: int) -> None:
    times = frame_times(duration, every, most)
    assert 1 <= len(times) <= most
    assert list(times) == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= duration + 0.001


def test_a_picture_costs_a_token_a_patch() -> None:
    assert tokens(56, 29) == 4


@given(st.lists(st.tuples(st.integers(28, 3000), st.integers(28, 3000)), min_size=1, max_size=5))
def test_pictures_at_the_side_found_fit_the_budget(sizes: list[tuple[int, int]]) -> None:
    side = side_for(tuple(sizes), 6000, smallest=28)
    cost = sum(tokens(*fit(*size, side)) for size in sizes)
    assert cost <= 6000 or side == 28


def test_the_budget_says_how_many_pages_fit() -> None:
    assert how_many(1240, 1754, 24000) == 8
