"""Times every kernel of a decoded token at the real models' shapes, and checks what it gives.

    python -m app.engine.local.trial.kernels [--shapes tp1,tp4,fp8] [--only gate] [--sweep]

With `--sweep` each kernel is tried in every plan that it offers; `--workers` compiles them ahead in
as many processes. `--small` tries the trial itself on a CPU.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any

import torch

from app.engine.local.trial import clock
from app.engine.local.trial.case import Case, Trial
from app.engine.local.trial.shapes import shapes

_SHAPES = "tp1,tp4,bf16,fp8,int4"
_PARTS = ("products", "mixtures", "views", "choices")  # modules that have a function of their name
_WRONG = 0.02  # of the result's length: more is no rounding


@dataclass(frozen=True, slots=True)
class Timed:
    """One row: seconds of a call, and how far what it gave was from what it should have."""

    case: Case
    plan: Any
    pdl: bool
    seconds: float
    error: float


def main() -> int:
    given = _given()
    cases = [case for case in _cases(given) if given.only in case.name]
    if given.share:
        _compile(cases, given)
        return 0
    _announce()
    if given.workers > 1:
        _ahead(given.workers)
    device = clock.bandwidth()
    print(f"device reads {device / 1e12:.2f} TB/s", flush=True)
    best: list[Timed] = []
    for case in cases:
        if rows := list(_measured(case, device, given)):
            best.append(min(rows, key=lambda row: row.seconds))
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    print("\nthe best of each")
    for row in best:
        _print(row, device)
    return 0


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.engine.local.trial.kernels")
    parser.add_argument("--shapes", default=_SHAPES, help="of tp1, tp2, tp4, tp8, bf16, fp8, int4")
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--parts", default=",".join(_PARTS), help=f"of {', '.join(_PARTS)}")
    parser.add_argument("--sweep", action="store_true", help="every plan, not the kernel's own")
    parser.add_argument("--workers", type=int, default=1, help="processes that compile ahead")
    parser.add_argument("--share", default="", help=argparse.SUPPRESS)  # of a worker: 3/8
    parser.add_argument("--small", action="store_true", help="tiny, to try the trial itself")
    return parser.parse_args()


def _cases(given: argparse.Namespace) -> Iterator[Case]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":  # said before a kernel is imported
        os.environ.setdefault("TRITON_INTERPRET", "1")
    wanted = shapes(tuple(given.shapes.split(",")), tiny=given.small)
    for part in given.parts.split(","):
        module = import_module(f"app.engine.local.trial.{part}")
        for shape in wanted:
            yield from getattr(module, part)(shape, device)


def _measured(case: Case, device: float, given: argparse.Namespace) -> Iterator[Timed]:
    count = clock.copies(case.size) if torch.cuda.is_available() else 2
    trials = [case.make(number) for number in range(count)]
    for plan, pdl in _ways(case, given):
        try:
            error = max(trial.error(plan, pdl=pdl) for trial in trials[:2])
            taken = clock.seconds(clock.calls([_call(trial, plan, pdl) for trial in trials]))
        except Exception as problem:  # a sweep goes on: a plan may ask for more than there is
            said = f"{type(problem).__name__}: {problem}".splitlines()[0]
            print(f"{case.name:36} {plan}: {said[:120]}", flush=True)
            continue
        row = Timed(case, plan, pdl, taken, error)
        _print(row, device)
        if error < _WRONG:
            yield row


def _ways(case: Case, given: argparse.Namespace) -> Iterator[tuple[Any, bool]]:
    """Plans, each as a launch that waits for the one before it and as one that starts early."""
    early = (False, True) if torch.cuda.is_available() else (False,)
    yield from ((None, pdl) for pdl in early)
    if given.sweep:
        yield from ((plan, early[-1]) for plan in case.plans)


def _call(trial: Trial, plan: Any, pdl: bool) -> clock.Call:
    return lambda: trial.launch(plan, pdl)


def _print(row: Timed, device: float) -> None:
    rate = row.case.size / row.seconds
    share = f"{rate / device:5.0%}" if device else "     "
    how = ("its own" if row.plan is None else str(row.plan)) + (" early" if row.pdl else "")
    wrong = "" if row.error < _WRONG else "  WRONG"
    print(
        f"{row.case.name:36} {row.seconds * 1e6:8.2f} us {rate / 1e12:6.3f} TB/s {share} "
        f"{row.error:8.1e}{wrong}  {how}",
        flush=True,
    )


def _announce() -> None:
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "the interpreter"
    print(f"{where}, torch {torch.__version__}", flush=True)


# --- compiling ahead ---------------------------------------------------------------------------


def _ahead(workers: int) -> None:
    """Compiled kernels lie on the disk: other processes can put them there at the same time."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "app.engine.local.trial.kernels", *sys.argv[1:]]
    running = [
        subprocess.Popen([*command, "--share", f"{number}/{workers}"]) for number in range(workers)
    ]
    codes = [process.wait() for process in running]
    print(f"compiled in {time.perf_counter() - began:.1f} s, codes {codes}", flush=True)


def _compile(cases: Sequence[Case], given: argparse.Namespace) -> None:
    number, workers = (int(part) for part in given.share.split("/"))
    for case in cases:
        ways = list(islice(_ways(case, given), number, None, workers))
        trial = case.make(0) if ways else None
        for plan, pdl in ways:
            try:
                if trial is not None:
                    trial.launch(plan, pdl)
            except Exception as problem:  # said by the process that times it
                del problem
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    sys.exit(main())
