"""The engine as the window sees it: starts the process, watches it, stops it; never loads torch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from app.engine.models import find, require_engine, thinking
from app.vocabulary import Endpoint, EngineFault, FaultKind

_TOKEN_VARIABLE = "SIGHTLINE_ENGINE_TOKEN"
_KEPT = 60  # lines of stderr kept for a bug report
_LONGEST_LINE = 2**20  # bytes
_PATIENCE = 300.0  # seconds from the start to ready, with the conversion of a first start
_GRACE = 2.0  # seconds to end by itself, before it is killed
_LAST_WORDS = 1.0  # seconds that its stderr may stay open behind its end
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS", "SIGTRAP")
_KILL = getattr(signal, "SIGKILL", 9)
_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds `app`


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a start is: `converting`, `loading` or `ready`; `done` is 0 to 1 where known."""

    stage: str
    done: float | None
    text: str


Command = Callable[[str, Path], Sequence[str]]  # a model and the data folder, to what starts it


def command(model: str, folder: Path) -> Sequence[str]:
    """What starts the engine. `-P`: a folder named `app` where the user stands is not ours."""
    given = ("--model", model, "--folder", str(folder), "--watch-stdin")
    return (sys.executable, "-P", "-m", "app.engine.local", *given)


class EngineChild:
    """One engine process. It ends with us: its stdin is a pipe that the system closes if we die.

    `on_death` is told why a running engine ended that nobody stopped.
    """

    def __init__(
        self,
        *,
        model: str,
        folder: Path,
        on_progress: Callable[[Progress], None],
        on_death: Callable[[EngineFault], None] = lambda _: None,
        command: Command = command,
    ) -> None:
        self._model = model
        self._folder = folder
        self._on_progress = on_progress
        self._on_death = on_death
        self._command = command
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._endpoint: Endpoint | None = None
        self._listening: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
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
            model = find(self._model, self._folder)
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
                sees_pictures=model.sees_pictures,
                local=True,
                takes_video=model.takes_video,
                switch="none" if thinking(model.path) == "never" else "template",
            )
            if self._process is not None:  # else it was stopped meanwhile
                watch = self._watch(self._process)
                self._watching = asyncio.create_task(watch, name="engine's end")
            return self._endpoint

    async def stop(self) -> None:
        """End it and wait until it has gone; nothing to do where it does not run."""
        process, tasks = self._process, (self._listening, self._watching)
        self._process = self._endpoint = self._listening = self._watching = None
        try:
            if process is not None:
                await _end(process)
        finally:
            for task in tasks:
                if task is not None:
                    await task

    async def noticed(self, seconds: float) -> None:
        """Wait until the end of a process that may be ending is known, `seconds` at most."""
        if self._watching is not None:
            await asyncio.wait({self._watching}, timeout=seconds)

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
                start_new_session=True,  # Ctrl-C is for us: we end it, and don't see it as dead
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
        if line:
            raise self._failure("The embedded engine stopped while it started.")
        await asyncio.wait({listening}, timeout=_LAST_WORDS)  # they come before its end
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _LAST_WORDS)
        killed = "The system killed the engine while it started, most likely for lack of memory."
        raise self._failure("The embedded engine stopped while it started.", killed)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if self._listening is not None:
            await asyncio.wait({self._listening}, timeout=_LAST_WORDS)
        if self._process is process:  # nobody stopped it
            self._endpoint = None
            killed = "The system killed the engine, most likely for lack of memory."
            self._on_death(self._failure(_ended(code), killed))

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

    def _failure(self, message: str, killed: str = "") -> EngineFault:
        """Why it is gone: what it said itself; else `killed`, where the system ended it, as it
        does when memory runs out (Linux, macOS); else `message`."""
        last_words = "\n".join(self._lines)
        if self._fault is not None:
            detail = f"{self._fault.detail}\n{last_words}".strip()
            return EngineFault(self._fault.kind, self._fault.message, detail)
        code = self._process.returncode if self._process is not None else None
        if killed and code is not None and code == -_KILL:
            return EngineFault("out_of_memory", killed, last_words)
        return EngineFault("engine_failed", message, last_words)


def _ended(code: int) -> str:
    if code >= 0:
        return f"The engine ended by itself (exit status {code})."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name in _CRASHES:
        return f"The engine crashed ({name})."
    return f"The engine was ended from outside ({name})."


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except (TimeoutError, asyncio.CancelledError) as hurry:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(hurry, asyncio.CancelledError):
            raise


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
