"""Builds the program and runs it: one Qt application, one loop, one instance, its desk."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable

import qasync
from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QApplication

from app import APP_ID, __version__
from app.handover import Invocation, hand_over
from app.keys import Keys
from app.logs import configure
from app.settings import folders, load
from app.ui.desk import Desk
from app.ui.icons import window_icon
from app.ui.instance import Instance
from app.ui.look import Look
from app.ui.services import Services
from app.ui.session import Session
from app.ui.sweeper import Sweeper
from app.ui.window import Window
from app.ui.words import speak
from app.vocabulary import Error, Fault

Built = Callable[[Desk], None]


class Application(QApplication):
    """`quit_wanted`: the desktop asks the program to end, as a Mac's menu does. Qt would end the
    loop at once, under everything that is still to be put away."""

    quit_wanted = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Quit:
            return super().event(event)
        self.quit_wanted.emit()
        return True


def run(said: Invocation, built: Built = lambda _: None) -> int:
    """Does what was asked for and stays until the user quits; the exit status. `built` is called
    with all that there is, before any of it is shown."""
    application = Application(sys.argv[:1])
    application.setApplicationName("Sightline")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName(APP_ID)
    application.setWindowIcon(window_icon())
    application.setQuitOnLastWindowClosed(False)
    instance = Instance(folders().config, application)
    if not instance.listen():
        return _leave_to_the_other(said, instance)
    Sweeper(application)
    try:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
            return runner.run(_live(application, instance, said, built))
    finally:
        instance.close()


def _leave_to_the_other(said: Invocation, instance: Instance) -> int:
    """One that was started at the same time was first."""
    try:
        hand_over(said, instance.where)
    except Fault as fault:
        print(f"sightline: {fault.message}", file=sys.stderr)
        return 1
    return 0


async def _live(
    application: Application, instance: Instance, said: Invocation, built: Built
) -> int:
    where = folders()
    configure(where.logs)
    settings, warning = load(where.config)
    speak(application, settings.language)
    keys = Keys()
    services = Services(settings, where, keys)
    session = Session(services)
    window = Window(session, Look(application, settings.theme), keys)
    desk = Desk(session, window, instance)
    ended = asyncio.Event()
    desk.quitted.connect(ended.set)
    application.quit_wanted.connect(ended.set)
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, ended.set)
    built(desk)
    desk.begin(said)
    session.start()
    gc.freeze()  # what was built to stay need not be looked through while an answer streams
    if warning:
        session.noticed.emit(Error("failed", warning))
    await ended.wait()
    instance.close()  # a start from now on is a program of its own
    desk.leave()
    await desk.end()
    await window.end()
    await session.close()
    await services.close()
    return 0
