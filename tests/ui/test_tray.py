"""The icon in the panel: what its menu says and asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from app.settings import LOCAL, Hotkeys, Profile, Settings
from app.store import Conversation
from app.ui.emblem import RED, SIZES, TEAL, emblem
from app.ui.places import Place
from app.ui.theme import contrast
from app.ui.tray import RECENT, Tray

Hear = Callable[..., list[Any]]
HERE = Place(LOCAL, "this machine", True, False, "cold", model="SmolLM2")
AWAY = Place("Office", "10.0.0.7", False, True, "ready")
PANELS = ("#FFFFFF", "#F0F0F0", "#2B2B2B", "#1B1B1D", "#000000")
OFFICE = Profile("Office", "http://10.0.0.7/v1", "m")


@pytest.fixture
def tray(qt: QApplication) -> Iterator[Tray]:
    made = Tray()
    yield made
    made.close()
    made.deleteLater()


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def action(menu: QMenu, text: str) -> QAction:
    (found,) = (action for action in menu.actions() if action.text() == text)
    return found


def test_the_menu_offers_everything(tray: Tray) -> None:
    assert texts(tray.menu)[1:] == [
        "Ask about a region",
        "Ask about a window",
        "Ask about the screen",
        "Record the screen",
        "Recent conversations",
        "Who answers",
        "Pause hotkeys",
        "Open Sightline",
        "Settings",
        "Quit",
    ]


def test_each_entry_asks_for_its_own(tray: Tray, hear: Hear) -> None:
    captured = hear(tray.capture_wanted)
    for text in ("Ask about a region", "Ask about a window", "Ask about the screen"):
        action(tray.menu, text).trigger()
    assert captured == ["region", "window", "screen"]
    for text, signal in (
        ("Record the screen", tray.record_wanted),
        ("Open Sightline", tray.window_wanted),
        ("Settings", tray.settings_wanted),
        ("Quit", tray.quit_wanted),
    ):
        heard = hear(signal)
        action(tray.menu, text).trigger()
        assert len(heard) == 1, text


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (HERE, "SmolLM2 is not loaded"),
        (replace(HERE, state="starting", progress=0.4), "SmolLM2 is being loaded 40%"),
        (replace(HERE, state="starting"), "SmolLM2 is being loaded"),
        (replace(HERE, state="ready"), "SmolLM2 is loaded"),
        (replace(HERE, state="failed"), "SmolLM2 did not start"),
        (replace(HERE, state="ready", model=""), "The model is loaded"),
        (AWAY, "Office answers, at 10.0.0.7"),
    ],
)
def test_menu_and_tool_tip_say_whether_a_model_is_loaded(
    tray: Tray, place: Place, says: str
) -> None:
    tray.show_place(place)
    assert texts(tray.menu)[0] == says
    assert says in tray._icon.toolTip()


@pytest.mark.parametrize("state", ["recording", "waiting", "paused"])
def test_a_recording_is_seen_on_the_icon_and_ended_from_the_menu(tray: Tray, state: Any) -> None:
    plain = tray._icon.icon().pixmap(32, 32).toImage()
    tray.show_recording(state)
    assert tray._icon.icon().pixmap(32, 32).toImage() != plain
    assert "ecording" in tray._icon.toolTip()
    assert "Finish recording" in texts(tray.menu)
    tray.show_recording("idle")
    assert tray._icon.icon().pixmap(32, 32).toImage() == plain
    assert "Record the screen" in texts(tray.menu)


def test_recent_conversations_can_be_opened(tray: Tray, hear: Hear) -> None:
    opened = hear(tray.opened)
    many = tuple(Conversation(n, f"R&D no. {n} " + "x" * 60, 0.0, 0.0) for n in range(1, 20))
    tray.show_conversations(many)
    shown = tray.recent.actions()
    assert len(shown) == RECENT and tray.recent.isEnabled()
    assert shown[0].text().startswith("R&&D no. 1") and shown[0].text().endswith("…")
    shown[2].trigger()
    assert opened == [3]


def test_without_conversations_there_is_nothing_to_open(tray: Tray) -> None:
    tray.show_conversations(())
    assert not tray.recent.isEnabled()


def test_who_answers_can_be_chosen(tray: Tray, hear: Hear) -> None:
    chosen = hear(tray.endpoint_chosen)
    tray.show_settings(Settings(endpoint="Office", profiles=(OFFICE,)))
    offered = tray.endpoints.actions()
    assert [a.text() for a in offered] == ["This machine", "Office"]
    assert [a.isChecked() for a in offered] == [False, True]
    offered[0].trigger()
    assert chosen == [LOCAL]


def test_the_keys_stand_beside_what_they_do(tray: Tray) -> None:
    tray.show_keys(Hotkeys(ask_region="Ctrl+Alt+7", ask_window="", record="Ctrl+8"), paused=False)
    tray.show_recording("recording")
    said = texts(tray.menu)
    assert said[1:3] == ["Ask about a region\tCtrl+Alt+7", "Ask about a window"]
    assert said[4] == "Finish recording\tCtrl+8"
    assert action(tray.menu, "Pause hotkeys").isVisible()


def test_keys_that_rest_are_not_shown(tray: Tray) -> None:
    tray.show_keys(Hotkeys(), paused=True)
    assert not any("\t" in text for text in texts(tray.menu))
    assert action(tray.menu, "Pause hotkeys").isChecked()
    assert "Hotkeys are paused" in tray._icon.toolTip()


def test_where_no_key_can_be_taken_none_can_be_paused(tray: Tray) -> None:
    tray.show_keys(None, paused=False)
    assert not action(tray.menu, "Pause hotkeys").isVisible()
    assert not any("\t" in text for text in texts(tray.menu))


def test_a_double_click_is_one_click(tray: Tray, hear: Hear) -> None:
    clicked = hear(tray.clicked)
    tray._icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    tray._icon.activated.emit(QSystemTrayIcon.ActivationReason.DoubleClick)
    tray._icon.activated.emit(QSystemTrayIcon.ActivationReason.Context)
    assert len(clicked) == 1


@pytest.mark.parametrize("panel", PANELS)
def test_the_mark_is_seen_on_every_panel(panel: str) -> None:
    assert contrast(TEAL, panel) >= 3
    assert contrast(RED, panel) >= 3


@pytest.mark.parametrize("size", SIZES)
def test_the_recording_disc_stands_free_of_the_mark(qt: QApplication, size: int) -> None:
    image = emblem("recording").pixmap(size, size).toImage()
    at = round(size * 0.7)
    assert image.pixelColor(at, at) == QColor(RED)
    assert any(image.pixelColor(x, at).alpha() < 128 for x in range(size // 4, at))


def test_what_is_told_after_its_end_does_no_harm(tray: Tray) -> None:
    tray.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    tray.show_place(AWAY)
    tray.show_conversations(())
    tray.show_recording("paused")
