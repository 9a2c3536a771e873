"""`sightline bench answer`: how fast model text becomes what is shown; pure functions only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from app.answer.blocks import Blocks
from app.answer.html import Fencer
from app.answer.split import Splitter
from app.bench.sample import answer_text
from app.bench.table import Row

RUNS = 5  # unless told otherwise
SIZE = 100_000  # characters
CHUNK = 8  # characters, about two tokens


def measure(runs: int) -> Sequence[Row]:
    """Seconds to take in 100,000 characters in pieces of 8, once per stage."""
    text = "<think>" + answer_text(SIZE // 4) + "</think>" + answer_text(SIZE)
    stages: dict[str, Callable[[], Feeder]] = {
        "split": Splitter,
        "HTML repair": Fencer,
        "blocks (repair and HTML within)": Blocks,
    }
    return [
        Row(f"{name}, 100k characters", "s", tuple(_once(make(), text) for _ in range(runs)))
        for name, make in stages.items()
    ]


Feeder = Splitter | Fencer | Blocks


def _once(stage: Feeder, text: str) -> float:
    began = time.perf_counter()
    for start in range(0, len(text), CHUNK):
        stage.feed(text[start : start + CHUNK])
    stage.close()
    return time.perf_counter() - began
