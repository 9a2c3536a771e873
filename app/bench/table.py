"""What every benchmark prints: rows of measured figures, as a table or as JSON lines."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_WIDTH = 64  # characters of a name, where the rows are not known beforehand


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: every run's value in `unit`, and what it must not pass (`at_most`) or must
    reach (`at_least`): the median, or where `p95` says so nineteen of twenty runs."""

    name: str
    unit: str
    runs: tuple[float, ...]
    at_most: float | None = None
    at_least: float | None = None
    p95: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def holds(self) -> bool | None:
        """Whether what is judged keeps its limit; None where there is none."""
        if self.at_most is not None:
            return self.judged <= self.at_most
        if self.at_least is not None:
            return self.judged >= self.at_least
        return None

    @property
    def judged(self) -> float:
        """The median, or the value that nineteen of twenty runs do not exceed."""
        if not self.p95:
            return self.median
        ranked = sorted(self.runs)
        return ranked[math.ceil(0.95 * len(ranked)) - 1]


def show(bench: str, rows: Iterable[Row], *, as_json: bool) -> int:
    """Prints each row as soon as it is known; 0, whether or not the limits hold: a bench
    reports."""
    if as_json:
        print(json.dumps({"type": "bench", "bench": bench, **machine()}), flush=True)
        for row in rows:
            print(json.dumps(_record(row)), flush=True)
        return 0
    facts = machine()
    print(f"{bench}: {facts['cores']} cores, Python {facts['python']}, commit {facts['commit']}\n")
    width = max(len(row.name) for row in rows) if isinstance(rows, Sequence) else _WIDTH
    print(f"{'':{width}}  {'median':>9}  {'min':>9}  {'max':>9}  unit        limit")
    for row in rows:
        values = (row.median, min(row.runs), max(row.runs))
        numbers = "  ".join(f"{value:9.4g}" for value in values)
        print(f"{row.name:{width}}  {numbers}  {row.unit:<10}  {_limit(row)}", flush=True)
    return 0


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "commit": _commit(),
    }


def _record(row: Row) -> dict[str, object]:
    return {
        "type": "row",
        "name": row.name,
        "unit": row.unit,
        "median": row.median,
        "p95": row.judged if row.p95 else None,
        "runs": list(row.runs),
        "at_most": row.at_most,
        "at_least": row.at_least,
        "holds": row.holds,
    }


def _limit(row: Row) -> str:
    if row.holds is None:
        return ""
    sign, limit = ("≤", row.at_most) if row.at_most is not None else ("≥", row.at_least)
    value = f"p95 {row.judged:.3g} " if row.p95 else ""
    return f"{value}{sign} {limit:g}  {'holds' if row.holds else 'missed'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")


def _commit() -> str:
    folder = Path(__file__).resolve().parent
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return asked.stdout.strip() or "unknown"
