"""The bar stands beside the selection, never out of the screen, and everything on it has a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget

from app.ui.look import Look
from app.ui.screen.placing import GAP, TAG, stand
from app.ui.screen.tools import Bar, colours

Hear = Callable[..., list[Any]]
Shown = Callable[[QWidget], QWidget]
SCREEN = QRect(0, 0, 1280, 800)


@st.composite
def boxes(draw: st.DrawFn) -> QRect:
    x, y = draw(st.integers(0, 1270)), draw(st.integers(0, 790))
    return QRect(x, y, draw(st.integers(1, 1280 - x)), draw(st.integers(1, 800 - y)))


@given(boxes(), st.integers(100, 1270), st.integers(30, 200))
def test_it_is_always_on_the_screen_and_beside_the_selection_where_it_can(
    box: QRect, wide: int, high: int
) -> None:
    bar = QSize(wide, high)
    corner, side = stand(bar, box, SCREEN)
    there = QRect(corner, bar)
    assert SCREEN.contains(there)
    assert there.intersects(box) == (side == "inside")
    if side == "inside":
        assert box.bottom() + high + 2 * GAP > SCREEN.bottom()
        assert box.top() - high - TAG - GAP < SCREEN.top()


def test_it_stands_below_and_ends_where_the_selection_does() -> None:
    corner, side = stand(QSize(700, 40), QRect(300, 100, 600, 300), SCREEN)
    assert (corner.x() + 700, corner.y(), side) == (900, 400 + GAP, "below")


@pytest.fixture
def bar(look: Look, shown: Shown) -> Bar:
    host = QWidget()
    host.resize(1280, 800)
    made = Bar(host, look, deed="ask")
    made.show_where("api.example.com")
    made.beside(QRect(100, 100, 300, 200), host.rect())
    shown(host)
    made.show()
    return made


def test_every_button_has_a_name_and_says_its_key(
    bar: Bar, unnamed: Callable[[QObject], list[str]]
) -> None:
    assert unnamed(bar) == []
    for button in bar.findChildren(QAbstractButton):
        assert button.toolTip(), button.accessibleName()
    tips = [button.toolTip() for button in bar.findChildren(QAbstractButton)]
    assert any(tip.endswith("Ctrl+Shift+Z") for tip in tips)
    assert any("for text, solid is safe" in tip for tip in tips)


def test_the_button_says_where_the_picture_goes(bar: Bar) -> None:
    assert bar.take.text() == "Ask · api.example.com"
    bar.show_where("a-very-long-name-of-a-host.internal.example.com")
    assert len(bar.take.text()) < 40
    assert "a-very-long-name-of-a-host.internal.example.com" in bar.take.toolTip()


def test_it_says_attach_where_it_was_begun_from_the_composer(look: Look, shown: Shown) -> None:
    host = QWidget()
    bar = Bar(host, look, deed="attach")
    bar.show_where("api.example.com")
    shown(host)
    assert bar.take.text() == "Attach"


def test_colours_come_with_a_tool_that_has_one(bar: Bar) -> None:
    bar.show_tool("redact", "#E5484D", 1, styled=False)
    assert bar._styles.isHidden()
    bar.show_tool("pen", "#E5484D", 1, styled=False)
    assert not bar._styles.isHidden()


def test_a_note_that_comes_does_not_move_the_tools(bar: Bar) -> None:
    for box in (QRect(100, 100, 300, 200), QRect(100, 700, 300, 90), QRect(0, 0, 1280, 800)):
        bar.show_note("")
        bar.beside(box, SCREEN)
        bar.layout().activate()
        before = bar.take.mapTo(bar.parentWidget(), bar.take.rect().center())
        bar.show_note("3 secrets found", hide=True)
        bar.beside(box, SCREEN)
        bar.layout().activate()
        after = bar.take.mapTo(bar.parentWidget(), bar.take.rect().center())
        assert before == after
        assert SCREEN.contains(bar.geometry())


@pytest.mark.parametrize("width", [480, 640, 800, 1280])
def test_on_a_narrow_screen_it_folds(bar: Bar, width: int) -> None:
    room = QRect(0, 0, width, 480)
    bar.beside(QRect(10, 10, 50, 50), room)
    assert room.contains(bar.geometry())


def test_enter_presses_the_button_that_has_the_focus(bar: Bar, hear: Hear) -> None:
    pressed = hear(bar.pressed)
    bar.show_note("1 secret found", hide=True)
    (hide,) = [b for b in bar.findChildren(QPushButton) if b is not bar.take]
    for button in (hide, bar._deeds["copy"]):
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Return)
    assert pressed == ["hide", "copy"]


def test_the_accent_follows_the_theme(bar: Bar, look: Look) -> None:
    light = colours(look.theme)[0]
    look.choose("dark")
    assert colours(look.theme)[0] != light
    look.choose("light")
