"""`sightline bench NAME`: picks the benchmark, runs it, prints its rows."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

from app.bench.table import Row, show
from app.vocabulary import Fault

Measure = Callable[[int], Sequence[Row]]


def run(given: argparse.Namespace) -> int:
    # each benchmark loads what it measures, and only that
    bench = importlib.import_module(f"app.bench.{given.name}")
    measure: Measure = bench.measure
    try:
        return show(given.name, measure(given.runs or bench.RUNS), as_json=given.json)
    except Fault as fault:
        print(f"sightline: {fault.message}", file=sys.stderr)
        return 1
