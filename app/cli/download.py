"""`sightline models get`: fetches a model from a hub and says how far it is."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from app.cli.models import record
from app.cli.output import emit, fail, progress, say
from app.engine.hub.download import get, gigabytes
from app.engine.hub.fetching import Step
from app.engine.hub.half import PREFIX, read_note
from app.engine.hub.repository import read_name
from app.engine.models import DEFAULT, find, models_folder
from app.settings import Folders
from app.vocabulary import Error, Fault

_OFTEN, _SELDOM = 0.2, 0.5  # s between two reports to a person, to a program
_SPAN = 10.0  # s over which the pace is counted


def run_get(name: str, folders: Folders, *, as_json: bool) -> int:
    try:
        return _get(name, folders, as_json=as_json)
    except Fault as fault:
        return fail(fault.as_error(), as_json=as_json)
    except KeyboardInterrupt:
        said = f"stopped. What came is kept: `sightline models get {name}` goes on with it."
        return fail(Error("interrupted", said), as_json=as_json)


def _get(name: str, folders: Folders, *, as_json: bool) -> int:
    home = models_folder(folders.data)
    if name == DEFAULT:  # it comes with a package, from no hub
        find(DEFAULT, folders.data)
        where, already = DEFAULT, True
    else:
        repository = read_name(_known(name, folders) or name, os.environ)
        got = get(repository, home, tell=Meter(as_json=as_json).show)
        where, already = got.path.name, got.already
    progress("")
    model = find(where, folders.data)
    if as_json:
        emit({**record(model), "already": already})
    else:
        state = "was here already" if already else "is here"
        say(f"{model.name} {state}: {gigabytes(model.bytes)} in {model.path}")
    return 0


def _known(name: str, folders: Folders) -> str:
    """What to ask for where the name is that of a model's folder, finished or not."""
    if not name or "/" in name or name.startswith("."):
        return ""
    home = models_folder(folders.data)
    return read_note(home / f"{PREFIX}{name}").asked or read_note(home / name).asked


class Meter:
    """Says how far a download is, how fast it comes and how long it will take."""

    def __init__(self, *, as_json: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._as_json = as_json
        self._clock = clock
        self._said = float("-inf")
        self._seen: deque[tuple[float, int]] = deque()

    def show(self, step: Step) -> None:
        now = self._clock()
        pause = _SELDOM if self._as_json else _OFTEN
        if now - self._said < pause and not step.waiting and step.done < step.bytes:
            return
        self._said = now
        pace = self._pace(now, step.done)
        left = (step.bytes - step.done) / pace if pace else None
        if self._as_json:
            emit(
                {
                    "type": "progress",
                    "file": step.file,
                    "done": step.done,
                    "bytes": step.bytes,
                    "bytes_per_second": round(pace),
                    "seconds_left": None if left is None else round(left),
                    "waiting": step.waiting or None,
                }
            )
        else:
            progress(_words(step, pace, left))

    def _pace(self, now: float, done: int) -> float:
        """Bytes a second, lately; 0 where it is not known."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # a file was begun anew
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _SPAN:
            self._seen.popleft()
        then, before = self._seen[0]
        return (done - before) / (now - then) if now > then else 0.0


def _words(step: Step, pace: float, left: float | None) -> str:
    if step.waiting:
        return f"{step.waiting} Trying again …"
    share = step.done / step.bytes if step.bytes else 1.0
    amount = f"{gigabytes(step.done)} of {gigabytes(step.bytes)}"
    speed = f"  {gigabytes(round(pace))}/s" if pace else ""
    rest = "" if left is None else f"  {_time(left)} left"
    return f"{share:.0%}  {amount}{speed}{rest}  {step.file}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
