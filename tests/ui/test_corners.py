"""Round corners where no compositor rounds them, and text that does not touch its field's edge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QSpinBox, QWidget

from app.ui.buttons import INSET, inset
from app.ui.corners import cut
from app.ui.look import Look
from app.ui.menu import Menu

Show = Callable[[QWidget], QWidget]


def test_the_corners_are_cut_and_the_edges_stay(qt: QApplication) -> None:
    widget = QWidget()
    widget.resize(200, 100)
    cut(widget, 10)
    mask = widget.mask()
    for x, y in ((0, 0), (199, 0), (0, 99), (199, 99)):
        assert not mask.contains(QPoint(x, y))
    for x, y in ((100, 0), (199, 50), (0, 50), (100, 99), (10, 0), (3, 3)):
        assert mask.contains(QPoint(x, y))


@pytest.mark.parametrize(("platform", "masked"), [("xcb", True), ("wayland", False)])
def test_a_menu_has_round_corners_on_every_desktop(
    look: Look, monkeypatch: pytest.MonkeyPatch, platform: str, masked: bool
) -> None:
    monkeypatch.setattr("PySide6.QtGui.QGuiApplication.platformName", lambda: platform)
    menu = Menu()
    menu.addAction("Ask about a region")
    menu.popup(QPoint(0, 0))
    assert menu.mask().isEmpty() is not masked
    assert menu.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground) is not masked
    menu.close()
    menu.deleteLater()


def test_a_number_keeps_away_from_its_fields_edge(look: Look, shown: Show) -> None:
    spin = QSpinBox()
    inset(spin)
    shown(spin)
    assert spin.lineEdit().textMargins().left() == INSET
    assert spin.lineEdit().cursorRect().left() >= INSET - 5
