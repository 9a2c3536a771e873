"""Makes the README's pictures: the program itself, its windows drawn off the screen, what it does
with the screen on a display of its own (display.py: Xvfb, openbox, trayer and xdotool).

    python assets/screenshots/make.py [FOLDER]

The answer about the invoice comes from the model on this machine. The thinking pane and the quick
window are shown with recorded streams, because that model neither thinks aloud nor sees.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "2")

import qasync
from display import photograph
from PIL import Image
from PySide6.QtWidgets import QApplication
from recorded import Stream, recorded

from app.keys import Keys
from app.settings import Profile, Settings, folders
from app.ui.look import Look
from app.ui.services import Services
from app.ui.session import Session
from app.ui.window import Window
from app.ui.words import speak

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SIZE = (1280, 800)
WRITING = 12  # s that a user takes to write the question; the model loads meanwhile
THINKING = (
    "The user asks which month had the highest water. Page 2 has the table of monthly figures: "
    'the column "Highest" reads 1.12, 1.05, 2.98, 0.91, 2.31 and 0.70. The largest is 2.98, in '
    "the row for May. Page 1 says that a flood on 9 May raised the level by 1.9 metres, which "
    "fits. July is second with 2.31, after the storm of 22 July."
)
ANSWER = """**May 2026**, at **2.98 m**: the flood of 9 May [p. 1] lifted the level by 1.9 m.

| Month | Highest | Cause |
|:------|--------:|:------|
| May   | 2.98 m  | four days of rain on wet ground |
| July  | 2.31 m  | a storm over the upper valley |
| March | 1.12 m  | none recorded |

To find it yourself:

```python
levels = {"March": 1.12, "May": 2.98, "July": 2.31}
print(max(levels, key=levels.get))  # May
```
"""


Act = Callable[[Session], Awaitable[None]]


async def shot(application: QApplication, settings: Settings, act: Act, file: Path) -> Window:
    """Opens a window, lets `act` use it, and keeps its picture."""
    speak(application, settings.language)
    keys = Keys()
    services = Services(settings, folders(), keys)
    session = Session(services)
    window = Window(session, Look(application, settings.theme), keys)
    window.resize(*SIZE)
    window.show()
    session.start()
    await act(session)
    await asyncio.sleep(1.0)
    window.grab().save(str(file))
    shrink(file)
    session.stop()
    await asyncio.sleep(0.2)
    window.hide()
    await window.end()
    await session.close()
    await services.close()
    return window


async def ask(
    session: Session, files: list[str], question: str, enough: Callable[[], bool]
) -> None:
    session.attach_files([SAMPLES / name for name in files])
    await asyncio.sleep(WRITING)
    session.ask(question)
    async with asyncio.timeout(180):
        while not enough():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def invoice(session: Session) -> None:
    ended: list[object] = []
    session.turn_ended.connect(ended.append)
    await ask(session, ["invoice.png"], "What is the total due?", lambda: bool(ended))


async def report(session: Session) -> None:
    seen: list[str] = []
    session.turn_grew.connect(lambda g: seen.extend(getattr(e, "text", "") for e in g.events))
    whole = len(THINKING) + len(ANSWER)
    question = "In which month was the water highest?"
    await ask(session, ["report.pdf"], question, lambda: len("".join(seen)) >= whole)


async def attached(session: Session) -> None:
    session.attach_files([SAMPLES / n for n in ("deck.pptx", "clip.mp4", "chart.png")])
    await asyncio.sleep(6)


async def make(application: QApplication, folder: Path) -> None:
    light = Settings(theme="light", language="en")
    await shot(application, light, invoice, folder / "answer-light.png")
    async with recorded(Stream(THINKING, ANSWER, ends=False)) as url:
        profile = Profile("Workstation", url, "glm-4.5v")
        dark = Settings("dark", "en", "Workstation", (profile,), layout="beside")
        await shot(application, dark, report, folder / "thinking-dark.png")
    await shot(application, replace(light, language="zh"), attached, folder / "chinese.png")


def shrink(file: Path) -> None:
    """256 colours are enough for a window."""
    picture = Image.open(file).convert("RGB")
    few = picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("SIGHTLINE_HOME", home)
        application = QApplication(sys.argv[:1])
        application.setQuitOnLastWindowClosed(False)
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
            runner.run(make(application, folder))
    for theme in ("light", "dark"):
        photograph(folder, theme, "en")


if __name__ == "__main__":
    main()
