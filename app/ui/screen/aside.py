"""Our own windows while a picture is taken: the one that is worked in steps aside and comes back
where it was, with the keys; the others stay, and the curtain leaves them out (app/capture). Knows
no picture but to see whether the screen has come to rest."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget

from app.capture import listing
from app.capture.grab import grab_shots
from app.vocabulary import Fault

LEAST, MOST = 0.12, 0.5  # s until what was below is drawn
LOOK = 0.04  # s between two looks at the screen
BLIND = 0.3  # s where looking means asking the desktop


class Aside:
    """`step` before a capture, `back` after it, each once."""

    def __init__(self) -> None:
        self._hidden: list[tuple[QWidget, QPoint]] = []
        self._active: QWidget | None = None

    async def step(self, *, menu: bool = False) -> None:
        """Returns when the screen shows what is below: at once where nothing of ours has to go.
        `menu`: one that was just clicked is still fading."""
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
            menu = True
        self._active = QApplication.activeWindow()
        for window in self._leaving():
            self._hidden.append((window, window.pos()))
        for window, _ in self._hidden:
            window.hide()
        if self._hidden or menu:
            await _rest()

    def _leaving(self) -> list[QWidget]:
        """The active window with those it belongs to and those that belong to it; all of ours
        where the curtain can't tell them from others'."""
        shown = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
        if listing.obstacle() is not None:
            return shown
        if self._active is None:
            return []
        root = _root(self._active)
        return [window for window in shown if _root(window) is root]

    def back(self) -> None:
        for window, corner in self._hidden:
            window.show()
            window.move(corner)  # a window manager may place it anew
        if self._active is not None and self._hidden:
            self._active.raise_()
            self._active.activateWindow()
        self._hidden = []


def _root(window: QWidget) -> QWidget:
    parent = window.parentWidget()
    return window if parent is None else _root(parent.window())


async def _rest() -> None:
    """Until two looks at the screen are the same, or long enough."""
    if listing.obstacle() is not None:
        await asyncio.sleep(BLIND)
        return
    loop = asyncio.get_running_loop()
    until = loop.time() + MOST
    await asyncio.sleep(LEAST)
    before: tuple[object, ...] = ()
    while loop.time() < until:
        try:
            now = tuple([shot.pixels for shot in await grab_shots()])
        except Fault:
            return  # what is wrong is said by the capture itself
        if await asyncio.to_thread(lambda seen=before, look=now: seen == look):  # type: ignore[misc]
            return
        before = now
        await asyncio.sleep(LOOK)
