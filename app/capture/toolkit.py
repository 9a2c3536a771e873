"""Screens as Qt shows them to a running window: their places, and a picture where nothing better
serves. Only for the thread that draws, and only once a QGuiApplication runs."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QGuiApplication

from app.capture.encode import to_shot
from app.capture.obstacle import Obstacle
from app.capture.shot import Monitor, Shot
from app.vocabulary import CaptureFault, Region

_WITHOUT_SCREENS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def obstacle() -> Obstacle | None:
    """Why this way does not serve here; None if it does."""
    if QGuiApplication.instance() is None:
        return Obstacle("no window runs in this process")
    platform = QGuiApplication.platformName()
    if platform in _WITHOUT_SCREENS:
        return Obstacle(f"Qt draws without a screen here ({platform})", kind="no_display")
    if platform.startswith("wayland"):
        return Obstacle("Wayland shows a program its own windows only")
    return None


def grab() -> tuple[Shot, ...]:
    """One shot a screen. Raises CaptureFault."""
    shots: list[Shot] = []
    for screen in QGuiApplication.screens():
        picture = screen.grabWindow(0)
        if picture.isNull():
            raise CaptureFault("capture_failed", f"The screen {screen.name()} gave no picture.")
        corner = screen.geometry().topLeft()  # Qt scales sizes, not corners
        shots.append(
            to_shot(
                picture.toImage(),
                screen.name(),
                x=corner.x(),
                y=corner.y(),
                scale=screen.devicePixelRatio(),
            )
        )
    return tuple(shots)


def monitors() -> tuple[Monitor, ...]:
    """The screens Qt knows, empty where no window runs."""
    if QGuiApplication.instance() is None:
        return ()
    return tuple(
        Monitor(
            screen.name(),
            Region(place.x(), place.y(), place.width(), place.height()),
            screen.devicePixelRatio(),
        )
        for screen in QGuiApplication.screens()
        for place in (screen.geometry(),)
    )


def with_scales(shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
    """The shots of X11 and Windows with the scale that Qt uses on their screens."""
    scales = {(monitor.place.x, monitor.place.y): monitor.scale for monitor in monitors()}
    return tuple(
        replace(shot, scale=scales.get((shot.region.x, shot.region.y), shot.scale))
        for shot in shots
    )
