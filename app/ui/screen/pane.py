"""One frozen screen, and what is marked on it by mouse and keys; knows no other screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QEnterEvent,
    QFont,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QPushButton, QWidget

from app.capture.windows import DesktopWindow
from app.ui.screen import lens
from app.ui.screen.drag import REACH, Drag
from app.ui.screen.hint import Hint
from app.ui.screen.marking import Marking
from app.ui.screen.still import Still
from app.ui.screen.studio import Studio
from app.ui.screen.veil import Veil
from app.ui.theme import SMALL
from app.vocabulary import Region

ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
SHAPES = {
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
}
FLAGS = (
    Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
)

MakeStudio = Callable[[QWidget, QImage], Studio]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What stands on the still; two that are equal look the same."""

    lit: QRect | None = None  # in the picture's pixels
    grips: bool = False
    label: str = ""
    label_at: QRectF = field(default_factory=QRectF)
    lens: QRect | None = None
    under: QPoint = field(default_factory=QPoint)  # the picture's pixel under the pointer


class Pane(QWidget):
    """One screen's window. `confirmed` carries the Region in this screen's own pixels, `done` comes
    where the studio has dealt with it itself (copied, saved, pinned). Regions marked before are the
    overlay's: `past_wanted` asks for an older (1) or a newer one (-1)."""

    confirmed = Signal(object)  # Region
    cancelled = Signal()
    done = Signal()
    marked = Signal()
    entered = Signal()
    past_wanted = Signal(int)

    def __init__(self, still: Still, studio: MakeStudio | None, take: str) -> None:
        super().__init__(None, _flags())
        self._still = still
        self._make_studio = studio
        self.studio: Studio | None = None
        self._veil = Veil(still.image)
        self.marking = Marking(still.image.width(), still.image.height())
        self.window_id: int | None = None  # of the window that was clicked, while it is marked
        self._drag = Drag()
        self._space = False
        self._scene = _Scene()
        self.hint: Hint | None = None
        self.setAccessibleName(self.tr("Mark a region of {screen}").format(screen=still.name))
        self.setWindowTitle(self.tr("Capture"))
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        for attribute in (Qt.WidgetAttribute.WA_OpaquePaintEvent, _NO_GROUND):
            self.setAttribute(attribute)  # every pixel is painted here
        screen = QGuiApplication.screenAt(still.place.center())
        if screen is not None:
            self.setScreen(screen)
        self.setGeometry(still.place)
        self._take = self._take_button(take)

    def _take_button(self, text: str) -> QPushButton:
        """What ends the marking where no studio stands."""
        made = QPushButton(text, self)
        made.setProperty("role", "primary")
        made.setCursor(Qt.CursorShape.ArrowCursor)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(self.confirm)
        made.hide()
        return made

    def open(self) -> None:
        if _bypasses():
            self.show()
        else:
            self.showFullScreen()

    def show_hint(self, *, full: bool) -> None:
        self.hint = Hint(self, full=full)
        self.hint.stand()
        self.hint.setVisible(self.marking.region is None)

    # --- what is marked -----------------------------------------------------------------------

    def settle(self, marking: Marking, window: int | None = None) -> None:
        """Shows it as marked, with everything that can be done with it."""
        self._mark(marking, window)
        if marking.region is not None and self._make_studio is not None and self.studio is None:
            self.studio = self._open_studio(self._make_studio)
        if self.studio is not None:
            self.studio.show_region(marking.region)
        self._place_button()

    def _open_studio(self, make: MakeStudio) -> Studio:
        studio = make(self, self._still.image)
        studio.setGeometry(self.rect())
        studio.asked.connect(self.confirm)
        studio.attached.connect(self.confirm)
        studio.cancelled.connect(self.cancelled)
        for done in (studio.copied, studio.saved, studio.pinned):
            done.connect(self._finish)
        return studio

    def _finish(self) -> None:
        self.done.emit()

    def _mark(self, marking: Marking, window: int | None = None) -> None:
        self.marking, self.window_id = marking, window
        if self.hint is not None:
            self.hint.setVisible(marking.region is None and not self._drag.begun)
        if marking.region is not None:
            self.marked.emit()
        self._show()

    def _place_button(self) -> None:
        region = self.marking.region
        self._take.setVisible(
            region is not None and self._make_studio is None and not self._drag.begun
        )
        if region is None:
            return
        size = self._take.sizeHint()
        box = self._veil.logical(_rect(region))
        x = max(8, min(round(box.right()) - size.width(), self.width() - size.width() - 8))
        below = round(box.bottom()) + 12
        fits = below + size.height() + 8 <= self.height()
        self._take.move(x, below if fits else round(box.bottom()) - size.height() - 12)

    def confirm(self) -> None:
        """Takes what is marked, else what the pointer shows, else the whole screen."""
        if self.marking.region is None:
            self.settle(*self._aimed())
        assert self.marking.region is not None
        self.confirmed.emit(self.marking.region)

    def _aimed(self) -> tuple[Marking, int | None]:
        """The window under the pointer, else the whole screen."""
        window = self._hovered()
        if window is not None:
            return self.marking.put(self._still.part(window)), window.id
        return self.marking.put(self.marking.whole), None

    def _hovered(self) -> DesktopWindow | None:
        at = self._drag.pointer
        return None if at is None else self._still.window_at(at)

    def picture(self) -> QImage | None:
        """What is marked with the studio's marks burnt in; None where no studio stands."""
        return None if self.studio is None else self.studio.picture()

    # --- the mouse ----------------------------------------------------------------------------

    def _point(self, event: QMouseEvent | QEnterEvent) -> QPointF:
        return event.position() * self._veil.scale

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self.cancelled.emit()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._drag.press(self._point(event), self.marking, self._veil.scale)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move(event)
        if self._drag.begun:
            self._mark(self._drag.drawn(self.marking))
        elif not self._drag.pressed:
            self._shape_cursor()
            self._show()

    def _move(self, event: QMouseEvent) -> None:
        was = self._drag.begun
        self._drag.move(self._point(event), self._veil.scale, along=self._space)
        if self._drag.begun and not was:
            self._take.hide()
            if self.studio is not None:
                self.studio.show_region(None)
                self.grabMouse()  # the studio heard the press, and what is hidden hears no release

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self._drag.pressed:
            return
        self._move(event)
        drawn = self._drag.drawn(self.marking) if self._drag.begun else None
        held = self._drag.holds
        self._drag.release()
        self.releaseMouse()
        if drawn is not None:
            self.settle(drawn)
        elif not held and self.marking.region is not None:
            self.settle(self.marking.clear())
        elif not held:
            self.settle(*self._aimed())
        self._shape_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag.release()
            self.confirm()

    def _shape_cursor(self) -> None:
        shape = Qt.CursorShape.CrossCursor
        if self._drag.pointer is not None:
            x, y = self._drag.pointer.x(), self._drag.pointer.y()
            grip = self.marking.grip(x, y, REACH * self._veil.scale)
            if grip is not None:
                across, down = grip if grip in SHAPES else (-grip[0], -grip[1])
                shape = SHAPES[across, down]
            elif self.marking.holds(x, y):
                shape = Qt.CursorShape.SizeAllCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._drag.pointer = self._point(event)
        self.entered.emit()
        self._show()

    def leaveEvent(self, event: QEvent) -> None:
        if not self._drag.pressed:
            self._drag.pointer = None
            self._show()

    # --- the keyboard -------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.confirm()
        elif key in ARROWS and not self._drag.begun:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step = 10 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1
            dx, dy = (part * step for part in ARROWS[key])
            self.settle(self.marking.grow(dx, dy) if shift else self.marking.move(dx, dy))
        elif key == Qt.Key.Key_Space:
            self._space = True
        elif key in (Qt.Key.Key_Comma, Qt.Key.Key_Period):
            self.past_wanted.emit(1 if key == Qt.Key.Key_Comma else -1)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
        super().keyReleaseEvent(event)

    # --- what is drawn ------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._veil.fit(self.size(), self.devicePixelRatioF())
        if self.studio is not None:
            self.studio.setGeometry(self.rect())
        if self.hint is not None:
            self.hint.stand()
        self._scene = self._seen()
        self._place_button()

    def _show(self) -> None:
        """Asks for what looks different now, and no more: a whole screen takes too long."""
        before, self._scene = self._scene, self._seen()
        now = self._scene
        dirty = self._veil.changed(before.lit, now.lit)
        if before.grips != now.grips:
            dirty = dirty.united(self._veil.frame(now.lit))
        if (before.label, before.label_at) != (now.label, now.label_at):
            for box in (before.label_at, now.label_at):
                dirty = dirty.united(QRegion(box.toAlignedRect()))
        if (before.lens, before.under) != (now.lens, now.under):
            for glass in (before.lens, now.lens):
                dirty = dirty.united(QRegion(glass)) if glass is not None else dirty
        self.update(dirty)

    def _seen(self) -> _Scene:
        region = self.marking.region
        marked = region is not None
        window = None if marked or self._drag.pressed else self._hovered()
        part = region or (self.marking.put(self._still.part(window)).region if window else None)
        lit = None if part is None else _rect(part)
        at = self._drag.pointer or QPointF()
        glass = lens.place((at / self._veil.scale).toPoint(), self.rect())
        looking = self._drag.pointer is not None and (self._drag.begun or not marked)
        looking = looking and (self.hint is None or self.hint.give_way(glass))
        under = QPoint(int(at.x()), int(at.y()))
        label, box = self._label(part, window)
        return _Scene(
            lit=lit,
            grips=marked and not self._drag.begun,
            label=label,
            label_at=box,
            lens=glass if looking else None,
            under=under if looking else QPoint(),
        )

    def _label(self, part: Region | None, window: DesktopWindow | None) -> tuple[str, QRectF]:
        if part is None:
            return "", QRectF()
        size = f"{part.width} × {part.height}"
        text = f"{_short(window.title)}   {size}" if window and window.title else size
        box = self._veil.logical(_rect(part))
        tall = lens.plate(self._font(), text, QPointF()).size()
        above = box.top() - tall.height() - 8
        x = min(max(4.0, box.left()), self.width() - tall.width() - 4)
        at = QPointF(x, above if above >= 4 else max(4.0, box.top()) + 8)
        return text, QRectF(at, tall)

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(SMALL + 1)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        scene = self._scene
        self._veil.paint(painter, event.region(), scene.lit)
        if scene.lit is not None:
            self._veil.outline(painter, scene.lit, grips=scene.grips)
            painter.setFont(self._font())
            lens.paint_label(painter, scene.label_at, scene.label)
        if scene.lens is not None and event.region().intersects(scene.lens):
            lens.paint(painter, scene.lens, self._still.image, scene.under)

    def find_pointer(self) -> None:
        """Where the pointer stands already: no event tells of one that rests."""
        at = self.mapFromGlobal(QCursor.pos())
        inside = self.rect().contains(at)
        self._drag.pointer = at.toPointF() * self._veil.scale if inside else None
        self._show()


_NO_GROUND = Qt.WidgetAttribute.WA_NoSystemBackground


def _flags() -> Qt.WindowType:
    return FLAGS | Qt.WindowType.BypassWindowManagerHint if _bypasses() else FLAGS


def _bypasses() -> bool:
    """On X11 no window manager is asked: none can then place the pane elsewhere, put a panel over
    it or let it fade in, and it is there a good deal sooner."""
    return QGuiApplication.platformName() == "xcb"


def _rect(region: Region) -> QRect:
    return QRect(region.x, region.y, region.width, region.height)


def _short(text: str) -> str:
    return text if len(text) <= 48 else f"{text[:47]}…"
