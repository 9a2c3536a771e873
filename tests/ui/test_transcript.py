from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QScrollArea,
    QScrollBar,
    QWidget,
)

from app.bench.ui import stream_text
from app.store import Turn, TurnState
from app.ui.exchange import Growth
from app.ui.footer import Waiting
from app.ui.gallery import Gallery
from app.ui.page import Page
from app.ui.panes import ThinkingPane
from app.ui.question import Thumbnail
from app.ui.theme import DARK, LIGHT
from app.ui.transcript import Transcript
from app.ui.turn import TurnView
from app.vocabulary import Answer, Error, Event, Frame, Retract, Source, Thinking, Usage

LONG = "A paragraph that says something.\n\n" * 60


@pytest.fixture
def transcript() -> Iterator[Transcript]:
    QApplication.instance() or QApplication([])
    made = Transcript()
    made.resize(900, 600)
    made.show()
    yield made
    made.thumbnails.close()
    made.close()
    made.deleteLater()
    QApplication.processEvents()


def turn(number: int, answer: str = "", state: TurnState = "done", thinking: str = "") -> Turn:
    return Turn(number, 1, f"Question {number}?", (), thinking, answer, state, "e", "m", 0.0)


def grow(transcript: Transcript, number: int, *events: Event, seconds: float = 1.0) -> None:
    transcript.grow(Growth(number, events, seconds, 40.0))


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        QTest.qWait(5)


def views(transcript: Transcript) -> list[TurnView]:
    return sorted(transcript.findChildren(TurnView), key=lambda view: view.turn.id)


def page(transcript: Transcript, number: int = 1) -> Page:
    (view,) = [view for view in views(transcript) if view.turn.id == number]
    return next(p for p in view.findChildren(Page) if p.parent() is view)


def shown(transcript: Transcript, number: int = 1) -> str:
    return page(transcript, number).document().toPlainText()


def button(parent: QWidget, name: str) -> QAbstractButton:
    return next(b for b in parent.findChildren(QAbstractButton) if b.accessibleName() == name)


def bar(transcript: Transcript) -> QScrollBar:
    return transcript.findChildren(QScrollArea)[0].verticalScrollBar()


def texts(view: QWidget) -> str:
    return "\n".join(one.text() for one in view.findChildren(QLabel) if one.isVisible())


def picture() -> Frame:
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return Frame(bytes(buffer.data().data()), "image/png", 400, 300, Source("picture", "a.png"))


# --- the stream -----------------------------------------------------------------------------


def test_what_streams_is_shown(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Answer("Hello "), Answer("**world**"))
    until(lambda: shown(transcript) == "Hello world")


def test_a_turn_without_thinking_has_no_pane_for_it(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Answer("Hello"))
    until(lambda: shown(transcript) == "Hello")
    assert not transcript.findChildren(ThinkingPane)


def test_thinking_folds_with_its_time_when_the_answer_starts(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Thinking("Let me see."), seconds=0.5)
    (pane,) = transcript.findChildren(ThinkingPane)
    assert not pane.folded
    grow(transcript, 1, Answer("It is 4."), seconds=3.2)
    assert pane.folded
    assert button(pane, "Thought for 3.2 s. Show the thinking")


def test_the_time_of_thinking_stands_still_while_the_answer_goes_on(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Thinking("Hm."), Answer("A"), seconds=1.0)
    grow(transcript, 1, Answer("B"), seconds=9.0)
    assert button(transcript, "Thought for 1.0 s. Show the thinking")


def test_what_turns_out_to_be_thinking_moves_there(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Answer("So I think"))
    grow(transcript, 1, Retract("So I think"))
    grow(transcript, 1, Answer("Four."))
    until(lambda: shown(transcript) == "Four.")
    assert transcript.findChildren(ThinkingPane)[0].text == "So I think"


def test_the_end_shows_what_the_stream_left_out(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Answer("Hel"))
    transcript.end_turn(turn(1, "Hello there", thinking="Hm."))
    until(lambda: shown(transcript) == "Hello there")
    assert transcript.findChildren(ThinkingPane)[0].text == "Hm."


def test_something_moves_until_the_first_word_comes(transcript: Transcript) -> None:
    transcript.say_waiting("Starting the engine")
    transcript.add_turn(turn(1, state="streaming"))
    (waiting,) = transcript.findChildren(Waiting)
    assert waiting.isVisible() and "Starting the engine" in texts(waiting)
    grow(transcript, 1, Answer("Hello"))
    assert not waiting.isVisible()


