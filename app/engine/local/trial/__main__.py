"""A model of a real size with random weights, through the engine and through stock transformers.

    python -m app.engine.local.trial --folder DIR [--runs N] [--small]

`sightline bench engine` runs it where there is a GPU. One JSON line a figure on stdout.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

import torch

from app.engine.local.trial import ours, stock
from app.engine.local.trial.made import write
from app.engine.local.trial.tell import copied, tell, timed

_LENGTHS = (256, 4096)  # tokens of the prompts
_TOKENS = 128  # of the answer whose pace is measured


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m app.engine.local.trial")
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="tiny, to try the trial itself")
    given = parser.parse_args()
    if not (given.folder / "config.json").exists():
        seconds = timed(lambda: write(given.folder, small=given.small))
        tell("trial", "checkpoint written", "s", [seconds])
    if torch.cuda.is_available():
        tell("trial", "device copy", "TB/s", [copied() / 1e12])
    for side in (ours, stock):
        side.measure(given.folder, _LENGTHS, runs=given.runs, tokens=_TOKENS)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return 0


if __name__ == "__main__":
    sys.exit(main())
