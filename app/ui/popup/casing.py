"""A window without the system's frame: it draws its own, is moved by its ground and resized by its
edges; knows nothing of what it holds."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QHoverEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from app.ui.corners import card, cut
from app.ui.look import Look

ROUND = 10  # px
GRIP = 7  # px at each edge that resize
CORNER = 20  # px along the edges that a corner reaches

CURSORS = {
    Qt.Edge.LeftEdge: Qt.CursorShape.SizeHorCursor,
    Qt.Edge.RightEdge: Qt.CursorShape.SizeHorCursor,
    Qt.Edge.TopEdge: Qt.CursorShape.SizeVerCursor,
    Qt.Edge.BottomEdge: Qt.CursorShape.SizeVerCursor,
    Qt.Edge.LeftEdge | Qt.Edge.TopEdge: Qt.CursorShape.SizeFDiagCursor,
    Qt.Edge.RightEdge | Qt.Edge.BottomEdge: Qt.CursorShape.SizeFDiagCursor,
    Qt.Edge.RightEdge | Qt.Edge.TopEdge: Qt.CursorShape.SizeBDiagCursor,
    Qt.Edge.LeftEdge | Qt.Edge.BottomEdge: Qt.CursorShape.SizeBDiagCursor,
}


class Casing(QWidget):
    """Always on top. `moved_by_hand` and `sized_by_hand` tell of the user's pointer only."""

    moved_by_hand = Signal()
    sized_by_hand = Signal()

    def __init__(self, look: Look) -> None:
        kinds = Qt.WindowType
        flags = kinds.Window | kinds.FramelessWindowHint | kinds.WindowStaysOnTopHint
        super().__init__(None, flags)
        self.look = look
        self._edges = Qt.Edge(0)  # those that are dragged
        self._from: tuple[QPoint, QRect] | None = None  # where a drag of our own began
        # only X11 may be without a compositor; there the corners are cut out instead
        self._cut = QGuiApplication.platformName() == "xcb"
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, not self._cut)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        look.changed.connect(self._redraw)

    @property
    def dragged(self) -> bool:
        """An edge of it is being moved by hand."""
        return self._edges != Qt.Edge(0)

    def _redraw(self, _theme: object) -> None:
        self.update()

    # --- drawing ----------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self.look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._cut:  # what the mask, which has no half pixels, leaves of a corner is edge
            painter.fillRect(self.rect(), QColor(theme.edge))
        else:
            painter.fillPath(card(self, ROUND), QColor(theme.edge))
        painter.fillPath(card(self, ROUND, inset=1), QColor(theme.paper))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._cut:
            cut(self, ROUND)
        if self.dragged:
            self.sized_by_hand.emit()

    # --- moving and resizing ----------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHoverEvent) and event.type() == QEvent.Type.HoverMove:
            if QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
                self._edges = Qt.Edge(0)  # the system, which had the pointer, says no end
            edges = self._edges_at(event.position().toPoint())
            if edges == Qt.Edge(0):
                self.unsetCursor()
            else:
                self.setCursor(CURSORS[edges])
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._edges = self._edges_at(event.position().toPoint())
        handle = self.windowHandle()
        if self._edges == Qt.Edge(0):
            self.moved_by_hand.emit()
            taken = handle.startSystemMove()
        else:
            taken = handle.startSystemResize(self._edges)
        self._from = None if taken else (event.globalPosition().toPoint(), self.geometry())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is None:
            return
        start, place = self._from
        way = event.globalPosition().toPoint() - start
        if self._edges == Qt.Edge(0):
            self.move(place.topLeft() + way)
        else:
            self.setGeometry(self._dragged(place, way))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._from = None
        self._edges = Qt.Edge(0)

    def _dragged(self, place: QRect, way: QPoint) -> QRect:
        """The place with the dragged edges where the pointer took them, never below the least."""
        least, now = self.minimumSize(), QRect(place)
        if self._edges & Qt.Edge.LeftEdge:
            now.setLeft(min(place.left() + way.x(), place.right() + 1 - least.width()))
        if self._edges & Qt.Edge.RightEdge:
            now.setRight(max(place.right() + way.x(), place.left() - 1 + least.width()))
        if self._edges & Qt.Edge.TopEdge:
            now.setTop(min(place.top() + way.y(), place.bottom() + 1 - least.height()))
        if self._edges & Qt.Edge.BottomEdge:
            now.setBottom(max(place.bottom() + way.y(), place.top() - 1 + least.height()))
        return now

    def _edges_at(self, at: QPoint) -> Qt.Edge:
        """Those at this point. A corner is round, so it reaches further along its edges."""
        inside = self.rect().adjusted(GRIP, GRIP, -GRIP, -GRIP)
        if inside.contains(at):
            return Qt.Edge(0)
        edges = Qt.Edge(0)
        if at.x() < CORNER:
            edges |= Qt.Edge.LeftEdge
        elif at.x() >= self.width() - CORNER:
            edges |= Qt.Edge.RightEdge
        if at.y() < CORNER:
            edges |= Qt.Edge.TopEdge
        elif at.y() >= self.height() - CORNER:
            edges |= Qt.Edge.BottomEdge
        return edges
