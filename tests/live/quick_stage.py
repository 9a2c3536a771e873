"""Runs the main window and the quick windows for their live tests and prints what happens to them,
a JSON line a fact. A line on stdin, `x y width height`, opens a quick window beside that place."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import qasync
from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget

from app.keys import Keys
from app.settings import Profile, Settings, folders, load
from app.ui.look import Look
from app.ui.popup.quick import Quick
from app.ui.popup.quicks import Quicks
from app.ui.services import Services
from app.ui.session import Session
from app.ui.sweeper import Sweeper
from app.ui.window import Window
from app.vocabulary import Frame, Source

SAMPLE = Path(__file__).parents[2] / "assets" / "samples" / "dialog.png"


class Taken:
    def __init__(self, place: QRect) -> None:
        source = Source("screen", "Screen")
        self.frame = Frame(SAMPLE.read_bytes(), "image/png", 640, 360, source)
        self.place = place


def tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, **facts}), flush=True)


def box(widget: QWidget) -> list[int]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


class Watch(QObject):
    """Tells when a window of ours comes and goes."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWidget) and watched.isWindow():
            name = type(watched).__name__
            if event.type() == QEvent.Type.WindowActivate:
                tell("active", window=name)
            elif event.type() == QEvent.Type.Hide:
                tell("hidden", window=name)
        return False


class Stage:
    def __init__(self, application: QApplication) -> None:
        profile = Profile("Server", os.environ["SERVER"], "seer")
        settings = Settings(endpoint="Server", profiles=(profile,), theme="light")
        self.services = Services(settings, folders(), Keys())
        self.session = Session(self.services)
        self.look = Look(application, "light")
        self.window = Window(self.session, self.look, self.services.keys)
        self.quicks = Quicks(self.services, self.look)
        self.quicks.opened_in_window.connect(self._open)
        self.session.turn_ended.connect(lambda turn: tell("window ended", answer=turn.answer))
        self.quicks.prepare()

    def ask(self, place: QRect) -> None:
        quick = self.quicks.ask(Taken(place))
        prompt = quick.plan.inquiry.prompt
        prompt.focused.connect(lambda here: tell("focused", here=here))
        prompt.textChanged.connect(lambda: tell("typed", text=prompt.toPlainText()))
        quick.session.turn_added.connect(lambda turn: tell("asked", question=turn.question))
        quick.session.turn_grew.connect(lambda _: tell("grew"))
        quick.session.turn_ended.connect(
            lambda turn: tell("ended", state=turn.state, answer=turn.answer)
        )
        asyncio.get_running_loop().call_later(0.3, self._tell_places, quick)

    def _tell_places(self, quick: Quick) -> None:
        screen = quick.screen().availableGeometry()
        tell(
            "placed",
            window=box(quick),
            id=int(quick.winId()),
            screen=[screen.x(), screen.y(), screen.width(), screen.height()],
            pin=box(quick.plan.pin),
            onward=box(quick.plan.onward),
            title=box(quick.plan.title),
            ratio=quick.devicePixelRatioF(),
        )

    def _open(self, conversation: int) -> None:
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        self.session.open_conversation(conversation)

    async def end(self) -> None:
        await self.quicks.close()
        self.window.hide()
        await self.window.end()
        await self.session.close()
        await self.services.close()


async def live(application: QApplication) -> None:
    stage = Stage(application)
    over = asyncio.Event()

    def read() -> None:
        line = sys.stdin.readline()
        words = line.split()
        if not line:
            over.set()
        elif words == ["where"]:
            for quick in stage.quicks.windows:
                stage._tell_places(quick)
        else:
            stage.ask(QRect(*map(int, words)))

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), read)
    tell("ready")
    await over.wait()
    loop.remove_reader(sys.stdin.fileno())
    await stage.end()
    tell("over", size=load(folders().config)[0].quick_size)


def main() -> None:
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    Sweeper(application)
    watch = Watch()
    application.installEventFilter(watch)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(live(application))


if __name__ == "__main__":
    main()
