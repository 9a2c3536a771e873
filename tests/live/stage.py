"""Runs the real window for the live tests and prints what happens to it, a JSON line a fact."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

import qasync
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.ui.look import Look
from app.ui.pane import Pane
from app.ui.session import Session
from app.ui.sweeper import Sweeper
from app.ui.window import Window


def tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, **facts}), flush=True)


class Watch(QObject):
    """Tells when a window of ours comes and goes."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWidget) and watched.isWindow():
            name = type(watched).__name__
            if event.type() == QEvent.Type.WindowActivate:
                place = watched.geometry()
                tell(
                    "active",
                    window=name,
                    place=[place.x(), place.y(), place.width(), place.height()],
                    marked=isinstance(watched, Pane) and watched.marking.region is not None,
                )
            elif event.type() == QEvent.Type.Hide:
                tell("hidden", window=name)
        return False


def tell_attachments(attachments: tuple[Any, ...]) -> None:
    for item in attachments:
        if not item.done:
            continue
        frame = item.frames[0]
        image = QImage.fromData(frame.image)
        region = frame.source.region
        tell(
            "attached",
            name=item.name,
            size=[frame.width, frame.height],
            region=None if region is None else [region.x, region.y, region.width, region.height],
            corner=image.pixelColor(0, 0).name(),
        )


async def live(application: QApplication) -> None:
    # a server that is never asked: the engine of this machine is not started for its sake
    profile = Profile("Nobody", "http://127.0.0.1:9/v1", "none")
    keys = Keys()
    session = Session(Settings(endpoint="Nobody", profiles=(profile,)), folders(), keys)
    session.attachments_changed.connect(tell_attachments)
    window = Window(session, Look(application, "light"), keys)
    watch = Watch()
    application.installEventFilter(watch)
    closed = asyncio.Event()
    window.closed.connect(closed.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, closed.set)
    window.show()
    session.start()
    await closed.wait()
    tell("closed", text=window.composer.prompt.toPlainText())
    window.hide()
    await window.end()
    await session.close()


def main() -> None:
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    Sweeper(application)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(live(application))


if __name__ == "__main__":
    main()
