from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.ui.assets import ICONS
from app.ui.buttons import IconButton
from app.ui.icons import Icons, mark, window_icon
from app.ui.look import Look
from app.ui.style import font, sheet
from app.ui.theme import DARK, LIGHT, TEXT

Hear = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def light_again(qt: QApplication) -> Iterator[None]:
    yield
    qt.styleHints().unsetColorScheme()
    Look(qt, "light")


def test_a_chosen_theme_is_worn_and_told(look: Look, qt: QApplication, hear: Hear) -> None:
    changed = hear(look.changed)
    look.choose("dark")
    assert changed == [DARK]
    assert qt.palette().color(QPalette.ColorRole.Window) == QColor(DARK.paper)


def test_the_same_choice_changes_nothing(look: Look, hear: Hear) -> None:
    changed = hear(look.changed)
    look.choose("light")
    assert changed == []


def test_the_systems_theme_is_followed_while_it_changes(qt: QApplication, hear: Hear) -> None:
    look = Look(qt, "system")
    changed = hear(look.changed)
    qt.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert look.theme is DARK
    qt.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert changed == [DARK, LIGHT]


def test_a_chosen_theme_does_not_follow_the_system(look: Look, qt: QApplication) -> None:
    qt.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert look.theme is LIGHT


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_sheet_leaves_no_name_unfilled(theme: Any) -> None:
    assert "$" not in sheet(theme)


def test_an_icon_is_drawn_in_the_ink_of_its_theme(qt: QApplication) -> None:
    icon = Icons(DARK).pixmap("plus", "ink", 48).toImage()
    assert QColor(icon.pixelColor(24, 24)).lightness() > 200


@pytest.mark.parametrize("file", sorted(ICONS.glob("*.svg")), ids=lambda file: file.stem)
def test_every_icon_can_be_drawn(qt: QApplication, file: Any) -> None:
    image = Icons(LIGHT).pixmap(file.stem).toImage()
    drawn = any(
        image.pixelColor(x, y).alpha() for x in range(image.width()) for y in range(image.height())
    )
    assert drawn


def test_the_licence_of_the_icons_lies_beside_them() -> None:
    assert "ISC License" in (ICONS / "LICENSE-lucide").read_text(encoding="utf-8")


def test_a_button_is_drawn_anew_in_another_theme(look: Look) -> None:
    button = IconButton(look, "plus", "Add")
    before = button.icon().cacheKey()
    look.choose("dark")
    assert button.icon().cacheKey() != before


def test_the_mark_has_a_picture_for_the_window(qt: QApplication) -> None:
    assert not window_icon().isNull()
    assert mark(56).width() >= 56


def test_text_is_fourteen_pixels_and_has_a_chinese_face_behind_it(qt: QApplication) -> None:
    assert font().pixelSize() == TEXT
    assert "Noto Sans CJK SC" in font().families()
