"""`sightline bench engine`: the built-in model on the CPU and, where there are GPUs, models of a
real size with random weights, beside stock transformers. What the machine has decides the rows."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bench import child
from app.bench.limits import limit
from app.bench.machine import Gpu, gpus
from app.bench.table import Row
from app.engine.child import EngineChild, command
from app.engine.models import DEFAULT, find
from app.settings import folders
from app.vocabulary import EngineFault

RUNS = 5  # unless told otherwise
BUILT_IN = "built-in"
MIDDLE = ("9b-bf16", "9b-fp8", "9b-int4")  # GLM-4.1V-9B
BIG = "4.5v-fp8"  # GLM-4.5V
STOCK = "stock"
# of a model; memory first, for what pages took stays with the process
PARTS = ("start", "memory", "decode", "first", "picture", "pages", "follow")
KERNELS = "kernels"
NAMES = (BUILT_IN, *MIDDLE, BIG, STOCK, *PARTS, KERNELS)  # what `--only` knows

_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds `app`
_GB = 10**9
_MIDDLE_NEEDS, _BIG_NEEDS, _STOCK_NEEDS = 40 * _GB, 130 * _GB, 240 * _GB  # bytes on all GPUs
_WORDS = 2000  # characters of a failure


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure: on how many GPUs (None: all that there are), which models and parts (none:
    all that fit), with stock transformers or without. `small` tries the bench itself, on the CPU
    too."""

    gpus: int | None = None
    only: frozenset[str] = frozenset()
    stock: bool = True
    kernels: bool = False
    small: bool = False

    def wants(self, name: str, among: Iterable[str]) -> bool:
        """Whether it is asked for; where none of its kind is named, all are."""
        named = self.only & set(among)
        return name in named if named else True

    @property
    def parts(self) -> tuple[str, ...]:
        """Of those that a loaded model is asked."""
        several = tuple(part for part in PARTS if self.wants(part, (*PARTS, KERNELS)))
        return (*several, *([KERNELS] if self.kernels or KERNELS in self.only else []))


def measure(runs: int, asked: Asked | None = None) -> Iterator[Row]:
    """One row after the other, as soon as it is known.

    Raises:
        EngineFault: the engine can't start, or a trial failed.
        EndpointFault: the engine can't be asked.
    """
    asked = asked or Asked()
    models = (BUILT_IN, *MIDDLE, BIG, STOCK)
    if asked.wants(BUILT_IN, models) and _is_here():
        yield from child.measure(runs)
    there = gpus()
    if there or asked.small:
        yield from _sizes(_Trial(runs, asked, there), models)


def _is_here() -> bool:
    """Whether the built-in model is installed; a GPU host may do without."""
    try:
        find(DEFAULT, folders().data)
    except EngineFault:
        return False
    return True


def _sizes(trial: _Trial, models: Sequence[str]) -> Iterator[Row]:
    asked = trial.asked
    fitting = [model for model in (*MIDDLE, BIG) if trial.fits(model)]
    for model in fitting:
        if asked.wants(model, models):
            yield from trial.rows(model)
    stock = MIDDLE[0] if MIDDLE[0] in fitting else BIG
    if asked.stock and asked.wants(STOCK, models) and trial.fits_stock(stock):
        yield from trial.stock(stock)


class _Trial:
    """Models of a real size, each in processes of its own: torch is the engine's alone."""

    def __init__(self, runs: int, asked: Asked, there: Sequence[Gpu]) -> None:
        self.asked = asked
        self._runs, self._there = runs, there
        self._count = asked.gpus or max(len(there), 1)
        if there and self._count > len(there):
            message = f"This machine has {len(there)} GPUs; --gpus asks for {self._count}."
            raise EngineFault("engine_failed", message)

    @property
    def _memory(self) -> int:
        return sum(gpu.memory for gpu in self._there[: self._count])

    def fits(self, model: str) -> bool:
        if self.asked.small:
            return True
        if model == BIG:
            return self._memory >= _BIG_NEEDS
        return self._count == 1 and self._memory >= _MIDDLE_NEEDS

    def fits_stock(self, model: str) -> bool:
        return self.asked.small or model != BIG or self._memory >= _STOCK_NEEDS

    def rows(self, model: str) -> Iterator[Row]:
        with tempfile.TemporaryDirectory(prefix="sightline-trial-") as name:
            folder, parts = Path(name) / model, self.asked.parts
            later = tuple(part for part in parts if part != "start")
            if later:
                given = (*self._given(folder, model), *self._devices(), "--parts", ",".join(later))
                yield from self._told(model, given)
            if "start" in parts:
                self._make(folder, model)
                yield from self._starts(model, folder, Path(name))

    def stock(self, model: str) -> Iterator[Row]:
        with tempfile.TemporaryDirectory(prefix="sightline-trial-") as name:
            given = (*self._given(Path(name) / model, model), "--stock")
            yield from self._told(model, given, runs=min(self._runs, 2))

    def _given(self, folder: Path, model: str) -> tuple[str, ...]:
        small = ("--small",) if self.asked.small else ()
        return ("--folder", str(folder), "--model", model, *small)

    def _devices(self) -> tuple[str, ...]:
        if self._there:
            return ("--gpus", str(self._count))
        return ("--ranks", str(self._count)) if self._count > 1 else ()

    def _make(self, folder: Path, model: str) -> None:
        for _ in self._lines((*self._given(folder, model), "--make")):
            pass

    def _told(self, model: str, given: Sequence[str], *, runs: int | None = None) -> Iterator[Row]:
        for line in self._lines((*given, "--runs", str(runs or self._runs))):
            said = json.loads(line)
            yield self._row(model, said["who"], said["what"], said["unit"], said["runs"])

    def _row(self, model: str, who: str, what: str, unit: str, runs: Sequence[float]) -> Row:
        device = self._there[0].name if self._there else ""
        ours = who.startswith(model)
        most, least = limit(model, self._count, device, what) if ours else (None, None)
        return Row(f"{who}: {what}", unit, tuple(runs), at_most=most, at_least=least)

    def _lines(self, given: Sequence[str]) -> Iterator[str]:
        """What the trial's process says, line by line."""
        trial = (sys.executable, "-P", "-m", "app.engine.local.trial", *given)
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(
                trial, stdout=subprocess.PIPE, stderr=errors, text=True, env=_environment()
            ) as running,
        ):
            assert running.stdout is not None
            yield from (line for line in running.stdout if line.startswith("{"))
            if running.wait():
                errors.seek(0)
                said = errors.read()[-_WORDS:]
                raise EngineFault("engine_failed", "The trial of a real size failed.", said)

    def _starts(self, model: str, folder: Path, place: Path) -> Iterator[Row]:
        """From the start of the process to its ready line: its kernels still to be compiled, and
        then on the disk."""
        os.environ["TRITON_CACHE_DIR"] = str(place / "kernels")
        try:
            for what in ("start to ready, nothing compiled yet", "start to ready"):
                seconds = asyncio.run(self._ready(folder))
                yield self._row(model, f"{model} on {self._count}", what, "s", (seconds,))
        finally:
            del os.environ["TRITON_CACHE_DIR"]

    async def _ready(self, folder: Path) -> float:
        began = time.perf_counter()
        engine = EngineChild(
            model=str(folder),
            folder=folders().data,
            on_progress=lambda _: None,
            command=lambda name, data: (*command(name, data), *self._served()),
        )
        try:
            await engine.start()
            return time.perf_counter() - began
        finally:
            await engine.stop()

    def _served(self) -> tuple[str, ...]:
        return ("--gpus", str(self._count)) if self._there else ()


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
