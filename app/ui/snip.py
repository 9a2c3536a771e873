"""Capturing by hand: the window steps aside, the screens freeze, a region is marked, the window
comes back."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QWidget

from app.ui.camera import Camera
from app.ui.look import Look
from app.ui.overlay import Overlay
from app.vocabulary import Frame, Region

AWAY = 0.25  # s until a compositor has drawn the screen without the window


class Snip:
    """One at a time; a second wish while one is open is nothing."""

    def __init__(self, window: QWidget, look: Look, camera: Camera) -> None:
        self._window = window
        self._look = look
        self._camera = camera
        self._busy = False

    async def take(self) -> Frame | None:
        """What the user marked, or None if nothing.

        Raises:
            CaptureFault: no screen can be captured here.
        """
        if self._busy:
            return None
        self._busy = True
        corner = self._window.pos()
        try:
            self._window.hide()
            await asyncio.sleep(AWAY)
            return await self._choose()
        finally:
            self._window.show()
            self._window.move(corner)  # a window manager may place it anew
            self._window.raise_()
            self._window.activateWindow()
            self._busy = False

    async def _choose(self) -> Frame | None:
        roll = await self._camera.shoot()
        chosen: asyncio.Future[tuple[int, Region] | None]
        chosen = asyncio.get_running_loop().create_future()
        overlay = Overlay(self._look, roll.stills)
        overlay.chosen.connect(lambda at, region: _settle(chosen, (at, region)))
        overlay.cancelled.connect(lambda: _settle(chosen, None))
        overlay.open()
        try:
            choice = await chosen
        finally:
            overlay.close()
        return None if choice is None else await roll.cut(*choice)


def _settle(
    future: asyncio.Future[tuple[int, Region] | None], choice: tuple[int, Region] | None
) -> None:
    if not future.done():
        future.set_result(choice)
