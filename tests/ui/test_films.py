"""A recording asked about: what the server gets, and gets again with the next question."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import qasync
from chat import ChatServer
from PySide6.QtWidgets import QApplication

from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.store import Turn
from app.ui.endpoint_form import EndpointForm
from app.ui.services import Services
from app.ui.session import Session
from app.vocabulary import Clip, Frame, Source

Hear = Callable[..., list[Any]]
CLIP = Clip(b"an mp4, as far as the wire cares", "video/mp4", "screen.mkv", 4.0)
Run = Callable[[bool, Callable[[Session], Awaitable[None]]], None]


@pytest.fixture
def film(picture: Callable[..., bytes]) -> tuple[Frame, ...]:
    return tuple(
        Frame(picture(), "image/png", 64, 48, Source("video", "screen.mkv", time=time))
        for time in (0.0, 2.0, 3.5)
    )


@pytest.fixture
def run(qt: QApplication, chat: ChatServer) -> Run:
    chat.pieces = [{"content": "A window opens."}]

    def go(takes_video: bool, test: Callable[[Session], Awaitable[None]]) -> None:
        async def within() -> None:
            profile = Profile("remote", chat.url, "seer", takes_video=takes_video)
            services = Services(Settings(endpoint="remote", profiles=(profile,)), folders(), Keys())
            session = Session(services)
            try:
                await test(session)
            finally:
                await session.close()
                await services.close()

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(within())

    return go


async def answered(session: Session, text: str) -> None:
    ended = asyncio.Event()
    heard = session.turn_ended.connect(lambda _: ended.set())
    session.ask(text)
    async with asyncio.timeout(20):
        await ended.wait()
        await asyncio.sleep(0.05)  # until the session is free again
    session.turn_ended.disconnect(heard)


def seen(asked: Any) -> list[list[str]]:
    """The kinds of parts of each message that shows something."""
    return [
        [part["type"] for part in message["content"]]
        for message in asked["messages"]
        if isinstance(message["content"], list)
    ]


def test_the_whole_video_goes_with_the_question_and_again_with_the_next(
    run: Run, chat: ChatServer, film: tuple[Frame, ...]
) -> None:
    async def test(session: Session) -> None:
        session.attach_frames("screen.mkv", film, [CLIP])
        await answered(session, "What happens?")
        await answered(session, "And then?")

    run(True, test)
    assert seen(chat.asked[0]) == [["video_url", "text"]]
    assert seen(chat.asked[1]) == [["video_url", "text"]]
    url = chat.asked[1]["messages"][0]["content"][0]["video_url"]["url"]  # type: ignore[index]
    assert base64.b64decode(url.removeprefix("data:video/mp4;base64,")) == CLIP.data


def test_an_endpoint_without_videos_gets_the_frames(
    run: Run, chat: ChatServer, film: tuple[Frame, ...]
) -> None:
    async def test(session: Session) -> None:
        session.attach_frames("screen.mkv", film, [CLIP])
        await answered(session, "What happens?")

    run(False, test)
    assert seen(chat.asked[0]) == [["image_url"] * 3 + ["text"]]


def test_a_conversation_opened_again_still_has_the_video(
    run: Run, chat: ChatServer, film: tuple[Frame, ...]
) -> None:
    kept: list[int] = []

    async def first(session: Session) -> None:
        session.attach_frames("screen.mkv", film, [CLIP])
        await answered(session, "What happens?")
        assert session.conversation is not None
        kept.append(session.conversation.id)

    async def second(session: Session) -> None:
        shown = asyncio.Event()
        session.conversation_shown.connect(lambda _: shown.set())
        session.open_conversation(kept[0])
        async with asyncio.timeout(20):
            await shown.wait()
        await answered(session, "And then?")

    run(True, first)
    run(True, second)
    assert seen(chat.asked[1]) == [["video_url", "text"]]


def test_asking_again_sends_it_again(run: Run, chat: ChatServer, film: tuple[Frame, ...]) -> None:
    turns: list[Turn] = []

    async def test(session: Session) -> None:
        session.turn_ended.connect(turns.append)
        session.attach_frames("screen.mkv", film, [CLIP])
        await answered(session, "What happens?")
        session.retry(turns[0].id)
        async with asyncio.timeout(20):
            while len(turns) < 2:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)

    run(True, test)
    assert seen(chat.asked[1])[-1] == ["video_url", "text"]
    assert turns[1].clips == (CLIP,)


# --- the box in the endpoint's form ---------------------------------------------------------


def test_the_form_keeps_whether_an_endpoint_takes_videos(qt: QApplication, hear: Hear) -> None:
    form = EndpointForm()
    saved = hear(form.saved)
    profile = Profile("Office", "http://10.0.0.7:8000/v1", "m")
    form.edit(profile, frozenset())
    assert not form.films.isChecked()
    form.films.setChecked(True)
    form.save.click()
    assert saved[-1][1] == replace(profile, takes_video=True)
    form.edit(saved[-1][1], frozenset())
    assert form.films.isChecked()
    form.deleteLater()


def test_a_model_that_sees_nothing_takes_no_videos(qt: QApplication, hear: Hear) -> None:
    form = EndpointForm()
    saved = hear(form.saved)
    form.edit(Profile("Office", "http://10.0.0.7:8000/v1", "m", takes_video=True), frozenset())
    form.sees.setChecked(False)
    assert not form.films.isEnabled()
    form.save.click()
    assert not saved[-1][1].takes_video
    form.deleteLater()
