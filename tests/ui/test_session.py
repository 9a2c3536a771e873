"""A question's whole life through the session: a real loop, a real server, a real store."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import qasync
from chat import ChatServer, wait_until
from PySide6.QtWidgets import QApplication

from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.store import Store, Turn
from app.ui.services import Services
from app.ui.session import Session
from app.vocabulary import Answer, Source, Thinking

ROOT = Path(__file__).resolve().parents[2]
Live = Callable[[Callable[[Session, "Heard"], Awaitable[None]]], None]


class Heard:
    """Everything the session told, and a way to wait for it."""

    def __init__(self, session: Session) -> None:
        self.added: list[Turn] = []
        self.ended: list[Turn] = []
        self.events: list[object] = []
        self.busy: list[bool] = []
        self.noticed: list[object] = []
        self.attachments: tuple[object, ...] = ()
        session.turn_added.connect(self.added.append)
        session.turn_ended.connect(self.ended.append)
        session.turn_grew.connect(lambda growth: self.events.extend(growth.events))
        session.busy_changed.connect(self.busy.append)
        session.noticed.connect(self.noticed.append)
        session.attachments_changed.connect(self._attached)

    def _attached(self, attachments: tuple[object, ...]) -> None:
        self.attachments = attachments

    async def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.005)


@pytest.fixture
def live(qt: QApplication, chat: ChatServer) -> Iterator[Live]:
    """Runs a coroutine beside a session whose endpoint is the chat server."""

    def run(test: Callable[[Session, Heard], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(within(test))

    async def within(test: Callable[[Session, Heard], Awaitable[None]]) -> None:
        profile = Profile("remote", chat.url, "seer")
        settings = Settings(endpoint="remote", profiles=(profile,))
        services = Services(settings, folders(), Keys())
        session = Session(services)
        heard = Heard(session)
        try:
            await test(session, heard)
        finally:
            await session.close()
            await services.close()

    yield run


def stored() -> tuple[Turn, ...]:
    store = Store(folders().data)
    try:
        return tuple(t for c in store.conversations() for t in store.turns(c.id))
    finally:
        store.close()


def test_thinking_and_answer_arrive_and_are_kept(live: Live, chat: ChatServer) -> None:
    chat.pieces = [{"reasoning_content": "look"}, {"content": "It says "}, {"content": "four."}]

    async def test(session: Session, heard: Heard) -> None:
        session.ask("What?")
        await heard.until(lambda: heard.ended)

    heard_turns: list[Turn] = []

    async def watched(session: Session, heard: Heard) -> None:
        await test(session, heard)
        heard_turns.extend(heard.ended)
        assert [type(e) for e in heard.events].count(Thinking) >= 1
        assert "".join(e.text for e in heard.events if isinstance(e, Answer)) == "It says four."
        await heard.until(lambda: heard.busy == [True, False])

    live(watched)
    assert heard_turns[0].state == "done"
    assert (stored()[0].thinking, stored()[0].answer) == ("look", "It says four.")


def test_stop_hangs_up_within_a_tenth_of_a_second_and_keeps_what_came(
    live: Live, chat: ChatServer
) -> None:
    chat.pieces, chat.hang = [{"content": "half an"}], True

    async def test(session: Session, heard: Heard) -> None:
        session.ask("What?")
        await heard.until(lambda: heard.events)
        began = time.monotonic()
        session.stop()
        await heard.until(lambda: heard.ended)
        assert time.monotonic() - began < 0.1
        assert (heard.ended[0].state, heard.ended[0].answer) == ("cancelled", "half an")
        await heard.until(chat.hung_up.is_set)

    live(test)
    assert stored()[0].answer == "half an"


def test_an_answer_that_breaks_off_is_kept_with_its_error(live: Live, chat: ChatServer) -> None:
    chat.pieces, chat.breaks = [{"content": "half"}], True

    async def test(session: Session, heard: Heard) -> None:
        session.ask("What?")
        await heard.until(lambda: heard.ended)
        turn = heard.ended[0]
        assert (turn.state, turn.answer) == ("interrupted", "half")
        assert turn.error is not None and turn.error.message

    live(test)


def test_a_retry_of_a_turn_without_an_answer_takes_its_place(live: Live, chat: ChatServer) -> None:
    chat.status, chat.error = 500, "out of luck"

    async def test(session: Session, heard: Heard) -> None:
        session.ask("What?")
        await heard.until(lambda: heard.ended and not session.busy)
        assert heard.ended[0].error is not None
        assert "out of luck" in heard.ended[0].error.message
        chat.status, chat.pieces = 200, [{"content": "yes"}]
        session.retry(heard.ended[0].id)
        await heard.until(lambda: len(heard.ended) == 2)

    live(test)
    assert [turn.answer for turn in stored()] == ["yes"]


def test_a_retry_of_a_half_answer_leaves_it_standing(live: Live, chat: ChatServer) -> None:
    chat.pieces, chat.breaks = [{"content": "half"}], True

    async def test(session: Session, heard: Heard) -> None:
        session.ask("What?")
        await heard.until(lambda: heard.ended and not session.busy)
        chat.pieces, chat.breaks = [{"content": "whole"}], False
        session.retry(heard.ended[0].id)
        await heard.until(lambda: len(heard.ended) == 2)

    live(test)
    assert [turn.answer for turn in stored()] == ["half", "whole"]


def test_the_next_question_carries_the_answers_before_but_not_the_thinking(
    live: Live, chat: ChatServer
) -> None:
    chat.pieces = [{"reasoning_content": "hm"}, {"content": "four"}]

    async def test(session: Session, heard: Heard) -> None:
        session.ask("What?")
        await heard.until(lambda: heard.ended and not session.busy)
        session.ask("And twice that?")
        await heard.until(lambda: len(heard.ended) == 2)

    live(test)
    said = [m["content"] for m in chat.asked[1]["messages"]]  # type: ignore[attr-defined]
    assert said[-3:] == ["What?", "four", "And twice that?"]
    assert "hm" not in str(chat.asked[1])


def test_mixed_files_become_frames_of_one_question(
    live: Live, chat: ChatServer, samples: Path
) -> None:
    chat.pieces = [{"content": "ok"}]

    async def test(session: Session, heard: Heard) -> None:
        session.attach_files([samples / "report.pdf", samples / "dialog.png"])
        session.ask("What?")  # while they are still being read
        await heard.until(lambda: heard.ended)
        assert heard.attachments == ()

    live(test)
    parts = chat.asked[0]["messages"][-1]["content"]  # type: ignore[index]
    assert [p["type"] for p in parts].count("image_url") == 4
    assert len(stored()[0].frames) == 4


def test_a_file_that_cannot_be_read_says_so_in_its_place_and_the_others_stay(
    live: Live, tmp_path: Path, samples: Path
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(bytes(2000))

    async def test(session: Session, heard: Heard) -> None:
        session.attach_files([bad, samples / "dialog.png"])
        await heard.until(lambda: all(a.done or a.error for a in heard.attachments))  # type: ignore[attr-defined]
        first, second = heard.attachments
        assert first.error is not None and "bad.pdf" in first.error.message  # type: ignore[attr-defined]
        assert len(second.frames) == 1  # type: ignore[attr-defined]

    live(test)


def test_a_question_waits_beside_a_locked_file_until_the_password_is_there(
    live: Live, chat: ChatServer, tmp_path: Path, samples: Path
) -> None:
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415

    writer = PdfWriter(clone_from=PdfReader(samples / "report.pdf"))
    writer.encrypt("open sesame", algorithm="AES-256")
    locked = tmp_path / "locked.pdf"
    writer.write(locked)
    chat.pieces = [{"content": "ok"}]

    async def test(session: Session, heard: Heard) -> None:
        session.attach_files([locked])
        await heard.until(lambda: heard.attachments and heard.attachments[0].error)  # type: ignore[attr-defined]
        assert heard.attachments[0].error.kind == "needs_password"  # type: ignore[attr-defined]
        session.unlock(heard.attachments[0].id, "open sesame")  # type: ignore[attr-defined]
        await heard.until(lambda: heard.attachments[0].done)  # type: ignore[attr-defined]
        assert len(heard.attachments[0].frames) == 3  # type: ignore[attr-defined]

    live(test)


def test_a_model_that_reads_text_gets_the_words_of_a_picture(
    live: Live, chat: ChatServer, samples: Path
) -> None:
    chat.pieces = [{"content": "ok"}]

    async def test(session: Session, heard: Heard) -> None:
        profile = Profile("reader", chat.url, "blind", sees_pictures=False)
        session.apply_settings(Settings(endpoint="reader", profiles=(profile,)))
        image = (samples / "invoice.png").read_bytes()
        session.attach_picture(image, "image/png", Source("paste", "Pasted picture"))
        session.ask("What is the total due?")
        await heard.until(lambda: heard.ended, 60)

    live(test)
    assert "4,761.00" in str(chat.asked[0]["messages"])
    assert "image_url" not in str(chat.asked[0])


def test_an_endpoint_that_is_gone_is_one_sentence(live: Live) -> None:
    async def test(session: Session, heard: Heard) -> None:
        session.choose_endpoint("moon")
        session.ask("What?")
        await heard.until(lambda: heard.ended)
        assert "moon" in heard.ended[0].error.message  # type: ignore[union-attr]

    live(test)


KILLED = """
import asyncio, sys
import qasync
from PySide6.QtWidgets import QApplication
from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.ui.services import Services
from app.ui.session import Session

async def live(url):
    settings = Settings(endpoint="r", profiles=(Profile("r", url, "m"),))
    session = Session(Services(settings, folders(), Keys()))
    session.turn_grew.connect(lambda growth: print(len(growth.events), flush=True))
    session.ask("What?")
    await asyncio.sleep(60)

with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(QApplication([]))) as runner:
    runner.run(live(sys.argv[1]))
"""


def test_a_killed_window_loses_at_most_a_second_of_the_answer(chat: ChatServer) -> None:
    chat.pieces, chat.pace = [{"content": f"{n} "} for n in range(1000)], 0.01
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, chat.url], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ
    )
    assert child.stdout is not None
    child.stdout.readline()
    began = time.monotonic()
    assert wait_until(lambda: time.monotonic() - began > 2.5)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    turn = stored()[0]
    kept = len(turn.answer.split())
    assert turn.state == "interrupted"
    assert kept >= 110  # of about 250 sent by then; a hundred are one second
