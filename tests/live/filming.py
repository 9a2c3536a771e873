"""Runs the recorder as people see it, for the live tests; prints what happens, a JSON line a fact.
Told where its server is and what to record by the environment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

import qasync
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.capture.listing import windows
from app.capture.record.facts import Area
from app.keys import Keys
from app.settings import Profile, Recording, Settings, folders
from app.ui.film.recorder import Film, RecorderFlow
from app.ui.look import Look
from app.ui.services import Services
from app.ui.session import Session
from app.ui.sweeper import Sweeper
from app.vocabulary import Region

PAPER = (120, 90, 560, 360)


def tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, **facts}), flush=True)


class Watch(QObject):
    """Tells where our windows and what can be clicked on them are, whenever one comes."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWidget) and watched.isWindow():
            name = type(watched).__name__
            if event.type() == QEvent.Type.Move and name == "Border":
                tell("moved", window=name, place=_place_of(watched))
            elif event.type() == QEvent.Type.Show:
                QTimer.singleShot(150, lambda: self._place(watched, name))
            elif event.type() == QEvent.Type.Hide:
                tell("hidden", window=name)
        return False

    def _place(self, window: QWidget, name: str) -> None:
        if not window.isVisible():
            return
        buttons = {
            child.accessibleName(): _middle(child)
            for child in window.findChildren(QWidget)
            if child.accessibleName() and child.isVisible()
        }
        tell("shown", window=name, place=_place_of(window), parts=buttons)


def _place_of(window: QWidget) -> list[int]:
    box = window.geometry()
    return [box.x(), box.y(), box.width(), box.height()]


def _middle(widget: QWidget) -> list[int]:
    point = widget.mapToGlobal(widget.rect().center())
    return [point.x(), point.y()]


class Ours(QWidget):
    """A window of ours that stands on what is recorded, in a colour that nothing else has."""

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.WindowStaysOnTopHint)
        self.setGeometry(300, 200, 200, 150)
        self.setStyleSheet("background: #ff00ff")


def settings() -> Settings:
    server = os.environ["SERVER"]
    takes = os.environ.get("TAKES_VIDEO") == "1"
    profile = Profile("Test", server, "seer", takes_video=takes)
    how = Recording(
        frame_rate=10,
        delay=int(os.environ.get("DELAY", "0")),
        longest=int(os.environ.get("LONGEST", "60")),
    )
    return Settings(endpoint="Test", profiles=(profile,), recording=how)


async def live(application: QApplication) -> None:
    services = Services(settings(), folders(), Keys())
    session = Session(services)
    flow = RecorderFlow(services, Look(application, "light"), _nowhere)
    flow.state_changed.connect(lambda state: tell("state", state=state))
    flow.noticed.connect(lambda error: tell("noticed", message=error.message))
    session.turn_ended.connect(lambda turn: tell("answered", answer=turn.answer))

    def take(film: Film) -> None:
        tell(
            "taken",
            question=film.question,
            times=[frame.source.time for frame in film.frames],
            part=[film.start, film.end],
            clips=[len(clip.data) for clip in film.clips],
        )
        session.attach_frames(film.name, film.frames, film.clips)
        session.ask(film.question)

    flow.taken.connect(take)
    watch = Watch()
    application.installEventFilter(watch)
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, closed.set)
    ours = Ours()
    loop.add_signal_handler(signal.SIGUSR2, lambda: ours.setVisible(not ours.isVisible()))
    loop.add_signal_handler(signal.SIGUSR1, lambda: flow.toggle(_area()))
    await flow.offer_left_over()
    tell("ready", pid=os.getpid())
    await closed.wait()
    ours.close()
    await flow.close()
    await session.close()
    await services.close()
    tell("closed")


async def _nowhere() -> Area | None:
    return None


def _area() -> Area:
    """What another program shows on its paper, or more."""
    screen = QApplication.primaryScreen().geometry()
    if os.environ.get("WHOLE_SCREEN") == "1":
        return Area("screen", Region(0, 0, screen.width(), screen.height()))
    held = next(found for found in windows() if found.title == "Paper")
    if os.environ.get("WINDOW") == "1":
        return Area("window", held.place, held.id)
    return Area("region", Region(*PAPER))


def main() -> None:
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    Sweeper(application)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(live(application))


if __name__ == "__main__":
    main()
