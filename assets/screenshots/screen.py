"""The program on a desktop, used as its user would and photographed: overlay, marks, quick window,
recorder, trim window, tray menu. Run by make.py, which gives it a display; uses xdotool.

    python assets/screenshots/screen.py FOLDER THEME LANGUAGE PID-OF-THE-SCENERY
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mss
from PIL import Image
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget
from recorded import Stream, recorded

from app.capture.record.facts import Area
from app.handover import Invocation
from app.settings import Mark, Profile, Recording, Settings, folders, save
from app.ui.desk import Desk
from app.ui.film.trim import Trim
from app.ui.program import run
from app.ui.screen.pane import Pane
from app.vocabulary import Region

SCALE = float(os.environ.get("QT_SCALE_FACTOR", "1"))
MARKED = (76, 126, 690, 406)  # left, top, right, bottom of what is asked about
FILMED = QRect(64, 84, 640, 404)
QUESTION = {"en": "Why does this fail?", "zh": "为什么会失败？"}
ABOUT_FILM = {"en": "Which test fails, and since when?", "zh": "哪个测试失败了？从什么时候开始？"}
NOTE = {"en": "a comma!", "zh": "这里是逗号"}
ANSWERS = {
    "en": Stream(
        "Line 48 turns the amount into a Decimal. The row printed below the error is 317; its "
        "amount reads 1.249,00 EUR, with a comma, which Decimal does not take.",
        "Row 317 writes its amount as `1.249,00 EUR`: a comma before the cents. "
        "`Decimal` takes only `1249.00`.\n\n"
        "```python\ntext = text.replace('.', '').replace(',', '.')\n```\n\n"
        "It stands here: <|begin_of_box|>[[128, 832, 338, 915]]<|end_of_box|>",
    ),
    "zh": Stream(
        "第 48 行把金额转成 Decimal。错误下面打印的是第 317 行，金额写作 1.249,00 EUR，"
        "带逗号，Decimal 不接受。",
        "第 317 行的金额写作 `1.249,00 EUR`：小数点用了逗号。"
        "`Decimal` 只接受 `1249.00`。\n\n"
        "```python\ntext = text.replace('.', '').replace(',', '.')\n```\n\n"
        "位置在这里：<|begin_of_box|>[[128, 832, 338, 915]]<|end_of_box|>",
    ),
}


class Play:
    """One run through the program's windows on one display."""

    def __init__(self, desk: Desk, folder: Path, language: str, scenery: int) -> None:
        self._desk = desk
        self._folder = folder
        self._language = language
        self._scenery = scenery
        self._theme = desk.session.settings.theme

    async def play(self) -> None:
        """Whatever happens, the program ends."""
        try:
            async with recorded(ANSWERS[self._language]) as url:
                services = self._desk.session.services
                profile = Profile("Workstation", url, "glm-4.5v")
                services.apply_settings(
                    replace(services.settings, profiles=(profile,), endpoint=profile.name)
                )
                await self._mark()
                await self._annotate()
                await self._ask()
                await self._record()
                await self._open_menu()
        except Exception:
            traceback.print_exc()
        finally:
            self._desk.quitted.emit()

    # --- its scenes ---------------------------------------------------------------------------

    async def _mark(self) -> None:
        await until(lambda: self._find(Pane) is not None)
        await asyncio.sleep(0.5)
        left, top, right, bottom = MARKED
        await self._drag(left, top, right, bottom)
        await asyncio.sleep(0.8)
        await self._shoot("overlay")

    async def _annotate(self) -> None:
        await self._press("6")  # hidden
        await self._drag(150, 333, 352, 358)
        await self._press("1")  # a box
        await self._drag(156, 359, 282, 381)
        await self._press("2")  # an arrow
        await self._drag(400, 340, 290, 369)
        await self._press("5")  # a number
        await self._move(128, 370, click=True)
        await self._press("4")  # words
        await self._move(408, 328, click=True)
        await xdotool("type", "--delay", "40", NOTE[self._language])
        await self._press("Return")
        await self._press("1")
        pane = self._find(Pane)
        assert isinstance(pane, Pane) and pane.studio is not None
        bar = pane.studio.bar
        await until(lambda: bool(bar.note), 60)
        await self._move(560, 560)
        await asyncio.sleep(0.6)
        await self._shoot("annotate", QRect(0, 60, 760, 490))

    async def _ask(self) -> None:
        await self._press("Escape")  # the tool
        await self._press("Return")
        quicks = self._desk.shutter.quicks
        await until(lambda: bool(quicks.windows))
        quick = quicks.windows[0]
        ended: list[object] = []
        quick.session.turn_ended.connect(ended.append)
        await asyncio.sleep(0.8)
        await xdotool("type", "--delay", "40", QUESTION[self._language])
        await self._press("Return")
        await until(lambda: bool(ended))
        await self._move(640, 780)
        await asyncio.sleep(1.0)
        await self._shoot("quick")
        await self._press("Escape")
        await until(lambda: not quicks.windows)

    async def _record(self) -> None:
        recorder = self._desk.recorder
        box = [round(side * SCALE) for side in FILMED.getRect()]
        recorder.toggle(Area("region", Region(*box)))
        await until(lambda: recorder.state == "recording")
        os.kill(self._scenery, signal.SIGUSR1)
        await asyncio.sleep(7.2)
        await self._shoot("recorder", QRect(20, 50, 760, 530))
        recorder.finish()
        await until(lambda: self._find(Trim) is not None)
        trim = self._find(Trim)
        assert isinstance(trim, Trim)
        await until(lambda: bool(trim.cost.text()), 30)
        trim.prompt.insertPlainText(ABOUT_FILM[self._language])
        await self._move(1270, 10)
        await asyncio.sleep(1.5)
        corner = trim.mapToGlobal(QPoint(0, 0))
        await self._shoot("trim", QRect(corner, trim.size()))
        trim.discard.click()
        await asyncio.sleep(0.5)
        await self._press("Escape")

    async def _open_menu(self) -> None:
        tray = self._desk.tray
        await until(lambda: not tray.place.isEmpty())
        at = tray.place.center()
        await self._move(at.x(), at.y())
        await xdotool("click", "3")
        await until(tray.menu.isVisible)
        await asyncio.sleep(0.6)
        box = tray.menu.geometry()
        area = box.united(tray.place).adjusted(-120, -40, 16, 0)
        await self._shoot("tray", area.intersected(QApplication.primaryScreen().geometry()))
        await self._press("Escape")

    # --- its hands and eyes -------------------------------------------------------------------

    def _find(self, kind: type[QWidget]) -> QWidget | None:
        found = (widget for widget in QApplication.topLevelWidgets() if type(widget) is kind)
        return next((widget for widget in found if widget.isVisible()), None)

    async def _press(self, key: str) -> None:
        await xdotool("key", key)
        await asyncio.sleep(0.25)

    async def _move(self, x: int, y: int, *, click: bool = False) -> None:
        await xdotool("mousemove", str(round(x * SCALE)), str(round(y * SCALE)))
        await asyncio.sleep(0.15)
        if click:
            await xdotool("click", "1")
            await asyncio.sleep(0.25)

    async def _drag(self, left: int, top: int, right: int, bottom: int) -> None:
        await self._move(left, top)
        await xdotool("mousedown", "1")
        for step in range(1, 9):
            x, y = left + (right - left) * step // 8, top + (bottom - top) * step // 8
            await self._move(x, y)
        await xdotool("mouseup", "1")
        await asyncio.sleep(0.3)

    async def _shoot(self, name: str, area: QRect | None = None) -> None:
        sides = None if area is None else [round(side * SCALE) for side in area.getRect()]
        file = self._folder / f"{name}-{self._theme}.png"
        await asyncio.to_thread(shoot, file, sides)


