"""The microphone of Windows (dshow) and macOS (avfoundation) through PyAV. Written after FFmpeg's
manual; it was not run on these systems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from app.capture.record.track import RATE


def supported(kind: str) -> bool:
    return kind in av.formats_available


def address(kind: str, names: Sequence[str]) -> str | None:
    """What FFmpeg opens, of the microphones the system names, its own first choice first; None
    where there is none."""
    if kind == "avfoundation":
        return ":default"
    if not names:
        return None
    return names[0] if names[0].startswith("audio=") else f"audio={names[0]}"


def samples(kind: str) -> Iterator[NDArray[np.int16]]:
    """48 kHz mono, as long as the device gives it. Raises what PyAV raises."""
    found = [each for each in av.enumerate_input_devices(kind) if _sounds(each)]
    found.sort(key=lambda each: not each.is_default)
    place = address(kind, [each.name for each in found])
    if place is None:
        return
    even = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(place, format=kind) as container:
        for frame in container.decode(audio=0):
            for part in even.resample(frame):
                yield part.to_ndarray().reshape(-1)


def _sounds(device: Any) -> bool:
    return "audio" in device.media_types
