"""The recorder where nothing can be recorded: it says so, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import qasync
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget

from app.capture.record.facts import Area
from app.keys import Keys
from app.settings import Settings, folders
from app.ui.film.clearing import Clearing
from app.ui.film.recorder import RecorderFlow
from app.ui.look import Look
from app.ui.services import Services
from app.vocabulary import Error, Region

AREA = Area("region", Region(10, 10, 200, 120))
Run = Callable[[Callable[[RecorderFlow], Awaitable[None]], Area | None], None]


@pytest.fixture
def run(qt: QApplication, look: Look, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)

    def go(test: Callable[[RecorderFlow], Awaitable[None]], chosen: Area | None) -> None:
        async def choose() -> Area | None:
            return chosen

        async def within() -> None:
            services = Services(Settings(), folders(), Keys())
            flow = RecorderFlow(services, look, choose)
            try:
                await test(flow)
            finally:
                await flow.close()
                await services.close()

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qt)) as runner:
            runner.run(within())

    return go


async def idle(flow: RecorderFlow) -> None:
    async with asyncio.timeout(20):
        await asyncio.sleep(0.05)
        while flow.state != "idle":  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)


def test_a_screen_that_can_not_be_recorded_is_said_in_a_sentence(
    run: Run, qt: QApplication
) -> None:
    said: list[Error] = []

    async def test(flow: RecorderFlow) -> None:
        flow.noticed.connect(said.append)
        flow.toggle()
        await idle(flow)

    run(test, AREA)
    assert len(said) == 1
    assert said[0].message.endswith(".")
    assert [window for window in qt.topLevelWidgets() if window.isVisible()] == []


def test_an_area_that_nobody_chose_starts_nothing(run: Run) -> None:
    states: list[str] = []

    async def test(flow: RecorderFlow) -> None:
        flow.state_changed.connect(states.append)
        flow.toggle()
        await idle(flow)

    run(test, None)
    assert states == []


def test_windows_on_the_area_go_and_come_back_where_they_were(qt: QApplication) -> None:
    above, beside = QWidget(), QWidget()
    above.setGeometry(50, 50, 100, 100)
    beside.setGeometry(500, 50, 100, 100)
    for window in (above, beside):
        window.show()
    clearing = Clearing(QRect(0, 0, 300, 300))
    assert (above.isVisible(), beside.isVisible(), clearing.hidden) == (False, True, True)
    clearing.back()
    assert (above.isVisible(), above.geometry()) == (True, QRect(50, 50, 100, 100))
    for window in (above, beside):
        window.close()
        window.deleteLater()
