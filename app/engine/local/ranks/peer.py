"""The process of another rank, and the line to it; knows nothing of what is said."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from app.engine.local.ranks.order import Failed
from app.engine.local.room import Room

_LAST = 1.0  # seconds between the end of a line and that of its process


@dataclass(slots=True, eq=False)
class Peer:
    """Another rank. `heard` is when, by the watch's clock; `at` is the order that it carries out;
    `failures` are those of its orders that did not go well, and when that was heard."""

    rank: int
    process: subprocess.Popen[bytes]
    line: Connection
    here: bool = False
    room: Room | None = None  # once it has its network
    heard: float = 0.0
    at: int = 0
    failures: dict[int, tuple[Failed, float]] = field(default_factory=dict)

    def code(self) -> int | None:
        """How the process ended, as in subprocess; None where it has not."""
        try:
            return self.process.wait(_LAST)
        except subprocess.TimeoutExpired:
            return None

    def bury(self, patience: float) -> None:
        """Wait for the end of the process; after `patience` seconds it is killed."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.line.close()
        if self.process.stdin is not None:
            self.process.stdin.close()


def started(rank: int) -> Peer:
    """A process with one end of a line to it. No port and no name: nobody else can be meant.

    Raises OSError.
    """
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            (sys.executable, "-P", "-m", "app.engine.local.ranks", str(theirs.fileno())),
            stdin=subprocess.PIPE,  # the rank ends when it closes, and nobody writes to it
            stdout=2,  # rank 0's own has one line, and that is not theirs
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for rank 0, which ends the others
        )
    return Peer(rank, process, ours)
