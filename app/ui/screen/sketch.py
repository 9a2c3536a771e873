"""The sheet over the frozen selection on which marks are drawn, taken up, moved and written; knows
a hand and what it holds, no bar, no key and nothing that is done with the picture."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from app.ui.screen.hand import Hand
from app.ui.screen.ink import Mosaic, against, paint
from app.ui.screen.marks import Label, bounds, label_font, rect, touched
from app.ui.screen.writing import Field
from app.vocabulary import Region

EDGE = 6  # px around a mark that its frame takes


class Sketch(QWidget):
    """A child that covers its pane. What it has no use for, a press beside every mark while no
    tool is chosen, goes on to the pane. `drawn` comes after every deed; `touched` when the mouse
    is pressed."""

    drawn = Signal()
    touched = Signal()

    def __init__(self, pane: QWidget, still: QImage) -> None:
        super().__init__(pane)
        self._pane, self._still = pane, still
        self._region: Region | None = None
        self._mosaic = Mosaic(still)
        self._field: Field | None = None
        self._rewritten: Label | None = None  # what the field goes on with
        self.hand = Hand(still.width(), still.height(), 1.0)
        self.setMouseTracking(True)

    def enter(self, region: Region | None) -> None:
        """Marks are made and seen inside `region` from now on."""
        self.end_field()
        self._region = region
        if region is not None:
            self.hand.ratio = self._ratio()
            self.hand.enter(region)
            self.update()

    @property
    def engaged(self) -> bool:
        """Whether Esc means something here and not the overlay's end."""
        return self.hand.tool != "move" or self.hand.chosen is not None or self._field is not None

    def choose_tool(self, tool: str) -> None:
        """A tool by its name; the chosen one again puts it away."""
        self.end_field()
        dropped = self.hand.drop()
        self.hand.take(tool)
        shapes = {"move": None, "label": Qt.CursorShape.IBeamCursor}
        shape = shapes.get(self.hand.tool, Qt.CursorShape.CrossCursor)
        self.unsetCursor() if shape is None else self.setCursor(shape)
        self.show_change(dropped)

    def step_back(self) -> None:
        """Esc closes the innermost thing: the field, the mark, the tool."""
        if self._field is not None:
            field, self._field, self._rewritten = self._field, None, None
            field.forget()
            self._pane.setFocus()
            self.update()
            self.drawn.emit()
        elif self.hand.busy or self.hand.chosen is not None:
            self.show_change(self.hand.drop())
        else:
            self.choose_tool("move")

    def show_change(self, around: QRegion) -> None:
        """A deed is done: only where it was is drawn again."""
        self._refresh(around)
        self.drawn.emit()

    # --- the mouse --------------------------------------------------------------------------

    def _at(self, event: QMouseEvent) -> tuple[float, float]:
        spot = event.position() * self._ratio()
        return spot.x(), spot.y()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.touched.emit()
        at = self._at(event)
        if event.button() == Qt.MouseButton.RightButton and self.engaged:
            self.step_back()
        elif event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
        elif self.hand.tool == "label":
            self._write(*at)
        elif self.hand.tool == "move" and self.hand.under(*at) is None:
            self.show_change(self.hand.drop())
            event.ignore()
        else:
            self.show_change(self.hand.press(*at))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.hand.busy:
            straight = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._refresh(self.hand.move(*self._at(event), straight=straight))
            return
        if self.hand.tool == "move":
            over = self.hand.under(*self._at(event)) is not None
            self.setCursor(Qt.CursorShape.SizeAllCursor) if over else self.unsetCursor()
        event.setAccepted(self.hand.tool != "move")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.hand.busy:
            self.show_change(self.hand.release())
        else:
            event.setAccepted(self.hand.tool != "move")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        mark = self.hand.under(*self._at(event))
        if isinstance(mark, Label):
            self._write(*self._at(event), mark)
        elif mark is not None or self.hand.tool != "move":
            self.mousePressEvent(event)
        else:
            event.ignore()

    # --- writing ----------------------------------------------------------------------------

    def _write(self, x: float, y: float, old: Label | None = None) -> None:
        if self._field is not None:
            self.end_field()  # the click only ended it
            return
        old = old or self.hand.label_at(x, y)
        self.hand.drop()
        style = old.style if old else self.hand.style
        ground = against(style.colour)
        name = f"rgba({ground.red()},{ground.green()},{ground.blue()},200)"
        x, y = (old.x, old.y) if old else (x, y - style.size * 0.7)
        field = Field(self, label_font(style.size / self._ratio()), style.colour, name)
        field.written.connect(lambda text: self._take(x, y, text))
        self._field, self._rewritten = field, old
        spot = self._logical(QRectF(x, y, 0, 0)).topLeft().toPoint()
        field.begin(spot.x(), spot.y(), old.text if old else "", self.rect())
        self.show_change(QRegion() if old is None else touched(old))

    def _take(self, x: float, y: float, text: str) -> None:
        field, self._field = self._field, None
        old, self._rewritten = self._rewritten, None
        if field is not None:
            field.deleteLater()
            self._pane.setFocus()
        self.show_change(self.hand.write(x, y, text, old))

    def end_field(self) -> None:
        """What is being written stands."""
        if self._field is not None:
            self._field.end()

    # --- what is drawn ----------------------------------------------------------------------

    def _ratio(self) -> float:
        """Picture pixels per logical one; the pane covers the screen."""
        return self._still.width() / max(1, self._pane.width())

    def _logical(self, part: QRectF) -> QRectF:
        return _scaled(part, 1 / self._ratio())

    def _refresh(self, around: QRegion) -> None:
        parts = QRegion()
        for part in _parts(_resized(around, 1 / self._ratio())):
            parts = parts.united(part.adjusted(-EDGE, -EDGE, EDGE, EDGE))
        if not parts.isEmpty():
            self.update(parts)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._region is None:
            return
        painter = QPainter(self)
        ratio = self._ratio()
        painter.scale(1 / ratio, 1 / ratio)
        inside = rect(self._region)
        painter.setClipRect(inside, Qt.ClipOperation.IntersectClip)
        dirty = _resized(event.region(), ratio).intersected(inside)
        marks = (mark for mark in self.hand.shown() if mark is not self._rewritten)
        paint(painter, marks, self._mosaic, dirty)
        self._draw_frame(painter)

    def _draw_frame(self, painter: QPainter) -> None:
        """Around the mark that is taken up, in two inks, so that it is seen on any picture."""
        mark = None if self.hand.chosen is None else self.hand.draft or self.hand.chosen
        if mark is None:
            return
        by = 3 * self._ratio()
        around = bounds(mark).adjusted(-by, -by, by, by)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#1D1C1A"), self._ratio()))
        painter.drawRect(around)
        painter.setPen(QPen(QColor("#FFFFFF"), self._ratio(), Qt.PenStyle.DashLine))
        painter.drawRect(around)


def _scaled(part: QRectF, by: float) -> QRectF:
    return QRectF(part.x() * by, part.y() * by, part.width() * by, part.height() * by)


def _resized(region: QRegion, by: float) -> QRegion:
    made = QRegion()
    for part in _parts(region):
        made = made.united(_scaled(QRectF(part), by).toAlignedRect())
    return made


def _parts(region: QRegion) -> Iterator[QRect]:
    """PySide's types do not know that a region is gone through."""
    yield from region  # type: ignore[misc]
