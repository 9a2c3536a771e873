"""One Qt application for the tests of the window, and a list that hears a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QEvent, QIODevice, QObject, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTextEdit,
    QWidget,
)

from app.ui.look import Look
from app.vocabulary import Frame, Source

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTextEdit,
)
WHOLES = (QAbstractSpinBox, QComboBox, QLineEdit)  # their parts speak through them
Hear = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def qt() -> QApplication:
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    application.setQuitOnLastWindowClosed(False)
    return application


@pytest.fixture
def look(qt: QApplication) -> Iterator[Look]:
    made = Look(qt, "light")
    yield made
    made.deleteLater()


@pytest.fixture
def hear() -> Hear:
    """What a signal says from now on: its value, or a tuple of its values."""

    def listen(signal: Any) -> list[Any]:
        heard: list[Any] = []
        signal.connect(lambda *said: heard.append(said[0] if len(said) == 1 else said))
        return heard

    return listen


@pytest.fixture
def shown(qt: QApplication) -> Iterator[Callable[[QWidget], QWidget]]:
    """Shows a widget, and takes it away after the test."""
    widgets: list[QWidget] = []

    def show(widget: QWidget) -> QWidget:
        widgets.append(widget)
        widget.show()
        widget.activateWindow()
        qt.processEvents()
        return widget

    yield show
    for widget in widgets:
        widget.close()
        widget.deleteLater()
    settle(qt)


@pytest.fixture
def unnamed() -> Callable[[QObject], list[str]]:
    return nameless


def settle(qt: QApplication) -> None:
    """Lets everything that waits happen, deletions too."""
    qt.processEvents()
    qt.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qt.processEvents()


def png(width: int = 64, height: int = 48, colour: Qt.GlobalColor = Qt.GlobalColor.red) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(colour)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


@pytest.fixture
def frame(qt: QApplication) -> Frame:
    return Frame(png(), "image/png", 64, 48, Source("picture", "invoice.png"))


@pytest.fixture
def picture(qt: QApplication) -> Callable[..., bytes]:
    return png


@pytest.fixture
def samples() -> Path:
    return Path(__file__).parents[2] / "assets" / "samples"


def nameless(root: QObject) -> list[str]:
    """The controls under `root` that a screen reader could not name."""
    found = []
    for widget in root.findChildren(QWidget):
        part = _within(widget) or widget.objectName().startswith("qt_")
        if isinstance(widget, CONTROLS) and not part and not _spoken(widget):
            found.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    return found


def _spoken(widget: QWidget) -> str:
    """What a screen reader says: the name, else a button's own text."""
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return (widget.accessibleName() or text).strip()


def _within(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, WHOLES):
            return True
        parent = parent.parentWidget()
    return False
