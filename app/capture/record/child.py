"""The recorder's process as its parent holds it: start, lines in and out, its end. Knows no verb.

It ends with us: its stdin is a pipe that the system closes if we die.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast, get_args

from app.vocabulary import CaptureFault, FaultKind

Told = dict[str, Any]
# `-P`: a folder named `app` where the user stands is not ours
COMMAND = (sys.executable, "-P", "-m", "app.capture.record")
_ROOT = Path(__file__).resolve().parents[3]  # the folder that holds `app`
_LONGEST = 1 << 26  # bytes of a line: it may hold a picture
_GRACE = 2.0  # seconds to end by itself
_DIED = "The recorder ended unexpectedly; what was recorded before is kept."


class Child:
    """One process with one task."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, asked: Told, command: Sequence[str] | None = None) -> Child:
        """Raises CaptureFault."""
        paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        try:
            process = await asyncio.create_subprocess_exec(
                *(command or COMMAND),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=_LONGEST,
                start_new_session=True,  # Ctrl-C is for us
                env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            message = "The recorder can't be started."
            raise CaptureFault("capture_failed", message, str(error)) from error
        child = cls(process)
        child.say(asked)
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, told: Told) -> None:
        """One that has ended does not hear it."""
        assert self._process.stdin is not None
        with suppress(OSError, RuntimeError):
            self._process.stdin.write(json.dumps(told).encode() + b"\n")

    async def lines(self) -> AsyncGenerator[Told, None]:
        """What it tells, up to its end. Raises CaptureFault where it says so or dies."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told = json.loads(line) if line.endswith(b"\n") else {"type": "torn"}
            if told["type"] == "end":
                return
            if told["type"] == "fault":
                raise _fault(told)
            if told["type"] != "torn":
                yield told
        raise CaptureFault("capture_failed", _DIED, f"exit status {self._process.returncode}")

    async def close(self) -> None:
        """Lets it end and makes sure that it does."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE)
        except (TimeoutError, asyncio.CancelledError) as hurry:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            if isinstance(hurry, asyncio.CancelledError):
                raise


def _fault(told: Told) -> CaptureFault:
    kind = told["kind"] if told["kind"] in get_args(FaultKind) else "capture_failed"
    return CaptureFault(cast(FaultKind, kind), told["message"], told["detail"])
