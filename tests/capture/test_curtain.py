"""What no picture may show is black in it, and what stands above it stays."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from app.capture.curtain import blacked_out, private, uncovered
from app.capture.shot import Shot
from app.capture.windows import DesktopWindow, named, plain_name, window_at
from app.vocabulary import Region

regions = st.builds(
    Region, st.integers(-5, 20), st.integers(-5, 20), st.integers(1, 20), st.integers(1, 20)
)


def window(place: Region, program: str = "other", *, pid: int = 1, **more: object) -> DesktopWindow:
    given_ = {"names": frozenset((program,)), "opaque": (place,)} | more
    return DesktopWindow(place.x * 100 + place.y, program, program, pid, place, **given_)  # type: ignore[arg-type]


def shot(width: int = 20, height: int = 10, x: int = 0, y: int = 0, stride: int = 96) -> Shot:
    pixels = b"\x11" * (stride * height)
    return Shot(pixels, width, height, stride, Region(x, y, width, height), 1.0, "one")


def cells(*parts: Region) -> list[tuple[int, int]]:
    return [
        (x, y)
        for part in parts
        for x in range(part.x, part.x + part.width)
        for y in range(part.y, part.y + part.height)
    ]


@given(regions, st.lists(regions, max_size=6))
def test_what_is_left_is_exactly_what_nothing_covers(place: Region, covers: list[Region]) -> None:
    left = cells(*uncovered(place, covers))
    assert len(left) == len(set(left))
    assert set(left) == set(cells(place)) - set(cells(*covers))


def test_a_program_is_never_captured_whatever_its_name_is_written_like() -> None:
    vault = window(Region(2, 2, 4, 4), "keepassxc")
    for name in ("keepassxc", "KeePassXC", "KeePassXC.exe", "/usr/bin/keepassxc", " keepassxc "):
        assert private((vault,), (name,)) == (vault.place,), name
    assert private((vault,), ("keepass",)) == ()
    assert not named(vault, ("",))


def test_a_windows_path_and_a_unix_path_have_one_name() -> None:
    assert plain_name("C:\\Program Files\\KeePassXC\\KeePassXC.exe") == "keepassxc"
    assert plain_name("/opt/KeePassXC.app") == "keepassxc"


def test_our_own_windows_are_left_out() -> None:
    ours = window(Region(2, 2, 4, 4), pid=os.getpid())
    assert private((ours,), ()) == (ours.place,)
    assert private((ours,), (), ours=False) == ()


def test_what_stands_above_stays() -> None:
    above, vault = window(Region(4, 0, 6, 10)), window(Region(0, 0, 8, 10), "vault")
    assert set(cells(*private((above, vault), ("vault",)))) == set(cells(Region(0, 0, 4, 10)))
    below = private((vault, above), ("vault",))
    assert set(cells(*below)) == set(cells(vault.place))


def test_what_shines_through_hides_nothing() -> None:
    glass = window(Region(0, 0, 20, 20), opaque=())
    menu = window(Region(0, 0, 20, 20), kind="popup")
    vault = window(Region(0, 0, 8, 10), "vault")
    assert private((glass, menu, vault), ("vault",)) == (vault.place,)


def test_a_menu_of_a_program_that_is_never_captured_is_black_too() -> None:
    menu = window(Region(1, 1, 3, 3), "vault", kind="popup")
    assert private((menu,), ("vault",)) == (menu.place,)


def test_the_pixels_are_gone_and_all_others_stay() -> None:
    (black,) = blacked_out([shot()], [Region(3, 2, 4, 5)])
    for y in range(10):
        for x in range(20):
            at = y * 96 + x * 4
            inside = 3 <= x < 7 and 2 <= y < 7
            assert black.pixels[at : at + 4] == (b"\0\0\0\xff" if inside else b"\x11" * 4)
    assert black.pixels[80:96] == b"\x11" * 16  # what pads a row is nobody's


@given(regions, st.integers(-30, 30), st.integers(-30, 30))
def test_a_part_counts_in_pixels_of_the_desktop(part: Region, x: int, y: int) -> None:
    (black,) = blacked_out([shot(x=x, y=y)], [part])
    dark = {
        (x + column, y + row)
        for row in range(10)
        for column in range(20)
        if black.pixels[row * 96 + column * 4] == 0
    }
    assert dark == set(cells(part)) & set(cells(Region(x, y, 20, 10)))


def test_the_topmost_window_is_meant() -> None:
    top, low = window(Region(4, 4, 4, 4), "top"), window(Region(0, 0, 10, 10), "low")
    assert window_at((top, low), 5, 5) is top
    assert window_at((top, low), 1, 1) is low
    assert window_at((top, low), 10, 10) is None


def test_menus_the_desktop_and_our_own_windows_are_not_meant() -> None:
    menu = window(Region(0, 0, 4, 4), kind="popup")
    ours = window(Region(4, 0, 4, 4), pid=os.getpid())
    low = window(Region(0, 0, 10, 10), "low")
    wall = window(Region(0, 0, 50, 50), kind="desktop")
    assert window_at((menu, ours, low, wall), 1, 1) is low
    assert window_at((menu, ours, low, wall), 5, 1) is None
    assert window_at((menu, ours, low, wall), 20, 20) is None
