"""A model of a real size with random weights, through the engine or through stock transformers.

    python -m app.engine.local.trial --folder DIR --model NAME [--gpus N] [--parts decode,first]

`sightline bench engine` runs it where there is a GPU. One JSON line a figure on stdout.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch

from app.engine.local.model import Loading, load
from app.engine.local.ranks.spread import Spread
from app.engine.local.trial import clock, stock
from app.engine.local.trial.made import write
from app.engine.local.trial.ours import PARTS, Asker, Wanted
from app.engine.local.trial.size import MODELS, described
from app.engine.local.trial.tell import tell, wait


def main() -> int:
    given = _given()
    if not (given.folder / "config.json").exists():
        write(given.folder, given.model, layers=given.layers, small=given.small)
    if given.make:
        return 0
    if given.stock:
        stock.measure(given.folder, small=given.small, runs=given.runs)
        return 0
    bandwidth = clock.bandwidth()
    if bandwidth:
        tell("the device", "reads", "TB/s", [bandwidth / 1e12])
        torch.cuda.empty_cache()
    began = time.perf_counter()
    gpus = None if given.ranks else given.gpus
    model = load(Loading("trial", given.folder, gpus, ranks=given.ranks))
    try:
        wait()
        tell(f"{given.model} on {_ranks(given)}", "load", "s", [time.perf_counter() - began])
        asker = Asker(model, _wanted(given, bandwidth))
        asker.warm()
        for part in given.parts.split(",") if given.parts else ():
            PARTS[part](asker)
    finally:
        if isinstance(model.network, Spread):
            model.network.close()
    return 0


def _ranks(given: argparse.Namespace) -> int:
    return given.ranks or given.gpus or 1


def _wanted(given: argparse.Namespace, bandwidth: float) -> Wanted:
    config = described(given.model, layers=given.layers, small=given.small)
    return Wanted(given.model, config, _ranks(given), given.runs, bandwidth, given.small)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.engine.local.trial")
    parser.add_argument("--folder", required=True, type=Path, help="made where it is not there")
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument("--gpus", type=int)
    parser.add_argument("--ranks", type=int, help="processes on the CPU instead")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--layers", type=int, help="fewer, at full width")
    parser.add_argument("--make", action="store_true", help="the folder only")
    parser.add_argument("--stock", action="store_true", help="transformers instead of the engine")
    parser.add_argument("--small", action="store_true", help="tiny, to try the trial itself")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
