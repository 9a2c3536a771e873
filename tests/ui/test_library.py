from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.store import Conversation
from app.ui.library import ID, Library
from app.ui.look import Look

Hear = Callable[..., list[Any]]
DAY = 86_400


@pytest.fixture
def library(look: Look, shown: Callable[[QWidget], QWidget]) -> Library:
    made = Library(look)
    made.resize(256, 600)
    shown(made)
    made.show_conversations(
        tuple(
            Conversation(number, title, 0.0, time.time() - days * DAY)
            for number, (title, days) in enumerate(
                [("Invoice", 0), ("Dialog", 0), ("Report", 1), ("Slides", 9)], 1
            )
        )
    )
    return made


def texts(library: Library) -> list[str]:
    return [library.rows.item(at).text() for at in range(library.rows.count())]


def choose(library: Library, title: str) -> None:
    library.rows.setCurrentItem(library.rows.findItems(title, Qt.MatchFlag.MatchExactly)[0])


def test_conversations_stand_under_their_day(library: Library) -> None:
    assert texts(library) == [
        "Today", "Invoice", "Dialog", "Yesterday", "Report", "Earlier", "Slides",
    ]  # fmt: skip


def test_the_names_of_days_can_not_be_chosen(library: Library) -> None:
    assert library.rows.item(0).data(ID) is None
    assert library.rows.item(0).flags() == Qt.ItemFlag.NoItemFlags


def test_a_click_opens_a_conversation(library: Library, hear: Hear) -> None:
    opened = hear(library.opened)
    box = library.rows.visualItemRect(library.rows.item(2))
    QTest.mouseClick(library.rows.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert opened == [2]


def test_enter_opens_the_chosen_conversation(library: Library, hear: Hear) -> None:
    opened = hear(library.opened)
    choose(library, "Report")
    QTest.keyClick(library.rows, Qt.Key.Key_Return)
    assert opened == [3]


def test_delete_asks_for_the_chosen_one_to_be_deleted(library: Library, hear: Hear) -> None:
    wanted = hear(library.delete_wanted)
    choose(library, "Slides")
    QTest.keyClick(library.rows, Qt.Key.Key_Delete)
    assert wanted == [4]


def test_a_new_title_is_told(library: Library, hear: Hear) -> None:
    renamed = hear(library.renamed)
    library.rows.item(1).setText("  Invoice of March ")
    assert renamed == [(1, "Invoice of March")]


def test_an_empty_title_is_not_taken(library: Library, hear: Hear) -> None:
    renamed = hear(library.renamed)
    library.rows.item(1).setText("  ")
    assert renamed == []
    assert texts(library)[1] == "Invoice"


def test_a_deleted_conversation_is_out_of_sight_until_it_is_wanted_back(library: Library) -> None:
    library.hide_conversation(3)
    assert "Report" not in texts(library) and "Yesterday" not in texts(library)
    library.show_again(3)
    assert "Report" in texts(library)


def test_the_open_conversation_is_marked(library: Library) -> None:
    library.show_current(2)
    assert library.rows.currentItem().text() == "Dialog"


def test_the_mark_stays_when_the_list_comes_anew(library: Library) -> None:
    library.show_current(2)
    library.show_conversations((Conversation(9, "New", 0, time.time()), *library.conversations))
    assert library.rows.currentItem().text() == "Dialog"


def test_typing_in_the_field_searches(library: Library, hear: Hear) -> None:
    searched = hear(library.searched)
    library.search.setText("发票")
    QTest.keyClicks(library.search, " inv")
    assert searched[-1] == "发票 inv"


def test_an_empty_list_says_what_will_be_there(library: Library) -> None:
    library.show_conversations(())
    assert library.empty.text() == "Your conversations appear here."


def test_an_empty_search_says_that_nothing_was_found(library: Library) -> None:
    library.search.setText("zzz")
    library.show_conversations(())
    assert library.empty.text() == "Nothing found."


def test_every_control_has_a_name(library: Library, unnamed: Callable[..., list[str]]) -> None:
    assert unnamed(library) == []
