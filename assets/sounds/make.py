"""Makes the sound of a capture: two short clicks, as a shutter opens and closes. Run
`python assets/sounds/make.py`."""

from __future__ import annotations

import math
import random
import struct
import wave
from pathlib import Path

RATE = 44_100  # samples a second
LENGTH = 0.16  # s
CLICKS = ((0.0, 0.7, 0.012), (0.055, 0.45, 0.02))  # s after the start, loudness, s of decay


def samples() -> list[float]:
    noise = random.Random(7)
    made, low = [], 0.0
    for number in range(round(RATE * LENGTH)):
        at = number / RATE
        loud = sum(
            power * math.exp(-(at - start) / decay) for start, power, decay in CLICKS if at >= start
        )
        low += 0.35 * (noise.uniform(-1, 1) - low)  # the hiss taken out
        fade = min(1.0, (LENGTH - at) / 0.02)
        made.append(loud * fade * (0.8 * low + 0.2 * math.sin(2 * math.pi * 1_900 * at)))
    return made


def write(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<h", round(s * 22_000)) for s in samples()))


if __name__ == "__main__":
    write(Path(__file__).resolve().parent / "shutter.wav")
