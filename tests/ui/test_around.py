"""Where the border and the bar of a recording stand, on screens of any place and scale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QSize

from app.ui.film.around import Ground, ground_of, logical, physical, spot
from app.vocabulary import Region

FULL = QRect(0, 0, 1920, 1080)
PLAIN = Ground(FULL, FULL.adjusted(0, 0, 0, -40), 1.0)
LEFT = Ground(QRect(-2560, 100, 1280, 720), QRect(-2560, 100, 1280, 720), 2.0)
BAR = QSize(333, 48)

_GROUND = st.builds(
    lambda x, y, width, height, scale: Ground(
        QRect(x, y, width, height), QRect(x, y, width, height), scale
    ),
    st.integers(-4000, 4000),
    st.integers(-4000, 4000),
    st.integers(640, 3840),
    st.integers(480, 2160),
    st.sampled_from([1.0, 1.25, 1.5, 2.0]),
)
_PART = st.tuples(*[st.floats(0, 1)] * 4)


def part(ground: Ground, shares: tuple[float, float, float, float]) -> Region:
    """A region of at least 20 pixels a side somewhere on the screen."""
    native = ground.native
    width = 20 + round((native.width - 20) * shares[2])
    height = 20 + round((native.height - 20) * shares[3])
    x = native.x + round((native.width - width) * shares[0])
    y = native.y + round((native.height - height) * shares[1])
    return Region(x, y, width, height)


@given(_GROUND, _PART)
def test_what_stands_around_an_area_covers_none_of_it(
    ground: Ground, shares: tuple[float, float, float, float]
) -> None:
    region = part(ground, shares)
    covered = physical(logical(region, ground), ground)
    assert covered.x <= region.x
    assert covered.y <= region.y
    assert covered.x + covered.width >= region.x + region.width
    assert covered.y + covered.height >= region.y + region.height
    assert covered.width - region.width <= 2 * ground.scale + 2


@given(_GROUND, _PART)
def test_a_bar_outside_touches_nothing_of_the_area(
    ground: Ground, shares: tuple[float, float, float, float]
) -> None:
    area = logical(part(ground, shares), ground)
    found = spot(area, BAR, ground)
    stands = QRect(found.corner, BAR)
    assert ground.free.contains(stands)
    if found.outside:
        assert not stands.intersects(area)


@pytest.mark.parametrize(
    ("area", "outside"),
    [
        pytest.param(QRect(600, 300, 700, 400), True, id="below"),
        pytest.param(QRect(600, 600, 700, 440), True, id="above"),
        pytest.param(QRect(0, 0, 1000, 1080), True, id="beside"),
        pytest.param(QRect(0, 0, 1920, 1080), False, id="a whole screen"),
    ],
)
def test_the_bar_leaves_the_area_alone_where_there_is_room(area: QRect, outside: bool) -> None:
    assert spot(area, BAR, PLAIN).outside is outside


def test_the_bar_of_a_whole_screen_goes_to_another_one() -> None:
    found = spot(FULL, BAR, PLAIN, [LEFT])
    assert found.outside
    assert LEFT.place.contains(QRect(found.corner, BAR))


def test_an_area_belongs_to_the_screen_that_shows_most_of_it() -> None:
    assert ground_of(Region(-1200, 200, 900, 500), [PLAIN, LEFT]) is LEFT
    assert ground_of(Region(-100, 200, 900, 500), [PLAIN, LEFT]) is PLAIN


def test_a_screen_of_two_pixels_a_pixel_keeps_its_corner() -> None:
    assert logical(Region(-2560, 100, 400, 200), LEFT) == QRect(-2560, 100, 200, 100)
