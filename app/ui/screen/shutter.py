"""Captures, from the wish to the question: waits until a menu is gone, has a part of the screen
chosen, gives the sign, hands the picture to a quick window or on; knows neither tray nor key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.ui.look import Look
from app.ui.popup.quicks import Quicks
from app.ui.screen.camera import Camera
from app.ui.screen.keeping import Keeper
from app.ui.screen.permit import Permit
from app.ui.screen.pin import Pins
from app.ui.screen.sign import Sign
from app.ui.screen.snip import Deed, Kind, Snip
from app.ui.screen.studio import Aids
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.vocabulary import Region


@dataclass(frozen=True, slots=True)
class Wish:
    """What to capture, what then, and whether a menu was clicked for it. With a `region`, in
    physical pixels of the desktop, nothing is left to choose."""

    kind: Kind = "region"
    deed: Deed = "ask"
    region: Region | None = None
    menu: bool = False


class Shutter(QObject):
    attached = Signal(object)  # Frame, for the question that is being written in the window

    def __init__(self, services: Services, look: Look, tasks: Tasks) -> None:
        super().__init__()
        self._services = services
        self._tasks = tasks
        self.keeper = Keeper(_folder(services))
        self.keeper.saved.connect(self._remember)
        self.pins = Pins(look, self.keeper, tasks)
        aids = Aids(
            texts=Texts(services.worker, tasks),
            tasks=tasks,
            pins=self.pins,
            keeper=self.keeper,
            where=lambda: services.place.where,
        )
        self.snip = Snip(look, Camera(), lambda: services.settings, aids)
        self.snip.learned.connect(services.apply_settings)
        self._sign = Sign(tasks)
        self.permit = Permit()
        self.quicks = Quicks(services, look)

    def take(self, wish: Wish) -> None:
        if self.permit.lets():
            self._tasks.spawn(self._take(wish), "capture")

    async def close(self) -> None:
        """Before the services' own end."""
        self.permit.close()
        self.pins.close()
        await self.quicks.close()

    def _remember(self, path: Path) -> None:
        folder = str(path.parent)
        if folder != self._services.settings.save_folder:
            self._services.apply_settings(replace(self._services.settings, save_folder=folder))

    async def _take(self, wish: Wish) -> None:
        taken = await self.snip.take(wish.kind, deed=wish.deed, region=wish.region, menu=wish.menu)
        if taken is None:
            return
        if taken.deed == "ask":
            self.quicks.ask(taken)
        else:
            self.attached.emit(taken.frame)
        self._sign.give(self._services.settings.sign, taken.place)


def _folder(services: Services) -> Path | None:
    kept = services.settings.save_folder
    return Path(kept) if kept else None
