"""Builds the window's process and runs it: one Qt application, one loop, one window."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys

import qasync
from PySide6.QtWidgets import QApplication

from app import __version__
from app.keys import Keys
from app.logs import configure
from app.settings import folders, load
from app.ui.look import Look
from app.ui.session import Session
from app.ui.sweeper import Sweeper
from app.ui.window import Window
from app.ui.words import speak
from app.vocabulary import Error


def run() -> int:
    """Shows the window and stays until it is closed; the exit status."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Sightline")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("sightline")
    application.setQuitOnLastWindowClosed(False)
    Sweeper(application)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        return runner.run(_live(application))


async def _live(application: QApplication) -> int:
    where = folders()
    configure(where.logs)
    settings, warning = load(where.config)
    speak(application, settings.language)
    keys = Keys()
    session = Session(settings, where, keys)
    window = Window(session, Look(application, settings.theme), keys)
    closed = asyncio.Event()
    window.closed.connect(closed.set)
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, closed.set)
    window.show()
    session.start()
    gc.freeze()  # what was built to stay need not be looked through while an answer streams
    if warning:
        session.noticed.emit(Error("failed", warning))
    await closed.wait()
    window.hide()
    await window.end()
    await session.close()
    return 0
