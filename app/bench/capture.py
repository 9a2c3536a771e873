"""`sightline bench capture`: how fast the screens freeze and a part of them becomes a picture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from app.bench.table import Row
from app.capture.encode import aside, to_frame
from app.capture.grab import grab_shots
from app.vocabulary import Region

RUNS = 9  # unless told otherwise
CROP = Region(0, 0, 800, 600)


def measure(runs: int) -> Sequence[Row]:
    """Seconds for one shot of every screen here, and for encoding a part and a whole screen.

    Raises:
        CaptureFault: there is no screen to capture.
    """
    return asyncio.run(_measure(runs))


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
