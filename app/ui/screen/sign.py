"""The sign that a picture was taken: a flash over what is in it, or a sound; knows no capture."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QEasingCurve, QPropertyAnimation, QRect, Qt
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.assets import SOUNDS
from app.ui.tasks import Tasks

log = logging.getLogger(__name__)

SHUTTER = SOUNDS / "shutter.wav"
FLASH = 180  # ms
BRIGHT = 0.75  # of white, at first
_PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("afplay",))
_PATIENCE = 5.0  # s for a player


class Flash(QWidget):
    """White that fades over a place of the desktop, out of the way of every click and key."""

    def __init__(self, place: QRect) -> None:
        flags = (
            Qt.WindowType.ToolTip  # no manager places it, no task bar shows it
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
            | Qt.WindowType.WindowTransparentForInput
            | Qt.WindowType.WindowDoesNotAcceptFocus
        )
        super().__init__(None, flags)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setStyleSheet("background: white")
        self.setGeometry(place)
        self.setWindowOpacity(BRIGHT)
        self._fading = QPropertyAnimation(self, b"windowOpacity", self)
        self._fading.setDuration(FLASH)
        self._fading.setStartValue(BRIGHT)
        self._fading.setEndValue(0.0)
        self._fading.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fading.finished.connect(self.close)

    def run(self) -> None:
        self.show()
        self._fading.start()


class Sign:
    """Gives the one that the user has chosen."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def give(self, kind: Literal["flash", "sound", "none"], place: QRect) -> None:
        """`place` is what was taken, in logical pixels of the desktop."""
        if kind == "flash":
            Flash(place).run()
        elif kind == "sound":
            self._tasks.spawn(self._play(), "sound of a capture")

    async def _play(self) -> None:
        if sys.platform == "win32":
            import winsound  # noqa: PLC0415 - there is none elsewhere

            winsound.PlaySound(str(SHUTTER), winsound.SND_FILENAME | winsound.SND_ASYNC)
            return
        for command in players():
            if await _plays(*command, str(SHUTTER)):
                return
        QApplication.beep()


def players() -> Iterator[tuple[str, ...]]:
    """The programs here that can play a sound, the likeliest first."""
    return (command for command in _PLAYERS if shutil.which(command[0]))


async def _plays(*command: str) -> bool:
    devnull = asyncio.subprocess.DEVNULL
    try:
        player = await asyncio.create_subprocess_exec(*command, stdout=devnull, stderr=devnull)
    except OSError as error:
        log.warning("%s: %s", Path(command[0]).name, error)
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            return await player.wait() == 0
    finally:
        if player.returncode is None:
            player.kill()
            await player.wait()
