"""One screen as it was when everything froze; knows no widget."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage

from app.capture.windows import DesktopWindow, window_at
from app.vocabulary import Region


@dataclass(frozen=True, slots=True)
class Still:
    """Its pixels, where it stands in logical ones, the windows of the desktop in physical ones, and
    the screen's own corner among these."""

    name: str
    image: QImage
    place: QRect
    windows: tuple[DesktopWindow, ...] = ()
    corner: tuple[int, int] = (0, 0)

    def window_at(self, at: QPointF) -> DesktopWindow | None:
        """The window that shows at a point of the picture."""
        return window_at(self.windows, at.x() + self.corner[0], at.y() + self.corner[1])

    def part(self, window: DesktopWindow) -> Region:
        """Where it stands on the picture, what lies beside it too."""
        place, (x, y) = window.place, self.corner
        return Region(place.x - x, place.y - y, place.width, place.height)
