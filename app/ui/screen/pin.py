"""A picture pinned to the screen: frameless, above everything, one of its pixels on one of the
screen's until it is zoomed; knows nothing of where it came from."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QObject,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from app.ui.look import Look
from app.ui.menu import Menu
from app.ui.screen.keeping import Keeper
from app.ui.tasks import Tasks
from app.vocabulary import Fault

STEP = 1.1  # one notch of the wheel
LEAST_SIDE = 24  # px: a pin that is smaller is never found again
MOST = 8.0  # times its own size
FAINTEST = 0.2
SAID = 1_200  # ms that a word about it stands
FLAGS = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint


class Pin(QWidget):
    """Drag moves it, the wheel and + and - zoom, 0 is its own size, Ctrl+wheel fades it; Esc, a
    double click or the middle button closes it."""

    copied = Signal()
    save_wanted = Signal()
    closed = Signal()

    def __init__(self, look: Look, image: QImage) -> None:
        super().__init__(None, FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
        self.setWindowTitle(self.tr("Pinned picture"))
        self.setAccessibleName(self.tr("Pinned picture"))
        self._look = look
        self.image = image
        self._pixmap = QPixmap.fromImage(image)
        self.zoom = 1.0  # the screen's pixels a pixel of the picture
        self._held: QPoint | None = None
        self._said = ""
        self._silence = QTimer(self, singleShot=True, interval=SAID)
        self._silence.timeout.connect(lambda: self.say(""))
        self.setCursor(Qt.CursorShape.SizeAllCursor)
        look.changed.connect(self.update)

    def open(self, at: QPoint) -> None:
        """Where its corner was on the screen, if all of it is to be seen there."""
        screen = QGuiApplication.screenAt(at) or QGuiApplication.primaryScreen()
        self.setScreen(screen)
        room = screen.availableGeometry()
        by = self.zoom / screen.devicePixelRatio()  # this window has none before it is shown
        size = QSize(round(self.image.width() * by), round(self.image.height() * by))
        x = max(room.left(), min(at.x(), room.right() + 1 - size.width()))
        y = max(room.top(), min(at.y(), room.bottom() + 1 - size.height()))
        self.setGeometry(QRect(QPoint(x, y), size))
        self.show()
        self.activateWindow()

    def _size(self, zoom: float) -> QSize:
        """In logical pixels; a frame of one stands inside the picture's edge."""
        by = zoom / self.devicePixelRatioF()
        wide, high = round(self.image.width() * by), round(self.image.height() * by)
        return QSize(max(1, wide), max(1, high))

    # --- zoom and opacity -------------------------------------------------------------------

    def magnify(self, factor: float, about: QPointF | None = None) -> None:
        """The point `about` of the window stays where it is."""
        least = min(1.0, LEAST_SIDE / max(1, min(self.image.width(), self.image.height())))
        zoom = min(max(self.zoom * factor, least), MOST)
        if abs(zoom - 1.0) < 0.04:
            zoom = 1.0  # ten notches there and back must not blur it
        self._zoom_to(zoom, about or self.rect().toRectF().center())

    def natural(self) -> None:
        self._zoom_to(1.0, self.rect().toRectF().center())

    def _zoom_to(self, zoom: float, about: QPointF) -> None:
        before, size = self.size(), self._size(zoom)
        self.zoom = zoom
        x = self.x() + about.x() * (1 - size.width() / before.width())
        y = self.y() + about.y() * (1 - size.height() / before.height())
        self.setGeometry(QRect(QPoint(round(x), round(y)), size))
        self.say(f"{zoom:.0%}")

    def fade(self, by: float) -> None:
        opacity = min(1.0, max(FAINTEST, self.windowOpacity() + by))
        self.setWindowOpacity(opacity)
        self.say(self.tr("Opacity {share}").format(share=f"{opacity:.0%}"))

    def say(self, text: str) -> None:
        """A word in its corner, for a moment."""
        self._said = text
        self._silence.start() if text else self._silence.stop()
        self.update()

    # --- the mouse and the keyboard ---------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.fade(0.1 if turn > 0 else -0.1)
        elif turn:
            self.magnify(STEP if turn > 0 else 1 / STEP, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = event.globalPosition().toPoint() - self.pos()
        elif event.button() == Qt.MouseButton.MiddleButton:
            self.close()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None:
            return
        there = event.globalPosition().toPoint() - self._held
        if QGuiApplication.platformName() != "wayland":
            self.move(there)
        elif (there - self.pos()).manhattanLength() > 3:
            self._held = None  # there a window can't place itself
            self.windowHandle().startSystemMove()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._held = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        match event.key():
            case Qt.Key.Key_Escape:
                self.close()
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.magnify(STEP)
            case Qt.Key.Key_Minus:
                self.magnify(1 / STEP)
            case Qt.Key.Key_0:
                self.natural()
            case Qt.Key.Key_C if control:
                self.copy()
            case Qt.Key.Key_S if control:
                self.save_wanted.emit()
            case _:
                super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def menu(self) -> QMenu:
        menu = Menu(self)
        icons = self._look.icons
        menu.addAction(icons.icon("copy"), self.tr("Copy"), "Ctrl+C", self.copy)
        menu.addAction(icons.icon("download"), self.tr("Save…"), "Ctrl+S", self.save_wanted.emit)
        menu.addAction(icons.icon("zoom-in"), self.tr("Own size"), "0", self.natural)
        menu.addSeparator()
        menu.addAction(icons.icon("x"), self.tr("Close"), "Esc", self.close)
        return menu

    def copy(self) -> None:
        QGuiApplication.clipboard().setImage(self.image)
        self.say(self.tr("Copied"))
        self.copied.emit()

    def closeEvent(self, _event: QCloseEvent) -> None:
        self.closed.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.resize(self._size(self.zoom))  # it was moved to a screen of other pixels
        return super().event(event)

    # --- what is drawn ----------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        smooth = self.zoom not in (1.0, 2.0) and self.zoom < 3
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        by = self.zoom / self.devicePixelRatioF()
        whole = QRectF(0, 0, self.image.width() * by, self.image.height() * by)
        painter.drawPixmap(whole, self._pixmap, QRectF(self._pixmap.rect()))
        focused = self.isActiveWindow()
        edge = QColor(self._look.theme.accent if focused else self._look.theme.edge)
        painter.setPen(QPen(edge, 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        if self._said:
            self._draw_said(painter)

    def _draw_said(self, painter: QPainter) -> None:
        size = painter.fontMetrics().size(0, self._said) + QSize(16, 8)
        box = QRectF(QPointF(8, 8), size)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#1D1C1A"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._said)


class Pins(QObject):
    """The pinned pictures there are; it holds them until they are closed."""

    def __init__(self, look: Look, keeper: Keeper, tasks: Tasks) -> None:
        super().__init__()
        self._look = look
        self._keeper = keeper
        self._tasks = tasks
        self.pins: list[Pin] = []

    def pin(self, image: QImage, at: QPoint) -> Pin:
        """`at` is where the picture's corner stands on the desktop, in logical pixels."""
        made = Pin(self._look, image)
        made.save_wanted.connect(lambda: self._tasks.spawn(self._save(made), "save a pin"))
        made.closed.connect(lambda: self._drop(made))
        self.pins.append(made)
        made.open(at)
        return made

    def close(self) -> None:
        for pin in tuple(self.pins):
            pin.close()

    def _drop(self, pin: Pin) -> None:
        if pin in self.pins:
            self.pins.remove(pin)
            pin.deleteLater()

    async def _save(self, pin: Pin) -> None:
        try:
            if await self._keeper.keep(pin, pin.image):
                pin.say(pin.tr("Saved"))
        except Fault as fault:
            pin.say(fault.message)
