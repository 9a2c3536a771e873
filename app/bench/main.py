"""`sightline bench NAME`: picks the benchmark, runs it, prints its rows."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

from app.bench.table import Row, show
from app.vocabulary import Fault, UsageFault

Measure = Callable[..., Iterable[Row]]


def run(given: argparse.Namespace) -> int:
    # each benchmark loads what it measures, and only that
    bench = importlib.import_module(f"app.bench.{given.name}")
    measure: Measure = bench.measure
    try:
        asked = _asked(given, bench) if given.name == "engine" else ()
        return show(given.name, measure(given.runs or bench.RUNS, *asked), as_json=given.json)
    except Fault as fault:
        print(f"sightline: {fault.message}", file=sys.stderr)
        print(fault.detail, file=sys.stderr) if fault.detail else None
        return 1


def _asked(given: argparse.Namespace, bench: Any) -> tuple[Any, ...]:
    """What the engine's benchmark alone can be told. Raises UsageFault."""
    only = frozenset(filter(None, (given.only or "").split(",")))
    if unknown := sorted(only - set(bench.NAMES)):
        known = ", ".join(bench.NAMES)
        raise UsageFault("bad_request", f"--only knows no {', '.join(unknown)}, but {known}.")
    return (
        bench.Asked(
            gpus=given.gpus,
            only=only,
            stock=not given.no_stock,
            kernels=given.kernels,
            small=given.small,
        ),
    )
