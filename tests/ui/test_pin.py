"""A pinned picture: its own pixels, moved, zoomed, faded, copied, closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.look import Look
from app.ui.screen.keeping import Keeper
from app.ui.screen.pin import FAINTEST, LEAST_SIDE, Pin, Pins
from app.ui.tasks import Tasks

Hear = Callable[..., list[Any]]
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def pins(qt: QApplication, look: Look, tmp_path: Path) -> Iterator[Pins]:
    keeper = Keeper(tmp_path)
    made = Pins(look, keeper, Tasks(lambda _: None))
    yield made
    made.close()
    qt.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    made.deleteLater()
    keeper.deleteLater()


@pytest.fixture
def pin(pins: Pins, qt: QApplication) -> Pin:
    image = QImage(200, 100, QImage.Format.Format_RGB32)
    for y in range(100):
        for x in range(200):
            image.setPixel(x, y, 0xFF000000 | (x << 16) | (y << 8) | ((x * y) & 0xFF))
    made = pins.pin(image, QPoint(100, 80))
    qt.processEvents()
    return made


def wheel(pin: Pin, turn: int, by: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    at = QPointF(50, 25)
    QApplication.sendEvent(
        pin,
        QWheelEvent(
            at,
            QPointF(pin.pos()) + at,
            QPoint(),
            QPoint(0, 120 * turn),
            Qt.MouseButton.NoButton,
            by,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def test_it_stands_where_it_was_in_its_own_pixels(pin: Pin) -> None:
    assert (pin.pos(), pin.width(), pin.height()) == (QPoint(100, 80), 200, 100)
    shown = pin.grab().toImage()
    inside = [(x, y) for x in range(1, 199) for y in range(1, 99)]  # its frame is the outermost
    assert all(shown.pixelColor(*at) == pin.image.pixelColor(*at) for at in inside)


def test_one_that_would_hang_over_is_drawn_onto_the_screen(pins: Pins, qt: QApplication) -> None:
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    room = QGuiApplication.primaryScreen().availableGeometry()
    assert room.contains(pins.pin(image, room.bottomRight() - QPoint(20, 20)).geometry())


def test_the_wheel_zooms_about_the_pointer(pin: Pin) -> None:
    wheel(pin, 1)
    assert pin.zoom == pytest.approx(1.1)
    assert pin.width() == 220
    assert pin.pos() == QPoint(95, 78)  # a quarter of 20 to the left, a quarter of 10 up
    for _ in range(60):
        wheel(pin, -1)
    assert min(pin.width(), pin.height()) >= LEAST_SIDE


def test_there_and_back_is_its_own_size_again(pin: Pin) -> None:
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Minus):
        QTest.keyClick(pin, key)
    assert pin.zoom == 1.0
    QTest.keyClick(pin, Qt.Key.Key_Plus)
    QTest.keyClick(pin, Qt.Key.Key_0)
    assert (pin.zoom, pin.width()) == (1.0, 200)


def test_with_control_the_wheel_fades_it_but_never_away(pin: Pin) -> None:
    wheel(pin, -1, CONTROL)
    assert pin.windowOpacity() == pytest.approx(0.9, abs=0.01)
    assert pin.zoom == 1.0
    for _ in range(20):
        wheel(pin, -1, CONTROL)
    assert pin.windowOpacity() == pytest.approx(FAINTEST, abs=0.01)


def test_a_drag_moves_it(pin: Pin) -> None:
    QTest.mousePress(pin, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    QTest.mouseMove(pin, QPoint(50, 60))
    QTest.mouseRelease(pin, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert pin.pos() == QPoint(130, 120)


@pytest.mark.parametrize("way", ["escape", "middle", "double", "menu"])
def test_it_closes_and_is_held_no_more(pins: Pins, pin: Pin, way: str) -> None:
    if way == "escape":
        QTest.keyClick(pin, Qt.Key.Key_Escape)
    elif way == "middle":
        QTest.mouseClick(pin, Qt.MouseButton.MiddleButton)
    elif way == "double":
        QTest.mouseDClick(pin, Qt.MouseButton.LeftButton)
    else:
        pin.menu().actions()[-1].trigger()
    assert pins.pins == []
    assert not pin.isVisible()


def test_the_menu_copies_what_was_pinned(pin: Pin) -> None:
    pin.menu().actions()[0].trigger()
    assert QGuiApplication.clipboard().image() == pin.image


def test_control_s_asks_to_save(pin: Pin, hear: Hear) -> None:
    pin.save_wanted.disconnect()
    wanted = hear(pin.save_wanted)
    QTest.keyClick(pin, Qt.Key.Key_S, CONTROL)
    assert len(wanted) == 1


def test_several_are_held_at_once(pins: Pins, pin: Pin) -> None:
    other = pins.pin(pin.image, QPoint(10, 10))
    pin.close()
    assert pins.pins == [other]