# --- how it ended ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("length", "The answer was cut at the length limit."),
        ("cancelled", "Stopped."),
        ("interrupted", "Sightline ended before this answer did. What came is kept."),
    ],
)
def test_each_unusual_end_is_said(transcript: Transcript, state: TurnState, words: str) -> None:
    transcript.show_turns([turn(1, "Some words", state)])
    assert words in texts(transcript)


def test_a_failure_keeps_what_came_and_offers_to_retry(transcript: Transcript) -> None:
    retried: list[int] = []
    transcript.retried.connect(retried.append)
    error = Error("unreachable", "The server does not answer.")
    transcript.show_turns([replace(turn(1, "What came", "failed"), error=error)])
    until(lambda: shown(transcript) == "What came")
    assert "The server does not answer." in texts(transcript)
    button(transcript, "Retry").click()
    assert retried == [1]


def test_the_figures_of_a_turn_are_shown(transcript: Transcript) -> None:
    done = replace(turn(1, "Yes"), usage=Usage(10, 212, 0, 6.0), first_token=0.85)
    transcript.show_turns([done])
    assert "212 tokens · 41 tok/s · first token 0.8 s" in texts(transcript)


def test_copy_again_and_edit_say_what_was_done(transcript: Transcript) -> None:
    done: list[object] = []
    transcript.copied.connect(done.append)
    transcript.retried.connect(done.append)
    transcript.edited.connect(done.append)
    transcript.show_turns([turn(1, "The **answer**")])
    for name in ("Copy the answer", "Ask again", "Edit the question"):
        button(transcript, name).click()
    assert done == ["The **answer**", 1, 1]
    assert QGuiApplication.clipboard().text() == "The **answer**"
    assert transcript.question(1) == "Question 1?"


def test_code_has_a_button_that_copies_it(transcript: Transcript) -> None:
    transcript.show_turns([turn(1, "Look:\n\n```py\na = 1\nb = 2\n```\n")])
    until(lambda: "b = 2" in shown(transcript))
    button(page(transcript), "Copy code").click()
    assert QGuiApplication.clipboard().text() == "a = 1\nb = 2"


def test_a_link_is_told_and_not_opened(transcript: Transcript) -> None:
    told: list[str] = []
    transcript.link_opened.connect(lambda url: told.append(url.toString()))
    transcript.show_turns([turn(1, "[here](https://example.com/x)")])
    until(lambda: shown(transcript) == "here")
    QTest.mouseClick(page(transcript).viewport(), Qt.MouseButton.LeftButton, pos=QPoint(8, 14))
    assert told == ["https://example.com/x"]


# --- reading back ---------------------------------------------------------------------------


def test_the_view_follows_what_comes(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Answer(LONG))
    until(lambda: bar(transcript).maximum() > 600)
    assert bar(transcript).value() == bar(transcript).maximum()


def test_the_end_stays_in_view_when_the_view_gets_lower(transcript: Transcript) -> None:
    transcript.show_turns([turn(1, LONG)])
    until(lambda: bar(transcript).maximum() > 600)
    QTest.qWait(100)  # it is written and at rest
    transcript.resize(transcript.width(), transcript.height() - 120)
    QTest.qWait(50)
    assert bar(transcript).value() == bar(transcript).maximum()


def test_reading_back_is_not_interrupted(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, LONG, "streaming"))
    until(lambda: bar(transcript).maximum() > 600)
    bar(transcript).setValue(200)
    high = bar(transcript).maximum()
    grow(transcript, 1, Answer(LONG))
    until(lambda: bar(transcript).maximum() > high + 200)
    assert bar(transcript).value() == 200


def test_thinking_that_folds_above_does_not_move_what_is_read(transcript: Transcript) -> None:
    transcript.show_turns([turn(1, LONG)])
    transcript.add_turn(turn(2, LONG, "streaming", thinking=LONG))
    until(lambda: bar(transcript).maximum() > 1500)
    bar(transcript).setValue(bar(transcript).maximum() - 600)
    before = page(transcript, 2).mapTo(transcript, page(transcript, 2).rect().topLeft()).y()
    transcript.findChildren(ThinkingPane)[0].fold()
    grow(transcript, 2, Answer("more"))
    QTest.qWait(80)
    after = page(transcript, 2).mapTo(transcript, page(transcript, 2).rect().topLeft()).y()
    assert abs(after - before) <= 1


def test_a_button_leads_back_to_the_latest(transcript: Transcript) -> None:
    transcript.show_turns([turn(1, LONG), turn(2, LONG)])
    until(lambda: bar(transcript).maximum() > 1000)
    bar(transcript).setValue(0)
    jump = button(transcript, "Jump to the latest")
    assert jump.isVisible()
    jump.click()
    until(lambda: bar(transcript).value() == bar(transcript).maximum())
    assert not jump.isVisible()


