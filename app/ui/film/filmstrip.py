"""A recording as a strip of thumbnails with a handle at either end of what is kept; knows no file
and no decoder."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from app.ui.film import clock
from app.ui.look import Look

HEIGHT = 64  # px
GRIP = 14  # px, a handle's width
LEAST = 200  # ms that are kept at least
STEP, LEAP = 100, 1000  # ms: an arrow, with Shift or Page


class Grip(QAbstractSlider):
    """One handle, a slider of milliseconds to those who don't see it."""

    held = Signal()  # the focus came here
    dragged = Signal(int)  # to where on the strip, px

    def __init__(self, look: Look, name: str, *, left: bool) -> None:
        super().__init__()
        self._look = look
        self._left = left
        self._grasp = 0  # px from the pointer to the end of what is kept
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setSingleStep(STEP)
        self.setPageStep(LEAP)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.resize(GRIP, HEIGHT)
        look.changed.connect(lambda _: self.update())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -LEAP, Qt.Key.Key_Right: LEAP}.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.setValue(self.value() + step)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grasp = (GRIP if self._left else 0) - event.position().toPoint().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(self.x() + event.position().toPoint().x() + self._grasp)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.held.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        path = QPainterPath()
        path.addRoundedRect(box, 5, 5)
        flat = box.adjusted(GRIP / 2, 0, 0, 0) if self._left else box.adjusted(0, 0, -GRIP / 2, 0)
        path.addRect(flat)
        path.setFillRule(Qt.FillRule.WindingFill)
        painter.fillPath(path, QColor(theme.ink if self.hasFocus() else theme.accent))
        painter.setPen(QPen(QColor(theme.paper if self.hasFocus() else theme.on_accent), 2))
        middle = box.center()
        painter.drawLine(
            QPoint(round(middle.x()), round(middle.y()) - 9),
            QPoint(round(middle.x()), round(middle.y()) + 9),
        )


class Filmstrip(QWidget):
    """`moved`: what is kept changed; `looked` carries the moment in seconds that is looked at."""

    moved = Signal()
    looked = Signal(float)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._length = 0  # ms
        self._pictures: tuple[QImage, ...] = ()
        self._at: float | None = None  # s
        self.first = Grip(look, self.tr("Start"), left=True)
        self.last = Grip(look, self.tr("End"), left=False)
        for grip in (self.first, self.last):
            grip.setParent(self)
            grip.valueChanged.connect(lambda _, grip=grip: self._moved(grip))
            grip.held.connect(lambda grip=grip: self._look_at(grip.value() / 1000))
            grip.dragged.connect(lambda x, grip=grip: grip.setValue(self._moment(x)))
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("What is kept of the recording"))
        look.changed.connect(lambda _: self.update())

    # --- what it shows ----------------------------------------------------------------------

    @property
    def start(self) -> float:
        return self.first.value() / 1000

    @property
    def end(self) -> float:
        return self.last.value() / 1000

    def show_length(self, seconds: float) -> None:
        """All of a recording of so many seconds."""
        self._length = max(1, round(seconds * 1000))
        for grip in (self.first, self.last):
            grip.blockSignals(True)
            grip.setRange(0, self._length)
        self.last.setValue(self._length)
        self.first.setValue(0)
        for grip in (self.first, self.last):
            grip.blockSignals(False)
        self._place()

    def show_pictures(self, pictures: Sequence[QImage]) -> None:
        """The thumbnails, evenly spread over the recording."""
        self._pictures = tuple(pictures)
        self.update()

    def near(self, seconds: float) -> QImage:
        """The thumbnail of the stretch that holds a moment; null while there is none."""
        if not self._pictures:
            return QImage()
        share = seconds * 1000 / max(1, self._length)
        return self._pictures[min(len(self._pictures) - 1, int(share * len(self._pictures)))]

    def show_moment(self, seconds: float | None) -> None:
        """A thin line where the preview is."""
        self._at = seconds
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(640, HEIGHT)

    # --- what is done to it -----------------------------------------------------------------

    def _moved(self, grip: Grip) -> None:
        """The other handle is never passed."""
        least = min(LEAST, self._length)
        if grip is self.first:
            grip.setValue(min(grip.value(), self.last.value() - least))
        else:
            grip.setValue(max(grip.value(), self.first.value() + least))
        self._place()
        self._look_at(grip.value() / 1000)
        self.moved.emit()

    def _look_at(self, seconds: float) -> None:
        self._at = seconds
        self.update()
        self.looked.emit(seconds)

    def _place(self) -> None:
        self.first.move(self._x(self.first.value()) - GRIP, 0)
        self.last.move(self._x(self.last.value()), 0)
        for grip in (self.first, self.last):
            grip.setAccessibleDescription(clock.moment(grip.value() / 1000))
        self.update()

    def _x(self, moment: int) -> int:
        return GRIP + round((self.width() - 2 * GRIP) * moment / max(1, self._length))

    def _moment(self, x: float) -> int:
        room = max(1, self.width() - 2 * GRIP)
        return round(min(1.0, max(0.0, (x - GRIP) / room)) * self._length)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._look_at(self._moment(event.position().x()) / 1000)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._look_at(self._moment(event.position().x()) / 1000)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    # --- how it looks -----------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        film = QRect(GRIP, 0, self.width() - 2 * GRIP, HEIGHT)
        painter.fillRect(film, QColor(theme.panel))
        self._draw_pictures(painter, film)
        kept = QRect(self._x(self.first.value()), 0, 0, HEIGHT)
        kept.setRight(self._x(self.last.value()) - 1)
        veil = QColor(theme.paper)
        veil.setAlpha(190)
        painter.fillRect(film.left(), 0, kept.left() - film.left(), HEIGHT, veil)
        painter.fillRect(kept.right() + 1, 0, film.right() - kept.right(), HEIGHT, veil)
        for y in (0, HEIGHT - 3):
            painter.fillRect(kept.left(), y, kept.width(), 3, QColor(theme.accent))
        if self._at is not None:
            x = self._x(round(self._at * 1000))
            painter.fillRect(x - 2, 3, 4, HEIGHT - 6, QColor(theme.paper))
            painter.fillRect(x - 1, 3, 2, HEIGHT - 6, QColor(theme.ink))

    def _draw_pictures(self, painter: QPainter, film: QRect) -> None:
        count = len(self._pictures)
        for number, picture in enumerate(self._pictures):
            left = film.left() + film.width() * number // count
            right = film.left() + film.width() * (number + 1) // count
            cell = QRect(left, 0, right - left, HEIGHT)
            part = _cover(picture.size(), cell.size())
            painter.drawImage(cell, picture, part)


def _cover(picture: QSize, cell: QSize) -> QRect:
    """The middle of a picture in the shape of a cell."""
    if picture.isEmpty() or cell.isEmpty():
        return QRect()
    part = cell.scaled(picture, Qt.AspectRatioMode.KeepAspectRatio)
    return QRect(
        (picture.width() - part.width()) // 2,
        (picture.height() - part.height()) // 2,
        part.width(),
        part.height(),
    )
