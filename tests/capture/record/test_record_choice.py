"""Which moments of a recording are chosen: properties that hold for any recording."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.capture.record.choice import SAME, SCENE, Moment, choose, distance, thinned

CELLS = 100


def scene(shade: int) -> np.ndarray:
    return np.full((10, CELLS // 10), shade, np.uint8)


@st.composite
def films(draw: st.DrawFn) -> list[Moment]:
    """Scenes of plainly different shades, each with some small changes of its own."""
    shades = draw(st.lists(st.sampled_from((0, 60, 120, 180, 240)), min_size=1, max_size=7))
    moments: list[Moment] = []
    time = 0.0
    for shade in shades:
        picture = scene(shade)
        for cell in draw(st.lists(st.integers(0, CELLS - 1), min_size=1, max_size=4)):
            picture = picture.copy()
            picture.flat[cell] = (int(picture.flat[cell]) + 128) % 256
            moments.append(Moment(time, picture))
            time += draw(st.floats(0.05, 3))
    return moments


def cuts(moments: list[Moment]) -> list[list[Moment]]:
    found = [[moments[0]]]
    for early, late in pairwise(moments):
        if distance(early, late) >= SCENE:
            found.append([])
        found[-1].append(late)
    return found


@given(films(), st.integers(1, 40), st.one_of(st.none(), st.floats(0.1, 10)))
def test_never_more_than_asked_rising_and_no_two_neighbours_alike(
    moments: list[Moment], most: int, every: float | None
) -> None:
    times = choose(moments, moments[-1].time + 1, most=most, every=every)
    at = {moment.time: moment for moment in moments}
    assert 1 <= len(times) <= most
    assert list(times) == sorted(set(times))
    assert all(distance(at[a], at[b]) > SAME for a, b in pairwise(times))


@given(films(), st.one_of(st.none(), st.floats(0.1, 10)))
def test_with_room_for_it_no_scene_is_missed(moments: list[Moment], every: float | None) -> None:
    scenes = cuts(moments)
    times = choose(moments, moments[-1].time + 1, most=len(moments), every=every)
    for one in scenes:
        assert any(one[0].time <= time <= one[-1].time for time in times)


@given(films())
def test_thinning_keeps_every_scene_and_its_end(moments: list[Moment]) -> None:
    kept = list(thinned(moments))
    assert kept[0] is moments[0]
    for one in cuts(moments):
        last = [moment for moment in kept if one[0].time <= moment.time <= one[-1].time]
        assert last
        assert distance(last[-1], one[-1]) <= SAME


@given(films(), st.integers(1, 40))
def test_what_was_thinned_is_chosen_from_as_well(moments: list[Moment], most: int) -> None:
    kept = list(thinned(moments))
    times = choose(kept, moments[-1].time + 1, most=len(moments))
    assert {moment.time for moment in kept} >= set(times)
    for one in cuts(moments):
        assert any(one[0].time <= time <= one[-1].time for time in times)


def test_a_still_recording_is_one_frame() -> None:
    moments = [Moment(float(second), scene(80)) for second in range(60)]
    assert len(choose(moments, 60, most=32)) == 1
    assert len(choose(moments, 60, most=32, every=1.0)) == 1


def test_every_so_many_seconds_gives_what_was_seen_then() -> None:
    moments = []
    for second in range(10):
        picture = scene(100)
        picture.flat[:second] = 0
        moments.append(Moment(float(second), picture))
    times = choose(moments, 10, most=32, every=3.0)
    assert {0.0, 3.0, 6.0, 9.0} <= set(times)
    assert len(times) <= 5  # and how it ended


def test_with_too_little_room_the_longest_scenes_stay() -> None:
    moments = [Moment(time, scene(shade)) for time, shade in ((0, 0), (1, 120), (9, 240))]
    assert choose(moments, 10, most=1) == (1,)


def test_what_came_about_in_small_steps_is_another_scene() -> None:
    moments = []
    for step in range(11):
        picture = scene(100)
        picture.flat[: step * 10] = 0
        moments.append(Moment(float(step), picture))
    assert len(choose(moments, 11, most=3)) == 3


def test_nothing_gives_nothing() -> None:
    assert choose([], 1, most=3) == ()
    assert choose([Moment(0, scene(1))], 1, most=0) == ()
