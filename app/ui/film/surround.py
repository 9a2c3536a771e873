"""What stands around an area while it is recorded: the border, the bar, the countdown; knows no
recorder and no file."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.capture.obstacle import wayland
from app.capture.record.facts import Area, Progress
from app.capture.windows import DesktopWindow
from app.settings import Recording
from app.ui.film.around import Ground, ground_of, logical, physical, spot
from app.ui.film.bar import Bar
from app.ui.film.border import Border, Countdown
from app.ui.look import Look
from app.vocabulary import Region

ROUNDED = 4  # px that two of the desktop's places may differ by and be the same


class Surround(QObject):
    """Made for one recording; `bar` tells what the user wants. On Wayland it is all there is: the
    desktop marks what it shares, and lets no program say where its windows stand."""

    def __init__(self, look: Look, area: Area, limits: Recording) -> None:
        super().__init__()
        self._limits = limits
        self._placed = not wayland()
        self.border = Border(look)
        self.countdown = Countdown(look)
        self.bar = Bar(look, microphone=limits.microphone)
        self.hidden: tuple[Region, ...] = ()  # what of ours stands inside the area
        self._region = area.region
        self._rect = QRect()
        self._marks: tuple[Region, ...] = ()
        if self._placed:
            self._place(area.region)

    @property
    def area(self) -> QRect | None:
        """In Qt's pixels; None where nobody can tell."""
        return self._rect if self._placed else None

    @property
    def windows(self) -> tuple[QWidget, ...]:
        return (self.border, self.countdown, self.bar)

    def native(self, rect: QRect) -> Region:
        """The desktop's pixels of a rectangle of Qt's on the area's screen."""
        return physical(rect, ground_of(self._region, _grounds()))

    def is_mark(self, window: DesktopWindow) -> bool:
        """Whether it is the border or the number in the middle, which are not in the film."""
        return window.own and any(_alike(window.place, mark) for mark in self._marks)

    def open(self) -> None:
        self.border.setVisible(self._placed)
        self.bar.show()
        self.bar.raise_()

    def show_progress(self, progress: Progress) -> None:
        self.bar.show_progress(progress, self._limits)
        self.border.show_live(progress.state == "recording")
        if self._placed and progress.state == "waiting" and progress.seconds > 0:
            self.countdown.count(progress.seconds, self._rect)
        else:
            self.countdown.end()

    def follow(self, region: Region) -> None:
        """The area is there now."""
        if self._placed and region != self._region:
            self._place(region)

    def close(self) -> None:
        self.countdown.end()
        for window in self.windows:
            window.hide()
            window.deleteLater()

    def _place(self, region: Region) -> None:
        self._region = region
        grounds = _grounds()
        ground = ground_of(region, grounds)
        self._rect = logical(region, ground)
        self.border.surround(self._rect)
        size = self.bar.sizeHint()
        others = [other for other in grounds if other is not ground]
        stands = spot(self._rect, size, ground, others)
        self.bar.setGeometry(QRect(stands.corner, size))
        self.hidden = () if stands.outside else (physical(self.bar.geometry(), ground),)
        number = QRect(QPoint(), self.countdown.size())
        number.moveCenter(self._rect.center())
        marks = (self.border.geometry(), number)
        self._marks = tuple(physical(mark, ground) for mark in marks)


def _alike(one: Region, other: Region) -> bool:
    """The same but for what scaling rounds."""
    sides = zip(
        (one.x, one.y, one.width, one.height),
        (other.x, other.y, other.width, other.height),
        strict=True,
    )
    return all(abs(a - b) <= ROUNDED for a, b in sides)


def _grounds() -> list[Ground]:
    screens = QGuiApplication.screens()
    return [
        Ground(screen.geometry(), screen.availableGeometry(), screen.devicePixelRatio())
        for screen in screens
    ]