# --- layout, theme, many turns --------------------------------------------------------------


def _places(transcript: Transcript) -> tuple[Sequence[int], Sequence[int]]:
    (pane,) = transcript.findChildren(ThinkingPane)
    answer = page(transcript)
    return (pane.x(), pane.y()), (answer.x(), answer.y())


def test_narrow_the_thinking_stands_above(transcript: Transcript) -> None:
    transcript.show_turns([turn(1, "Yes", thinking="Hm.")])
    thinking, answer = _places(transcript)
    assert thinking[1] < answer[1]


def test_wide_the_thinking_stands_beside(transcript: Transcript) -> None:
    transcript.resize(1400, 700)
    transcript.show_turns([turn(1, "Yes", thinking="Hm.")])
    thinking, answer = _places(transcript)
    assert thinking[0] < answer[0] and thinking[1] == answer[1]


def test_the_choice_wins_over_the_width(transcript: Transcript) -> None:
    transcript.set_layout("beside")
    transcript.show_turns([turn(1, "Yes", thinking="Hm.")])
    thinking, answer = _places(transcript)
    assert thinking[0] < answer[0]


def test_narrow_thinking_takes_at_most_a_third_of_the_height(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    grow(transcript, 1, Thinking(LONG))
    QTest.qWait(100)
    assert transcript.findChildren(ThinkingPane)[0].height() <= 0.3 * 600 + 12


def test_another_theme_redraws_what_is_there(transcript: Transcript) -> None:
    transcript.set_theme(LIGHT)
    transcript.show_turns([turn(1, "Some **words**")])
    until(lambda: shown(transcript) == "Some words")
    transcript.set_theme(DARK)
    until(lambda: _ink(page(transcript)) == DARK.ink.lower())
    assert shown(transcript) == "Some words"


def _ink(view: Page) -> str:
    parts = view.document().begin().textFormats()  # held: its formats die with it
    return parts[0].format.foreground().color().name()


def test_of_many_turns_only_those_in_sight_are_built(transcript: Transcript) -> None:
    transcript.show_turns([turn(n, LONG) for n in range(1, 101)])
    QTest.qWait(50)
    assert sum(view.awake for view in views(transcript)) < 12
    bar(transcript).setValue(0)
    until(lambda: shown(transcript, 1).startswith("A paragraph"))


def test_a_conversation_with_a_new_title_stays_as_it_stands(transcript: Transcript) -> None:
    turns = [turn(1, LONG), turn(2, LONG)]
    transcript.show_turns(turns)
    until(lambda: bar(transcript).maximum() > 1000)
    bar(transcript).setValue(10)
    transcript.show_turns(list(turns))
    assert bar(transcript).value() == 10


def test_a_removed_turn_is_gone(transcript: Transcript) -> None:
    transcript.show_turns([turn(1, "a"), turn(2, "b")])
    transcript.remove_turn(1)
    QApplication.sendPostedEvents(None, 52)  # QEvent::DeferredDelete
    assert [view.turn.id for view in views(transcript)] == [2]


def test_without_turns_one_sentence_stands_there(transcript: Transcript) -> None:
    transcript.show_turns([])
    assert "Ask about what you see." in texts(transcript)


def test_a_small_picture_opens_the_large_one(transcript: Transcript) -> None:
    opened: list[object] = []
    transcript.frame_opened.connect(opened.append)
    frame = picture()
    transcript.show_turns([replace(turn(1, "a"), frames=(frame,))])
    transcript.findChildren(Thumbnail)[0].click()
    (gallery,) = transcript.findChildren(Gallery)
    assert opened == [frame] and gallery.isVisible()
    QTest.keyClick(gallery, Qt.Key.Key_Escape)
    assert not gallery.isVisible()


def test_every_button_has_a_name(transcript: Transcript) -> None:
    transcript.show_turns([replace(turn(1, "```py\nx\n```", thinking="Hm."), frames=(picture(),))])
    until(lambda: "x" in shown(transcript))
    assert all(
        b.accessibleName() for b in transcript.findChildren(QAbstractButton) if b.isVisible()
    )


@pytest.mark.slow
def test_a_fast_stream_leaves_the_loop_free(transcript: Transcript) -> None:
    transcript.add_turn(turn(1, state="streaming"))
    text, busy = stream_text(12_000), []
    for at in range(0, len(text), 66):  # as much as 30 updates a second bring
        before = time.thread_time()
        grow(transcript, 1, Answer(text[at : at + 66]))
        QTest.qWait(12)
        busy.append(time.thread_time() - before)
    assert sorted(busy)[len(busy) * 99 // 100] < 0.03
