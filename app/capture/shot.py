"""What a screen showed, as raw pixels, and cutting it; knows no screen and no picture format."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.vocabulary import CaptureFault, Region

_PIXEL = 4  # bytes: blue, green, red, and one that means nothing


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One screen, frozen: `pixels` are BGRX, `stride` bytes a row, top row first. `region` is
    where it stands among the screens in physical pixels, `scale` physical pixels per logical."""

    pixels: bytes | bytearray = field(repr=False)
    width: int
    height: int
    stride: int
    region: Region
    scale: float
    name: str


@dataclass(frozen=True, slots=True)
class Monitor:
    """A screen as the window system describes it: `place` in logical pixels."""

    name: str
    place: Region
    scale: float


def clip(region: Region, width: int, height: int) -> Region:
    """The part of `region` inside a picture. Raises CaptureFault where there is none."""
    left, top = max(region.x, 0), max(region.y, 0)
    right, bottom = min(region.x + region.width, width), min(region.y + region.height, height)
    if right <= left or bottom <= top:
        raise CaptureFault(
            "bad_input",
            f"The region {region.x},{region.y},{region.width},{region.height} shows nothing: "
            f"the picture is {width} by {height} pixels.",
        )
    return Region(left, top, right - left, bottom - top)


def cut(shot: Shot, region: Region) -> Shot:
    """The part of `shot` at `region`, which counts from its own top left corner."""
    part = clip(region, shot.width, shot.height)
    rows = (
        shot.pixels[start : start + part.width * _PIXEL]
        for start in range(
            part.y * shot.stride + part.x * _PIXEL,
            (part.y + part.height) * shot.stride,
            shot.stride,
        )
    )
    return replace(
        shot,
        pixels=b"".join(rows),
        width=part.width,
        height=part.height,
        stride=part.width * _PIXEL,
        region=Region(shot.region.x + part.x, shot.region.y + part.y, part.width, part.height),
    )


def by_monitor(shot: Shot, monitors: tuple[Monitor, ...]) -> tuple[Shot, ...]:
    """A picture of the whole desktop as one shot a monitor. Left whole where the picture and the
    monitors' places do not agree on one scale: then nobody can tell what lies where."""
    if not monitors:
        return (shot,)
    places = [monitor.place for monitor in monitors]
    left, top = min(place.x for place in places), min(place.y for place in places)
    across = max(place.x + place.width for place in places) - left
    down = max(place.y + place.height for place in places) - top
    scale = shot.width / across
    # two pixels for rounding; less than half a pixel for each logical one is no screen
    if abs(shot.height - down * scale) > 2 or scale < 0.5:
        return (shot,)
    return tuple(
        _on(monitor, cut(shot, _scaled(monitor.place, -left, -top, scale)), scale)
        for monitor in monitors
    )


def at(shots: tuple[Shot, ...], region: Region) -> Shot:
    """What stands at `region` of the desktop, from the shot that shows most of it."""

    def shown(shot: Shot) -> int:
        across = _overlap(shot.region.x, shot.region.width, region.x, region.width)
        return across * _overlap(shot.region.y, shot.region.height, region.y, region.height)

    shot = max(shots, key=shown)
    x, y = region.x - shot.region.x, region.y - shot.region.y
    return cut(shot, replace(region, x=x, y=y))


def _on(monitor: Monitor, part: Shot, scale: float) -> Shot:
    corner = _scaled(monitor.place, 0, 0, scale)
    place = Region(corner.x, corner.y, part.width, part.height)
    return replace(part, region=place, scale=scale, name=monitor.name)


def _scaled(place: Region, dx: int, dy: int, scale: float) -> Region:
    left, top = round((place.x + dx) * scale), round((place.y + dy) * scale)
    right = round((place.x + dx + place.width) * scale)
    return Region(left, top, right - left, round((place.y + dy + place.height) * scale) - top)


def _overlap(one: int, length: int, other: int, size: int) -> int:
    return max(0, min(one + length, other + size) - max(one, other))
