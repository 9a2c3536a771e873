from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from app.ui.dress import Dress
from app.ui.panes import HEAD, ThinkingPane
from app.ui.theme import DARK, LIGHT


@pytest.fixture
def pane() -> Iterator[ThinkingPane]:
    QApplication.instance() or QApplication([])
    window = QWidget()
    window.resize(600, 400)
    made = ThinkingPane(Dress.of(LIGHT), window)
    made.page.feed("One line of thinking.\n\n" * 40)
    made.page.end()
    while made.page.work(1.0):
        pass
    window.show()
    yield made
    window.close()
    window.deleteLater()


def head(pane: ThinkingPane) -> QToolButton:
    (button,) = [b for b in pane.findChildren(QToolButton) if b.parent() is pane]
    return button


def test_it_is_no_higher_than_it_may_be(pane: ThinkingPane) -> None:
    assert pane.arrange(500, 150) < 150 + 2 * HEAD


def test_more_than_fits_can_be_scrolled(pane: ThinkingPane) -> None:
    pane.resize(500, pane.arrange(500, 150))
    QApplication.processEvents()
    assert pane.page.verticalScrollBar().maximum() > 0


def test_folded_it_is_one_line(pane: ThinkingPane) -> None:
    pane.fold()
    assert pane.arrange(500, 150) == HEAD


def test_it_says_how_long_it_thought(pane: ThinkingPane) -> None:
    pane.set_seconds(3.21, thinking=False)
    assert head(pane).text() == "Thought for 3.2 s"


def test_once_scrolled_it_does_not_fold_by_itself(pane: ThinkingPane) -> None:
    turned = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    assert turned.type() == QEvent.Type.Wheel
    QApplication.sendEvent(pane.page.viewport(), turned)
    pane.fold()
    assert not pane.folded


def test_a_click_unfolds_and_that_stays(pane: ThinkingPane) -> None:
    pane.fold()
    QTest.mouseClick(head(pane), Qt.MouseButton.LeftButton)
    pane.fold()
    assert not pane.folded


def test_the_keyboard_unfolds_it_too(pane: ThinkingPane) -> None:
    pane.fold()
    head(pane).setFocus()
    QTest.keyClick(head(pane), Qt.Key.Key_Space)
    assert not pane.folded


def test_its_head_tells_a_screen_reader_what_it_does(pane: ThinkingPane) -> None:
    pane.set_seconds(1.0, thinking=False)
    pane.fold()
    assert "Thought for 1.0 s" in head(pane).accessibleName()
    assert "Show the thinking" in head(pane).accessibleName()


def test_another_theme_keeps_the_text(pane: ThinkingPane) -> None:
    before = pane.page.document().toPlainText()
    pane.wear(Dress.of(DARK))
    while pane.page.work(1.0):
        pass
    assert pane.page.document().toPlainText() == before