def shoot(file: Path, sides: list[int] | None) -> None:
    """The screen, or a part of it, with 256 colours of its own."""
    with mss.MSS() as eye:
        shot = eye.grab(eye.monitors[0])
    picture = Image.frombytes("RGB", shot.size, shot.bgra, "raw", "BGRX")
    if sides is not None:
        x, y, width, height = sides
        picture = picture.crop((x, y, x + width, y + height))
    few = picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def xdotool(*words: str) -> None:
    process = await asyncio.create_subprocess_exec("xdotool", *words)
    await process.wait()


def settings(theme: str, language: str) -> Settings:
    marks = (Mark(*(round(side * SCALE) for side in (100, 100, 300, 200))),)
    made = Settings(hinted=os.environ.get("HINT") != "1", sign="none", regions=marks)
    how = Recording(frame_rate=15)
    return replace(made, theme=theme, language=language, recording=how)  # type: ignore[arg-type]


def main() -> None:
    folder, theme, language, scenery = sys.argv[1:5]
    save(settings(theme, language), folders().config)

    def built(desk: Desk) -> None:
        play = Play(desk, Path(folder), language, int(scenery))
        desk.tasks.spawn(play.play(), "play")

    sys.exit(run(Invocation("region"), built))


if __name__ == "__main__":
    main()
