"""The sign of a capture: a flash that goes by itself, a sound by whatever can play it."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.screen.sign import FLASH, SHUTTER, Flash, Sign, players
from app.ui.tasks import Tasks

Hear = Callable[..., list[Any]]


def test_a_flash_covers_its_place_and_goes_by_itself(qt: QApplication) -> None:
    flash = Flash(QRect(30, 40, 50, 60))
    gone: list[bool] = []
    flash.destroyed.connect(lambda: gone.append(True))
    flash.run()
    assert flash.isVisible() and flash.geometry() == QRect(30, 40, 50, 60)
    QTest.qWait(FLASH + 200)
    assert gone == [True]


def test_a_flash_takes_no_key_and_no_click(qt: QApplication) -> None:
    flash = Flash(QRect(0, 0, 9, 9))
    assert flash.windowFlags() & Qt.WindowType.WindowTransparentForInput
    assert flash.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    flash.deleteLater()


def test_none_is_given_where_none_is_wanted(qt: QApplication) -> None:
    before = set(qt.topLevelWidgets())
    Sign(Tasks(lambda error: pytest.fail(error.message))).give("none", QRect(0, 0, 9, 9))
    assert set(qt.topLevelWidgets()) == before


def test_the_sound_is_short_and_whole() -> None:
    with wave.open(str(SHUTTER)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
        loudest = max(
            abs(int.from_bytes(sound.readframes(1), "little", signed=True))
            for _ in range(sound.getnframes())
        )
    assert 0.05 < seconds < 0.3
    assert loudest > 3_000


@pytest.mark.skipif(os.name != "posix", reason="Windows plays it by itself")
def test_the_first_player_that_can_plays_it(
    qt: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, ends in (("pw-play", "exit 1"), ("aplay", f'echo "$@" > {tmp_path}/played')):
        player = tmp_path / name
        player.write_text(f"#!/bin/sh\n{ends}\n")
        player.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [command[0] for command in players()] == ["pw-play", "aplay"]

    async def play() -> None:
        tasks = Tasks(lambda error: pytest.fail(error.message))
        Sign(tasks).give("sound", QRect())
        async with asyncio.timeout(10):
            while not (tmp_path / "played").exists():  # noqa: ASYNC110 - a program of another
                await asyncio.sleep(0.02)
        await tasks.end()

    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
        runner.run(play())
    assert (tmp_path / "played").read_text() == f"-q {SHUTTER}\n"
