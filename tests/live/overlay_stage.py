"""Runs the overlay as a program of its own for the live tests and the bench: takes JSON lines on
stdin (what to capture), tells what happens as JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from typing import Any

import qasync
from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel

from app.keys import Keys
from app.settings import Settings, folders
from app.ui.look import Look
from app.ui.screen.camera import Camera
from app.ui.screen.keeping import Keeper
from app.ui.screen.pin import Pins
from app.ui.screen.snip import Snip
from app.ui.screen.studio import Aids
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.ui.words import speak
from app.vocabulary import Error, Fault, Region


def tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, "at": time.monotonic(), **facts}), flush=True)


class Actor(QObject):
    def __init__(self, application: QApplication) -> None:
        super().__init__()
        self.look = Look(application, os.environ.get("STAGE_THEME", "light"))
        language = os.environ.get("STAGE_LANGUAGE", "en")
        self.settings = replace(Settings(), **json.loads(os.environ.get("STAGE_SETTINGS", "{}")))
        speak(application, language)  # type: ignore[arg-type]
        self.tasks = Tasks(self._failed)
        self.services: Services | None = None
        self.snip = Snip(self.look, Camera(), lambda: self.settings, self._aids())
        self.snip.learned.connect(self._learn)
        self.window = QLabel("our own window")
        self.window.setStyleSheet("background: #00ff00")
        self.gone = asyncio.Event()
        self._heard = b""

    def _aids(self) -> Aids | None:
        if not os.environ.get("STAGE_STUDIO"):
            return None
        self.services = Services(self.settings, folders(), Keys())
        keeper = Keeper()
        texts = Texts(self.services.worker, self.tasks)
        pins = Pins(self.look, keeper, self.tasks)
        return Aids(texts, self.tasks, pins, keeper, lambda: "this machine")

    def _failed(self, error: Error) -> None:
        tell("failed", message=error.message, detail=error.detail)

    def _learn(self, settings: Settings) -> None:
        self.settings = settings
        marks = [[m.x, m.y, m.width, m.height] for m in settings.regions]
        tell("learned", regions=marks, hinted=settings.hinted)

    def hear(self) -> None:
        read = os.read(sys.stdin.fileno(), 65536)
        if not read:
            self.gone.set()
        self._heard += read
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            said = json.loads(line)
            getattr(self, f"do_{said.pop('do')}")(**said)

    def do_take(self, **wish: Any) -> None:
        region = wish.pop("region", None)
        wish["region"] = Region(*region) if region else None
        self.tasks.spawn(self._take(**wish), "take")
        tell("called")

    async def _take(self, **wish: Any) -> None:
        try:
            taken = await self.snip.take(**wish)
        except Fault as fault:
            tell("fault", message=fault.message)
            return
        if taken is None:
            tell("nothing")
            return
        image = QImage.fromData(taken.frame.image)
        place, region = taken.place, taken.frame.source.region
        assert region is not None
        tell(
            "taken",
            region=[region.x, region.y, region.width, region.height],
            size=[image.width(), image.height()],
            place=[place.x(), place.y(), place.width(), place.height()],
            scale=taken.frame.source.scale,
            deed=taken.deed,
            colours=[
                image.pixelColor(x, y).name()
                for x in (0, image.width() // 2, image.width() - 1)
                for y in (0, image.height() // 2, image.height() - 1)
            ],
        )
        if os.environ.get("STAGE_SAVE"):
            image.save(os.environ["STAGE_SAVE"])

    def do_area(self) -> None:
        self.tasks.spawn(self._area(), "area")
        tell("called")

    async def _area(self) -> None:
        area = await self.snip.area()
        if area is None:
            tell("nothing")
            return
        region = area.region
        sides = [region.x, region.y, region.width, region.height]
        tell("area", area=area.kind, region=sides, window=area.window)

    def do_show(self, place: list[int], *, active: bool = True) -> None:
        """Our own window."""
        self.window.setGeometry(QRect(*place))
        self.window.show()
        if active:
            self.window.activateWindow()

    def do_look(self) -> None:
        """What the overlay shows."""
        overlay = self.snip.overlay
        panes = [] if overlay is None else overlay.panes
        marked = [pane.marking.region for pane in panes]
        tell(
            "look",
            marked=[None if m is None else [m.x, m.y, m.width, m.height] for m in marked],
            focus=[pane.isActiveWindow() for pane in panes],
            own=self.window.isVisible() and self.window.isActiveWindow(),
        )


async def live(application: QApplication) -> None:
    actor = Actor(application)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), actor.hear)
    tell("ready", screens=[_sides(screen.geometry()) for screen in application.screens()])
    await actor.gone.wait()
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    await actor.tasks.end()
    if actor.services is not None:
        await actor.services.close()


def _sides(place: QRect) -> list[int]:
    return [place.x(), place.y(), place.width(), place.height()]


def main() -> None:
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(live(application))


if __name__ == "__main__":
    main()
