"""The engine as the window sees it: starts the process, watches it, stops it; never loads torch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from app.engine.models import find, require_engine
from app.vocabulary import Endpoint, EngineFault, FaultKind

_TOKEN_VARIABLE = "SIGHTLINE_ENGINE_TOKEN"
_KEPT = 60  # lines of stderr kept for a bug report
_LONGEST_LINE = 2**20  # bytes
_PATIENCE = 300.0  # seconds from the start to ready, with the conversion of a first start
_GRACE = 2.0  # seconds to end by itself, before it is killed
_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds `app`


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a start is: `converting`, `loading` or `ready`; `done` is 0 to 1 where known."""

    stage: str
    done: float | None
    text: str


def command(model: str, folder: Path) -> Sequence[str]:
    """What starts the engine. `-P`: a folder named `app` where the user stands is not ours."""
    given = ("--model", model, "--folder", str(folder), "--watch-stdin")
    return (sys.executable, "-P", "-m", "app.engine.local", *given)


class EngineChild:
    """One engine process. It ends with us: its stdin is a pipe that the system closes if we die."""

    def __init__(
        self,
        *,
        model: str,
        folder: Path,
        on_progress: Callable[[Progress], None],
        command: Callable[[str, Path], Sequence[str]] = command,
    ) -> None:
        self._model = model
        self._folder = folder
        self._on_progress = on_progress
        self._command = command
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._endpoint: Endpoint | None = None
        self._listening: asyncio.Task[None] | None = None
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._fault: EngineFault | None = None

    @property
    def running(self) -> bool:
        """Whether it is ready for questions, as far as is known."""
        alive = self._process is not None and self._process.returncode is None
        return alive and self._endpoint is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> Endpoint:
        """The running engine's endpoint; starts it where it does not run.

        Raises EngineFault, with the engine's own last words as the detail.
        """
        async with self._starting:
            if self.running and self._endpoint is not None:
                return self._endpoint
            await self.stop()
            require_engine()
            sees_pictures = find(self._model, self._folder).sees_pictures
            self._on_progress(Progress("loading", None, "Starting the engine"))
            token = secrets.token_urlsafe(32)
            try:
                ready = await self._launched(token)
            except EngineFault as fault:
                await self.stop()
                detail = fault.detail.replace(token, "[the key]")
                raise EngineFault(fault.kind, fault.message, detail) from fault
            except BaseException:
                await self.stop()
                raise
            self._endpoint = Endpoint(
                name="local",
                base_url=str(ready["base_url"]),
                model=str(ready["model"]),
                api_key=token,
                sees_pictures=sees_pictures,
                local=True,
            )
            return self._endpoint

    async def stop(self) -> None:
        """End it and wait until it has gone; nothing to do where it does not run."""
        process, listening = self._process, self._listening
        self._process = self._endpoint = self._listening = None
        if process is not None:
            await _end(process)
        if listening is not None:
            await listening

    async def _launched(self, token: str) -> dict[str, Any]:
        self._lines.clear()
        self._fault = None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(self._model, self._folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(token),
                limit=_LONGEST_LINE,
            )
        except OSError as error:
            raise EngineFault(
                "engine_failed", "The embedded engine can't be started.", str(error)
            ) from error
        self._listening = asyncio.create_task(self._listen(self._process), name="engine stderr")
        return await self._ready(self._process, self._listening)

    async def _ready(
        self, process: asyncio.subprocess.Process, listening: asyncio.Task[None]
    ) -> dict[str, Any]:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE)
        except TimeoutError:
            raise self._failure("The embedded engine did not get ready in five minutes.") from None
        ready = _json(line)
        if ready.get("ready") is True:
            return ready
        if not line:
            await listening  # its last words come before its end
        raise self._failure("The embedded engine stopped while it started.")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            said = _json(line)
            if "stage" in said:
                self._on_progress(Progress(str(said["stage"]), said.get("done"), str(said["text"])))
            elif "error" in said:
                self._fault = _fault(said["error"])
            else:
                self._lines.append(line.decode(errors="replace").rstrip())

    def _failure(self, message: str) -> EngineFault:
        last_words = "\n".join(self._lines)
        if self._fault is None:
            return EngineFault("engine_failed", message, last_words)
        detail = f"{self._fault.detail}\n{last_words}".strip()
        return EngineFault(self._fault.kind, self._fault.message, detail)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _environment(token: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    quiet = {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, **quiet, "PYTHONPATH": path, _TOKEN_VARIABLE: token}


def _json(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _fault(error: dict[str, str]) -> EngineFault:
    kind = error["kind"] if error["kind"] in get_args(FaultKind) else "engine_failed"
    return EngineFault(cast(FaultKind, kind), error["message"], error["detail"])
