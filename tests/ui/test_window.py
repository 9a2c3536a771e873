from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from app.keys import Keys
from app.settings import LOCAL, Profile, Settings, folders, load
from app.store import Conversation
from app.ui.finder import Finder
from app.ui.given import Given
from app.ui.look import Look
from app.ui.preferences import Preferences
from app.ui.services import Services
from app.ui.session import Session
from app.ui.theme import DARK
from app.ui.window import NARROW, Window
from app.vocabulary import Error

Scene = Callable[[Window, Session], Awaitable[None]]
Play = Callable[..., None]
WORDS = ("The total ", "is $211.41.")


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that answers every question alike, and one with "wait" in it never to its end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:  # a connection that was given up before it asked
        writer.close()
        return
    length = next(
        (
            int(line.split(":")[1])
            for line in head.split("\r\n")
            if "content-length" in line.lower()
        ),
        0,
    )
    body = await reader.readexactly(length)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    for word in WORDS:
        chunk = {"choices": [{"index": 0, "delta": {"content": word}}]}
        writer.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await writer.drain()
        await asyncio.sleep(0.05)
    if b"wait" in body:
        await reader.read()  # until the client hangs up
    else:
        end = {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16},
        }
        writer.write(b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n")
        await writer.drain()


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with suppress(ConnectionError):
            await answer(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    finally:
        listening.close()
        await asyncio.gather(*handlers)


@pytest.fixture
def play(qt: QApplication, look: Look) -> Play:
    """Runs a scene with a real window, a real session and a server that answers."""

    async def run(scene: Scene, settings: Settings) -> None:
        async with asyncio.timeout(30), server() as url:
            stub = Profile("Stub", url, "tiny", switch="template")
            keys = Keys()
            services = Services(
                Settings(endpoint="Stub", profiles=(stub,)) if settings == Settings() else settings,
                folders(),
                keys,
            )
            session = Session(services)
            window = Window(session, look, keys)
            window.show()
            session.start()
            try:
                await scene(window, session)
            finally:
                window.close()
                await window.end()
                await session.close()
                await services.close()
                window.deleteLater()

    def perform(scene: Scene, settings: Settings = Settings()) -> None:  # noqa: B008
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(run(scene, settings))
        gc.collect()  # here, and not when a worker's thread happens to: timers have a thread

    return perform


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def ask(window: Window, session: Session, text: str) -> None:
    window.composer.prompt.setPlainText(text)
    QTest.keyClick(window.composer.prompt, Qt.Key.Key_Return)
    await until(lambda: not session.busy and window.library.conversations)


def press(window: Window, keys: str) -> None:
    """What the shortcut does; the offscreen platform gives no window the focus."""
    wanted = QKeySequence(keys)
    found = [s for s in window.findChildren(QShortcut) if s.key() == wanted]
    assert len(found) == 1, f"{keys} is bound {len(found)} times"
    found[0].activated.emit()


def test_a_question_is_answered_and_kept(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        assert window.stack.currentWidget() is window.welcome
        await ask(window, session, "What is the total due?")
        assert window.stack.currentWidget() is window.transcript
        assert window.composer.prompt.toPlainText() == ""
        assert window.header.title.said == "What is the total due?"
        assert [c.title for c in window.library.conversations] == ["What is the total due?"]

    play(scene)


def test_the_status_line_says_where_the_pictures_go_and_how_fast_it_was(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        assert window.status.where.said == "Pictures go to 127.0.0.1"
        await ask(window, session, "How fast?")
        assert "first token after" in window.status.speed.said
        assert "tokens/s" in window.status.speed.said

    play(scene)


def test_without_an_endpoint_the_pictures_stay_and_are_read(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        assert window.status.where.said == "Pictures stay on this machine"
        assert "does not see them" in window.composer.note.text()
        assert window.composer.note.isVisible()

    play(scene, Settings(endpoint=LOCAL, max_tokens=7))


def test_escape_stops_the_answer(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        window.composer.prompt.setPlainText("wait for it")
        window.composer.send.click()
        await until(lambda: window.composer.prompt.toPlainText() == "")
        await asyncio.sleep(0.1)
        assert window.composer.send.accessibleName() == "Stop"
        QTest.keyClick(window, Qt.Key.Key_Escape)
        await until(lambda: not session.busy, 2)
        assert window.composer.send.accessibleName() == "Send"

    play(scene)


def test_a_new_conversation_begins_at_the_start(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        await ask(window, session, "One?")
        press(window, "Ctrl+N")
        assert window.stack.currentWidget() is window.welcome
        assert window.header.title.said == ""

    play(scene)


def test_a_deleted_conversation_can_be_had_back(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        await ask(window, session, "One?")
        window.library.delete_wanted.emit(window.library.conversations[0].id)
        assert window.library.conversations == ()
        assert "One?" in window.banner.text
        undo = next(b for b in window.banner.findChildren(QPushButton) if b.text() == "Undo")
        undo.click()
        await until(lambda: window.header.title.said == "One?")
        assert [c.title for c in window.library.conversations] == ["One?"]

    play(scene)


def test_a_deleted_conversation_is_gone_once_the_offer_is_dismissed(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        lists: list[tuple[Conversation, ...]] = []
        await ask(window, session, "One?")
        session.conversations_listed.connect(lists.append)
        window.library.delete_wanted.emit(window.library.conversations[0].id)
        window.banner.dismiss()
        await until(lambda: lists and lists[-1] == ())

    play(scene)


def test_a_renamed_conversation_has_its_title_everywhere(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        await ask(window, session, "One?")
        window.library.rows.item(1).setText("Two")
        await until(lambda: window.header.title.said == "Two")
        assert window.windowTitle() == "Two – Sightline"

    play(scene)


def test_a_dropped_bitmap_becomes_an_attachment(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        image = QImage(40, 30, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.blue)
        window.dropped.emit(Given(image=image))
        await until(window.composer.strip.isVisible)

    play(scene)


def test_many_files_of_many_kinds_can_be_dropped_at_once(
    play: Play, tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "b.xyz").write_bytes(b"\x00\x01")
    taken: list[Any] = []

    async def scene(window: Window, session: Session) -> None:
        session.attachments_changed.connect(taken.append)
        drop(window, [tmp_path / "a.png", tmp_path / "b.xyz"])
        await until(lambda: settled(taken[-1]), 25)
        good, bad = taken[-1]
        assert good.done and good.frames[0].width == 64
        assert bad.error is not None and bad.error.kind == "unsupported"
        assert not window._veil.isVisible()

    play(scene)


def drop(window: Window, files: list[Path]) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    event = QDropEvent(
        QPointF(QPoint(200, 200)),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def settled(attachments: tuple[Any, ...]) -> bool:
    return len(attachments) == 2 and all(item.done or item.error for item in attachments)


def test_an_address_of_elsewhere_is_refused_by_name(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        window.dropped.emit(Given(refused=("https://example.com/a.png",)))
        assert "https://example.com/a.png" in window.banner.text
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.banner.isVisible()

    play(scene)


def test_a_refused_key_offers_the_settings(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        session.noticed.emit(Error("bad_key", "The server refused the key."))
        assert window.banner.text == "The server refused the key."
        window.banner.findChild(QPushButton).click()
        assert window.findChild(Preferences).isVisible()

    play(scene)


def test_the_palette_finds_actions_and_conversations(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        await ask(window, session, "What is the total due?")
        press(window, "Ctrl+N")
        press(window, "Ctrl+K")
        finder = window.findChild(Finder)
        assert finder.rows.count() > 5
        finder.field.setText("total due")
        assert finder.rows.count() == 1
        QTest.keyClick(finder.field, Qt.Key.Key_Return)
        assert not finder.isVisible()
        await until(lambda: window.header.title.said == "What is the total due?")

    play(scene)


def test_the_palette_closes_with_escape_and_stops_nothing(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        press(window, "Ctrl+K")
        finder = window.findChild(Finder)
        QTest.keyClick(finder.field, Qt.Key.Key_Escape)
        assert not finder.isVisible()

    play(scene)


@pytest.mark.parametrize("keys", ["F1", "Ctrl+/", "Ctrl+,"])
def test_a_dialog_opens_and_closes_without_stopping_the_loop(play: Play, keys: str) -> None:
    async def scene(window: Window, session: Session) -> None:
        press(window, keys)
        dialogs = [d for d in window.findChildren(QDialog) if d.isVisible()]
        assert len(dialogs) == 1
        QTest.keyClick(dialogs[0], Qt.Key.Key_Escape)
        assert not dialogs[0].isVisible()

    play(scene)


def test_what_opens_now_and_then_is_not_built_at_the_start(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        assert window.findChild(Preferences) is None
        assert window.findChild(Finder) is None

    play(scene)


def test_an_endpoint_is_chosen_in_the_header(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        window.header.menu.aboutToShow.emit()
        names = [action.text() for action in window.header.menu.actions() if action.text()]
        assert names == ["This machine", "Stub", "Add endpoint…"]
        window.header.menu.actions()[0].trigger()
        assert session.settings.endpoint == LOCAL
        assert window.status.where.said == "Pictures stay on this machine"

    play(scene)


def test_thinking_is_offered_where_the_endpoint_switches_it(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        assert window.composer.think.isVisible()
        window.composer.think.click()
        assert session.settings.thinking is True
        assert window.composer.think.text() == "Thinking: on"
        session.choose_endpoint(LOCAL)
        assert not window.composer.think.isVisible()

    play(scene)


def test_a_theme_from_the_settings_is_worn_at_once(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        press(window, "Ctrl+,")
        window.findChild(Preferences).appearance.theme._buttons["dark"].click()
        assert window.look.theme is DARK

    play(scene)


def test_the_list_gives_way_in_a_narrow_window(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        window.resize(NARROW + 200, 700)
        assert window.library.isVisible()
        window.resize(NARROW - 100, 700)
        await until(lambda: not window.library.isVisible())
        press(window, "Ctrl+B")
        assert window.library.isVisible()

    play(scene)


def test_the_place_of_the_window_is_remembered(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        window.resize(900, 640)
        window.close()
        await asyncio.sleep(0.2)

    play(scene)
    settings, _ = load(folders().config)
    assert settings.geometry


def test_closing_tells_once_and_hides(play: Play, hear: Callable[..., list[Any]]) -> None:
    async def scene(window: Window, session: Session) -> None:
        closed = hear(window.closed)
        window.close()
        assert len(closed) == 1 and not window.isVisible()

    play(scene)


def test_every_control_has_a_name(play: Play, unnamed: Callable[..., list[str]]) -> None:
    async def scene(window: Window, session: Session) -> None:
        await ask(window, session, "One?")
        press(window, "Ctrl+K")
        press(window, "Ctrl+,")
        press(window, "F1")
        session.noticed.emit(Error("failed", "Something failed."))
        assert unnamed(window) == []

    play(scene)


def test_every_shortcut_is_bound_once(play: Play) -> None:
    async def scene(window: Window, session: Session) -> None:
        keys = [shortcut.key().toString() for shortcut in window.findChildren(QShortcut)]
        assert len(keys) == len(set(keys))
        assert {"Ctrl+N", "Ctrl+O", "Ctrl+Shift+S", "Ctrl+,", "Ctrl+B", "Ctrl+L", "F1"} <= set(keys)

    play(scene)
