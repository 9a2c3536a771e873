"""What a capture by hand keeps, and where on the desktop it lies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.capture.shot import Shot
from app.settings import Mark
from app.ui.screen.camera import Roll
from app.ui.screen.snip import KEPT, _kept
from app.ui.screen.still import Still
from app.vocabulary import Region

regions = st.builds(
    Region, st.integers(0, 3), st.integers(0, 3), st.integers(1, 3), st.integers(1, 3)
)


@given(st.lists(regions, max_size=60))
def test_regions_are_kept_newest_first_each_once_and_not_for_ever(marked: list[Region]) -> None:
    kept: tuple[Mark, ...] = ()
    for region in marked:
        kept = _kept(region, kept)
        assert kept[0] == Mark(region.x, region.y, region.width, region.height)
    assert len(kept) == len(set(kept)) == min(KEPT, len(set(marked)))


def roll() -> Roll:
    """A screen of twice the pixels, and one above it and to its left."""

    def shot(name: str, region: Region, scale: float) -> Shot:
        pixels = bytes(region.width * region.height * 4)
        return Shot(pixels, region.width, region.height, region.width * 4, region, scale, name)

    def still(of: Shot, place: QRect) -> Still:
        image = QImage(of.width, of.height, QImage.Format.Format_RGB32)
        return Still(of.name, image, place, corner=(of.region.x, of.region.y))

    one = shot("one", Region(0, 0, 80, 60), 2.0)
    two = shot("two", Region(-50, -20, 50, 40), 1.0)
    stills = still(one, QRect(0, 0, 40, 30)), still(two, QRect(-50, -20, 50, 40))
    return Roll((one, two), stills)


def test_a_part_stands_on_the_desktop_in_logical_pixels(qt: QApplication) -> None:
    taken = roll()
    assert taken.place(0, Region(10, 20, 40, 30)) == QRect(5, 10, 20, 15)
    assert taken.place(1, Region(10, 20, 40, 20)) == QRect(-40, 0, 40, 20)


def test_a_region_of_the_desktop_is_found_on_the_screen_that_shows_most_of_it(
    qt: QApplication,
) -> None:
    taken = roll()
    assert taken.locate(Region(-10, 0, 12, 10)) == (1, Region(40, 20, 10, 10))
    assert taken.locate(Region(-2, 0, 12, 10)) == (0, Region(0, 0, 10, 10))
