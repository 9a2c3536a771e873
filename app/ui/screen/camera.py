"""The screens as stills to choose from, and the chosen part as a frame; between the capture room,
which knows no widget, and the overlay, which knows no screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QCursor, QGuiApplication, QImage, QScreen

from app.capture.encode import as_image, to_frame, to_shot
from app.capture.scene import freeze
from app.capture.shot import Shot
from app.capture.windows import DesktopWindow
from app.ui.screen.still import Still
from app.vocabulary import CaptureFault, Frame, Region


@dataclass(frozen=True, slots=True)
class Roll:
    """What one shooting gave: a still for every shot, in the same order, and the windows."""

    shots: tuple[Shot, ...]
    stills: tuple[Still, ...]
    windows: tuple[DesktopWindow, ...] = ()

    async def cut(self, at: int, region: Region, picture: QImage | None = None) -> Frame:
        """The part of one still, encoded aside; as `picture` shows it where one is given. Raises
        CaptureFault."""
        shot = self.shots[at]
        if picture is None:
            return await asyncio.to_thread(to_frame, shot, region)
        x, y = shot.region.x + region.x, shot.region.y + region.y
        return await asyncio.to_thread(_burnt, picture, shot, x, y)

    def place(self, at: int, region: Region) -> QRect:
        """Where a part of one still stands, in logical pixels of the desktop."""
        still = self.stills[at]
        ratio = still.image.width() / max(1, still.place.width())
        corner = QPoint(round(region.x / ratio), round(region.y / ratio))
        size = (max(1, round(region.width / ratio)), max(1, round(region.height / ratio)))
        return QRect(still.place.topLeft() + corner, still.place.topLeft() + corner).adjusted(
            0, 0, size[0] - 1, size[1] - 1
        )

    def locate(self, region: Region) -> tuple[int, Region]:
        """A region of the desktop as that of the still that shows most of it. Raises
        CaptureFault where none does."""
        at = max(range(len(self.shots)), key=lambda number: _shown(self.shots[number], region))
        if _shown(self.shots[at], region) == 0:
            raise CaptureFault(
                "bad_input",
                f"The region {region.x},{region.y},{region.width},{region.height} "
                "lies on no screen.",
            )
        screen = self.shots[at].region
        left, top = max(region.x, screen.x), max(region.y, screen.y)
        right = min(region.x + region.width, screen.x + screen.width)
        bottom = min(region.y + region.height, screen.y + screen.height)
        return at, Region(left - screen.x, top - screen.y, right - left, bottom - top)

    def pointer(self) -> tuple[int, float, float]:
        """Which still the pointer is on, and where in physical pixels of the desktop."""
        at = QCursor.pos()
        number = next(
            (number for number, still in enumerate(self.stills) if still.place.contains(at)), 0
        )
        still = self.stills[number]
        ratio = still.image.width() / max(1, still.place.width())
        inside = (at - still.place.topLeft()).toPointF() * ratio
        return number, still.corner[0] + inside.x(), still.corner[1] + inside.y()


class Camera:
    """Captures every screen at once."""

    async def shoot(self, never: Sequence[str] = ()) -> Roll:
        """What no picture may show is black: our own windows, the programs in `never`. Raises
        CaptureFault."""
        scene = await freeze(never)
        stills = tuple(
            replace(
                develop(shot, number), windows=scene.windows, corner=(shot.region.x, shot.region.y)
            )
            for number, shot in enumerate(scene.shots)
        )
        return Roll(scene.shots, stills, scene.windows)


def develop(shot: Shot, number: int) -> Still:
    """The shot as a picture that stands where its screen does."""
    return Still(shot.name, as_image(shot), _place(shot, number))


def _burnt(picture: QImage, shot: Shot, x: int, y: int) -> Frame:
    return to_frame(to_shot(picture, shot.name, x=x, y=y, scale=shot.scale))


def _shown(shot: Shot, region: Region) -> int:
    """How many pixels of a region of the desktop a shot shows."""
    place = QRect(shot.region.x, shot.region.y, shot.width, shot.height)
    both = place.intersected(QRect(region.x, region.y, region.width, region.height))
    return max(0, both.width()) * max(0, both.height())


def _place(shot: Shot, number: int) -> QRect:
    screens = QGuiApplication.screens()
    return _screen(shot, screens, number).geometry()


def _screen(shot: Shot, screens: list[QScreen], number: int) -> QScreen:
    """By name, else by its corner, which Qt never scales on X11 and Windows, else by its turn."""
    for screen in screens:
        if screen.name() == shot.name:
            return screen
    for screen in screens:
        corner = screen.geometry().topLeft()
        if (corner.x(), corner.y()) == (shot.region.x, shot.region.y):
            return screen
    return screens[min(number, len(screens) - 1)]
