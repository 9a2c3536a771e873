"""Our own windows that stand on an area go while it is recorded, and come back after it; one that
comes meanwhile is told at once. Knows no recorder."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

MOVES = frozenset({QEvent.Type.Show, QEvent.Type.Move, QEvent.Type.Resize})
BARE, POPUP, TIP = (
    Qt.WindowType.FramelessWindowHint,
    Qt.WindowType.Popup,
    Qt.WindowType.ToolTip,
)
FRAME = 40  # px that a window manager may put around a window


class Clearing:
    """Hides them at once; `area` in Qt's pixels, None where nobody can tell where windows are."""

    def __init__(self, area: QRect | None) -> None:
        self._hidden: list[tuple[QWidget, QPoint]] = [
            (window, window.pos())
            for window in QApplication.topLevelWidgets()
            if window.isVisible() and (area is None or window.frameGeometry().intersects(area))
        ]
        for window, _ in self._hidden:
            window.hide()

    @property
    def hidden(self) -> bool:
        """Whether any had to go."""
        return bool(self._hidden)

    def back(self) -> None:
        """Where they were, and without the keys; those that somebody closed meanwhile stay so."""
        hidden, self._hidden = self._hidden, []
        for window, corner in hidden:
            before = window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
            window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
            window.show()
            window.move(corner)  # a window manager may place it anew
            window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, before)


class Arrivals(QObject):
    """`came` carries where a window of ours is about to be, in Qt's pixels: the desktop lists it
    only when it is there already. `but` are those that may come and go."""

    came = Signal(QRect)

    def __init__(self, but: Sequence[QWidget]) -> None:
        super().__init__()
        self._but = but
        self._application = QApplication.instance()
        if self._application is not None:
            self._application.installEventFilter(self)

    def close(self) -> None:
        if self._application is not None:
            self._application.removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in MOVES and isinstance(watched, QWidget) and watched.isWindow():
            self._tell(watched)
        return False

    def _tell(self, window: QWidget) -> None:
        if window in self._but or not window.isVisible():
            return
        bare = window.windowFlags() & BARE or window.windowType() in (POPUP, TIP)
        frame = 0 if bare else FRAME
        self.came.emit(window.geometry().adjusted(-frame, -frame, frame, frame))
