"""An engine whose model is split over ranks on the CPU, as the window starts one: for tests that
kill it. `python engine.py RANKS MISHAP`, which happens to rank 0."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # where `toy` is

from split import QUICK, spread, spread_model

from app.engine.local import life
from app.engine.local.model import Model
from app.engine.local.options import ServeOptions
from app.engine.local.serve.server import serve


def main(ranks: int, mishap: str) -> int:
    def opened(_options: ServeOptions, _say: life.Say) -> Model:
        network = spread(ranks, limits=replace(QUICK, step=1.5))
        network.call("slow", 0.01)
        if mishap:
            network.call("arm", mishap, (0,), 40)
        return spread_model(network)

    return serve(ServeOptions("split", Path(), watch_stdin=True), opened)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
