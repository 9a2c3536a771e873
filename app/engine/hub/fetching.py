"""Fetches the files of a model into its half folder, one after the other, each verified; goes on
where a connection broke off. Knows no HTTP, and nothing of what the files are for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.engine.hub.half import PART, Note
from app.engine.hub.listing import Listed
from app.engine.hub.part import Part
from app.engine.hub.site import Body, Hub, Passing
from app.vocabulary import EndpointFault

_RESTARTS = 3  # of one file, before its hub is given up
_WORTH_NOTING = 1 << 16  # bytes of a file whose half is worth going on with


@dataclass(frozen=True, slots=True)
class Step:
    """How far a download is: `done` of `bytes`, now at `file`; `waiting` says why nothing comes."""

    file: str
    done: int
    bytes: int
    waiting: str = ""


Tell = Callable[[Step], None]


class Fetching:
    """The files of one download, one after the other."""

    def __init__(self, hub: Hub, half: Path, *, note: Note, tell: Tell) -> None:
        self._hub = hub
        self._half = half
        self._note = note
        self._tell = tell
        self._done = 0  # bytes of the files that are whole

    def fetch(self, file: Listed) -> None:
        """Have the file whole. Raises EndpointFault("damaged") where it arrives wrong twice."""
        if not self._has(file) and not self._arrived(file) and not self._arrived(file):
            raise EndpointFault(
                "damaged",
                f"{file.path} of {self._hub.repository.name} arrived damaged twice: it is not what "
                f"{self._hub.repository.host} lists. Try again later.",
                f"expected {file.size} bytes that hash to {file.hash}",
            )
        self._done += file.size
        self._say(file, 0)

    def _has(self, file: Listed) -> bool:
        """Whether it is there from before; what we did not verify then is verified now."""
        path = self._half / file.path
        if path.is_symlink() or not path.is_file() or path.stat().st_size != file.size:
            return False
        if self._note.whole.get(file.path) == file.hash:
            return True
        path.replace(partial(self._half, file))
        self._note.begun[file.path] = [file.hash, ""]
        return self._arrived(file)

    def _arrived(self, file: Listed) -> bool:
        """Fetch what is missing of it; whether it is right then, and in its place."""
        path = partial(self._half, file)
        known = self._note.begun.get(file.path, ["", ""])[0]
        if known != file.hash or path.is_symlink():
            path.unlink(missing_ok=True)  # of another version
        with Part(path, file) as part:
            self._receive(file, part)
            right = part.right
            part.settle()
        if not right:
            path.unlink()
            return False
        path.replace(self._half / file.path)
        self._note.whole[file.path] = file.hash
        self._note.begun.pop(file.path, None)
        self._note.save(self._half)
        return True

    def _receive(self, file: Listed, part: Part) -> None:
        waits, restarts = list(self._hub.patience.waits), 0
        while not part.full:
            before = part.size
            try:
                with self._hub.open(file, before) as body:
                    self._take(file, part, body)
            except Passing as problem:
                restarts += problem.restart
                if part.size > before:
                    waits = list(self._hub.patience.waits)
                if problem.restart:
                    part.restart()
                if not waits or restarts > _RESTARTS:
                    raise _given_up(problem) from problem
                self._say(file, part.size, problem.fault.message)
                time.sleep(max(waits.pop(0), problem.wait))

    def _take(self, file: Listed, part: Part, body: Body) -> None:
        """Write down what comes, to the end of it or of the file."""
        if body.start != part.size:
            part.restart()  # the hub gives no parts: it began anew
        self._begin(file, body, part.size)
        for chunk in body.chunks:
            part.write(chunk)
            self._say(file, part.size)
            if part.size > file.size:
                return
        if not part.full:
            host = self._hub.repository.host
            fault = EndpointFault("interrupted", f"{host} ends {file.path} too early.")
            raise Passing(fault)

    def _begin(self, file: Listed, body: Body, have: int) -> None:
        """Note which version of the file this is, or leave it where it is not the one begun."""
        known = self._note.begun.get(file.path, ["", ""])[1]
        if have and known and body.etag and body.etag != known:
            fault = EndpointFault("interrupted", f"{file.path} changes while it is fetched.")
            raise Passing(fault, restart=True)
        now = [file.hash, body.etag]
        if file.size >= _WORTH_NOTING and self._note.begun.get(file.path) != now:
            self._note.begun[file.path] = now
            self._note.save(self._half)

    def _say(self, file: Listed, have: int, waiting: str = "") -> None:
        done = min(self._done + have, self._note.bytes)
        self._tell(Step(file.path, done, self._note.bytes, waiting))


def _given_up(problem: Passing) -> EndpointFault:
    fault = problem.fault
    said = f"{fault.message} What came is kept: the same command goes on with it."
    return EndpointFault(fault.kind, said, fault.detail)


def partial(half: Path, file: Listed) -> Path:
    """Where a file is while it arrives."""
    return half / f"{file.path}{PART}"
