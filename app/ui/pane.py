"""One frozen screen under a veil, and the region being marked on it; knows no other screen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.buttons import label
from app.ui.look import Look
from app.ui.marking import Marking
from app.vocabulary import Region

VEIL = QColor(0, 0, 0, 140)  # 0.55
STILL = 4  # px a hand trembles while it clicks
ZOOM, LENS = 8, 15  # times, picture pixels across the magnifier
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
FLAGS = (
    Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
)


@dataclass(frozen=True, slots=True)
class Still:
    """One screen as it was: its pixels, and where it stands in logical ones."""

    name: str
    image: QImage
    place: QRect


class Pane(QWidget):
    """One screen's window. `confirmed` carries the Region in this screen's own pixels."""

    confirmed = Signal(object)  # Region
    cancelled = Signal()
    marked = Signal()

    def __init__(self, look: Look, still: Still) -> None:
        super().__init__(None, FLAGS)
        self._look = look
        self._pixmap = QPixmap.fromImage(still.image)
        self._pixmap.setDevicePixelRatio(1.0)  # its pixels are counted here, never scaled twice
        self.marking = Marking(still.image.width(), still.image.height())
        self._from: QPointF | None = None
        self._held: Region | None = None  # the region as it was when its moving began
        self.setAccessibleName(self.tr("Mark a region of {screen}").format(screen=still.name))
        self.setWindowTitle(self.tr("Capture"))
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        screen = QGuiApplication.screenAt(still.place.center())
        if screen is not None:
            self.setScreen(screen)
        self.setGeometry(still.place)
        self._hint = label(
            self.tr("Drag to mark a region  ·  click for the whole screen  ·  Esc to leave")
        )
        self._hint.setParent(self)
        # else a drag that begins on the hint would end with it
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._hint.setStyleSheet(
            "background: #1D1C1A; color: #FFFFFF; border-radius: 8px; padding: 8px 14px;"
        )
        self._take = QPushButton(self.tr("Attach"), self)
        self._take.setAccessibleName(self.tr("Attach the marked region"))
        self._take.setProperty("role", "primary")
        self._take.setCursor(Qt.CursorShape.ArrowCursor)
        self._take.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._take.clicked.connect(self._confirm)
        self._take.hide()

    # --- where things are -------------------------------------------------------------------

    def _ratio(self) -> float:
        """Picture pixels per logical pixel; the window covers the screen."""
        return self.marking.width / max(1, self.width())

    def _logical(self, region: Region) -> QRectF:
        ratio = self._ratio()
        return QRectF(
            region.x / ratio, region.y / ratio, region.width / ratio, region.height / ratio
        )

    def mark(self, marking: Marking) -> None:
        self.marking = marking
        self._place_button()
        if marking.region is not None:
            self.marked.emit()
        self.update()

    def _place_button(self) -> None:
        region = self.marking.region
        self._take.setVisible(region is not None and self._from is None)
        self._hint.setVisible(region is None and self._from is None)
        if region is None:
            return
        size = self._take.sizeHint()
        box = self._logical(region)
        x = max(8, min(round(box.right()) - size.width(), self.width() - size.width() - 8))
        below = round(box.bottom()) + 8
        fits = below + size.height() + 8 <= self.height()
        self._take.move(x, below if fits else round(box.bottom()) - size.height() - 8)

    def place_hint(self) -> None:
        self._hint.adjustSize()
        self._hint.move((self.width() - self._hint.width()) // 2, 32)

    # --- the mouse --------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self.cancelled.emit()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._from = event.position()
            at = self._from * self._ratio()
            self._held = self.marking.region if self.marking.holds(at.x(), at.y()) else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None and self._dragged(event):
            self.mark(self._dragged_to(event.position()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._from is None:
            return
        dragged, inside = self._dragged(event), self._held is not None
        marking = self._dragged_to(event.position()) if dragged else self.marking
        self._from = self._held = None
        if dragged or inside:
            self.mark(marking)
        elif self.marking.region is not None:
            self.mark(self.marking.clear())
        else:
            self.confirmed.emit(self.marking.whole)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = None
            self._confirm()

    def _dragged(self, event: QMouseEvent) -> bool:
        start = self._from or event.position()
        return (event.position() - start).manhattanLength() >= STILL

    def _dragged_to(self, at: QPointF) -> Marking:
        ratio = self._ratio()
        start = (self._from or at) * ratio
        end = at * ratio
        if self._held is None:
            return self.marking.drag(start.x(), start.y(), end.x(), end.y())
        by = end - start
        held = Marking(self.marking.width, self.marking.height, self._held)
        return held.move(round(by.x()), round(by.y()))

    # --- the keyboard -----------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._confirm()
        elif key in ARROWS:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step = 10 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1
            dx, dy = (part * step for part in ARROWS[key])
            self.mark(self.marking.grow(dx, dy) if shift else self.marking.move(dx, dy))
        else:
            super().keyPressEvent(event)

    def _confirm(self) -> None:
        self.confirmed.emit(self.marking.region or self.marking.whole)

    # --- what is drawn ----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(QRectF(self.rect()), self._pixmap, QRectF(self._pixmap.rect()))
        painter.fillRect(self.rect(), VEIL)
        region = self.marking.region
        if region is not None:
            self._draw_region(painter, region)
        if self.underMouse() and (region is None or self._from is not None):
            self._draw_lens(painter, self.mapFromGlobal(QCursor.pos()))

    def _draw_region(self, painter: QPainter, region: Region) -> None:
        box = self._logical(region)
        source = QRectF(region.x, region.y, region.width, region.height)
        painter.drawPixmap(box, self._pixmap, source)
        painter.setPen(QPen(QColor(self._look.theme.accent), 2))
        painter.drawRect(box.adjusted(-1, -1, 1, 1))
        above = box.top() - 32
        at = QPointF(max(4.0, box.left()), above if above >= 4 else box.top() + 6)
        self._draw_label(painter, at, f"{region.width} × {region.height} px")

    def _draw_label(self, painter: QPainter, at: QPointF, text: str) -> None:
        size = painter.fontMetrics().size(0, text) + QSize(16, 8)
        box = QRectF(at, size)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#1D1C1A"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _draw_lens(self, painter: QPainter, at: QPoint) -> None:
        """The pixels around the pointer, enlarged, so that an edge can be met exactly."""
        ratio = self._ratio()
        side = LENS * ZOOM
        x = at.x() + 24 if at.x() + 24 + side < self.width() else at.x() - 24 - side
        y = at.y() + 24 if at.y() + 24 + side < self.height() else at.y() - 24 - side
        left, top = int(at.x() * ratio) - LENS // 2, int(at.y() * ratio) - LENS // 2
        box = QRectF(x, y, side, side)
        painter.fillRect(box, QColor("#1D1C1A"))
        painter.drawPixmap(box, self._pixmap, QRectF(left, top, LENS, LENS))
        painter.setPen(QPen(QColor("#FFFFFF"), 1))
        painter.drawRect(box)
        middle = QRectF(x + LENS // 2 * ZOOM, y + LENS // 2 * ZOOM, ZOOM, ZOOM)
        painter.setPen(QPen(QColor(self._look.theme.accent), 2))
        painter.drawRect(middle)
