"""The screens as stills to choose from, and the chosen part as a frame; between the capture room,
which knows no widget, and the overlay, which knows no screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QScreen

from app.capture.encode import as_image, to_frame
from app.capture.grab import grab_shots
from app.capture.shot import Shot
from app.ui.pane import Still
from app.vocabulary import Frame, Region


@dataclass(frozen=True, slots=True)
class Roll:
    """What one shooting gave: a still for every shot, in the same order."""

    shots: tuple[Shot, ...]
    stills: tuple[Still, ...]

    async def cut(self, at: int, region: Region) -> Frame:
        """The part of one still, encoded aside. Raises CaptureFault."""
        return await asyncio.to_thread(to_frame, self.shots[at], region)


class Camera:
    """Captures every screen at once."""

    async def shoot(self) -> Roll:
        """Raises CaptureFault."""
        shots = await grab_shots()
        return Roll(shots, tuple(develop(shot, number) for number, shot in enumerate(shots)))


def develop(shot: Shot, number: int) -> Still:
    """The shot as a picture that stands where its screen does."""
    return Still(shot.name, as_image(shot), _place(shot, number))


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
