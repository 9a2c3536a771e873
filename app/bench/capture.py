"""`sightline bench capture`: how fast the screens freeze and a part of them becomes a picture, what
a recording takes, how soon the overlay is there, what the program takes while it waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from app.bench import idle, overlay, recording
from app.bench.table import Row
from app.capture.encode import aside, to_frame
from app.capture.grab import grab_shots
from app.capture.obstacle import no_display
from app.vocabulary import Region

RUNS = 9  # unless told otherwise
CROP = Region(0, 0, 800, 600)


def measure(runs: int) -> Iterator[Row]:
    """Seconds for one shot of every screen here, where there is one, and for encoding; then the
    recorder's and the overlay's rows, on X servers of their own.

    Raises:
        UsageFault: there is no Xvfb to start.
    """
    if not no_display():
        yield from asyncio.run(_measure(runs))
    yield from recording.measure(runs)
    yield from overlay.measure(runs)
    yield from idle.measure()


async def _measure(runs: int) -> list[Row]:
    shots = await grab_shots()
    screens = ", ".join(f"{shot.width}×{shot.height}" for shot in shots)
    grabs, crops, wholes = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        shots = await grab_shots()
        grabbed = time.perf_counter()
        await aside(to_frame, shots[0], CROP)
        cropped = time.perf_counter()
        await aside(to_frame, shots[0], None)
        grabs.append(grabbed - began)
        crops.append(cropped - grabbed)
        wholes.append(time.perf_counter() - cropped)
    return [
        Row(f"every screen frozen ({screens})", "s", tuple(grabs)),
        Row("a part of 800×600 as PNG", "s", tuple(crops)),
        Row("the first screen as PNG", "s", tuple(wholes)),
    ]
