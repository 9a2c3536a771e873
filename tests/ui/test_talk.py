"""One conversation and several sessions that follow it: the same facts, nothing asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import qasync
from chat import ChatServer
from PySide6.QtWidgets import QApplication

from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.store import Store, Turn
from app.ui.services import Services
from app.ui.session import Session, Shown
from app.vocabulary import Answer, Error

Scene = Callable[[Services], Awaitable[None]]
Perform = Callable[[Scene], None]


@pytest.fixture
def perform(qt: QApplication, chat: ChatServer) -> Perform:
    async def run(scene: Scene) -> None:
        profile = Profile("remote", chat.url, "seer")
        services = Services(Settings(endpoint="remote", profiles=(profile,)), folders(), Keys())
        try:
            await scene(services)
        finally:
            await services.close()

    def play(scene: Scene) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene))

    return play


class Heard:
    """A session and what it told."""

    def __init__(self, services: Services) -> None:
        self.session = Session(services)
        self.text = ""
        self.shown: list[Shown] = []
        self.ended: list[Turn] = []
        self.busy: list[bool] = []
        self.noticed: list[Error] = []
        self.session.turn_grew.connect(self._grow)
        self.session.turn_ended.connect(self.ended.append)
        self.session.busy_changed.connect(self.busy.append)
        self.session.noticed.connect(self.noticed.append)
        self.session.conversation_shown.connect(self._show)

    def _grow(self, growth: Any) -> None:
        self.text += "".join(event.text for event in growth.events if isinstance(event, Answer))

    def _show(self, shown: Shown) -> None:
        self.shown.append(shown)
        self.text = shown.turns[-1].answer if shown.turns else ""

    @property
    def conversation(self) -> int:
        assert self.session.conversation is not None
        return self.session.conversation.id


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def stored() -> tuple[Turn, ...]:
    with Store(folders().data) as store:
        return tuple(t for c in store.conversations() for t in store.turns(c.id))


def test_who_opens_it_in_the_middle_hears_the_whole_answer(
    perform: Perform, chat: ChatServer
) -> None:
    words = [f"{n} " for n in range(50)]
    chat.pieces, chat.pace = [{"content": word} for word in words], 0.01

    async def scene(services: Services) -> None:
        first, second = Heard(services), Heard(services)
        first.session.ask("Count")
        await until(lambda: len(first.text) > 20)
        second.session.open_conversation(first.conversation)
        assert second.text == first.text and second.busy == [True]
        await until(lambda: first.ended and second.ended)
        assert first.text == second.text == "".join(words)
        await until(lambda: second.busy == [True, False])
        for heard in (first, second):
            await heard.session.close()

    perform(scene)
    assert len(chat.asked) == 1


def test_it_goes_on_while_anyone_follows_and_stops_with_the_last(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces, chat.hang = [{"content": "half"}], True

    async def scene(services: Services) -> None:
        first, second = Heard(services), Heard(services)
        first.session.ask("What?")
        await until(lambda: first.text)
        second.session.open_conversation(first.conversation)
        first.session.new_conversation()
        assert first.busy == [True, False]
        await asyncio.sleep(0.2)
        assert second.session.busy and not chat.hung_up.is_set()
        second.session.new_conversation()
        await until(chat.hung_up.is_set)
        assert first.ended == [] and second.ended == []
        for heard in (first, second):
            await heard.session.close()

    perform(scene)
    assert [(turn.answer, turn.state) for turn in stored()] == [("half", "cancelled")]


def test_opened_again_while_it_is_still_being_stopped_it_shows_the_end(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces, chat.hang = [{"content": "half"}], True

    async def scene(services: Services) -> None:
        heard = Heard(services)
        heard.session.ask("What?")
        await until(lambda: heard.text)
        conversation = heard.conversation
        heard.session.new_conversation()
        heard.session.open_conversation(conversation)
        await until(lambda: heard.ended and not heard.session.busy)
        assert heard.ended[0].state == "cancelled"
        await heard.session.close()

    perform(scene)


def test_whoever_stops_it_stops_it_for_all(perform: Perform, chat: ChatServer) -> None:
    chat.pieces, chat.hang = [{"content": "half"}], True

    async def scene(services: Services) -> None:
        first, second = Heard(services), Heard(services)
        first.session.ask("What?")
        await until(lambda: first.text)
        second.session.open_conversation(first.conversation)
        second.session.stop()
        await until(lambda: first.ended and second.ended)
        assert first.ended[0].state == "cancelled"
        for heard in (first, second):
            await heard.session.close()

    perform(scene)


def test_two_conversations_are_asked_at_the_same_time(perform: Perform, chat: ChatServer) -> None:
    chat.pieces, chat.pace = [{"content": "a"}, {"content": "b"}], 0.2

    async def scene(services: Services) -> None:
        first, second = Heard(services), Heard(services)
        first.session.ask("One?")
        second.session.ask("Two?")
        await until(lambda: first.text and second.text)
        assert first.session.busy and second.session.busy
        await until(lambda: first.ended and second.ended)
        for heard in (first, second):
            await heard.session.close()

    perform(scene)
    assert sorted(turn.question for turn in stored()) == ["One?", "Two?"]
    assert {turn.answer for turn in stored()} == {"ab"}


def test_a_conversation_deleted_in_the_middle_of_an_answer_is_gone(
    perform: Perform, chat: ChatServer
) -> None:
    chat.pieces, chat.hang = [{"content": "half"}], True

    async def scene(services: Services) -> None:
        heard, other = Heard(services), Heard(services)
        heard.session.ask("What?")
        await until(lambda: heard.text)
        other.session.open_conversation(heard.conversation)
        services.delete_conversation(heard.conversation)
        await until(chat.hung_up.is_set)
        assert heard.shown[-1].conversation is None and other.shown[-1].conversation is None
        for known in (heard, other):
            await known.session.close()
            assert known.noticed == []

    perform(scene)
    assert stored() == ()


def test_a_new_title_is_heard_by_all(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"content": "ok"}]

    async def scene(services: Services) -> None:
        first, second = Heard(services), Heard(services)
        first.session.ask("What?")
        await until(lambda: first.ended and not first.session.busy)
        second.session.open_conversation(first.conversation)
        await until(lambda: second.shown)
        services.rename_conversation(first.conversation, "Better")
        await until(lambda: first.shown)
        for heard in (first, second):
            assert heard.shown[-1].conversation is not None
            assert heard.shown[-1].conversation.title == "Better"
            await heard.session.close()

    perform(scene)


def test_a_conversation_that_is_not_there_is_one_sentence(perform: Perform) -> None:
    async def scene(services: Services) -> None:
        heard = Heard(services)
        heard.session.open_conversation(4711)
        await until(lambda: heard.noticed)
        assert heard.noticed[0].kind == "not_found" and heard.shown == []
        await heard.session.close()

    perform(scene)


def test_a_closed_session_hears_nothing_more(perform: Perform, chat: ChatServer) -> None:
    chat.pieces = [{"content": "ok"}]

    async def scene(services: Services) -> None:
        gone, other = Heard(services), Heard(services)
        await gone.session.close()
        services.noticed.emit(Error("failed", "Something."))
        services.choose_endpoint("local")
        assert gone.noticed == [] and len(other.noticed) == 1
        await other.session.close()

    perform(scene)
