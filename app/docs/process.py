"""The document worker as a process: start, packets in and out, the watch on its memory, its end.

It knows packets, not what they mean.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from pathlib import Path
from typing import Literal

import psutil

import app
from app.docs import wire
from app.docs.request import ROOM

LostReason = Literal["timeout", "memory", "died"]
_WATCH = 0.1  # seconds between looks at the worker's memory
_BUFFER = 1 << 22  # bytes read ahead from the worker


class Lost(Exception):
    """The worker is gone: it took too long, took too much, or died of the file."""

    def __init__(self, reason: LostReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: LostReason = reason
        self.detail = detail


class Process:
    """One running worker. After `Lost` it is of no more use: `stop` it and start another."""

    def __init__(self, child: asyncio.subprocess.Process, folder: Path) -> None:
        self._child = child
        self._folder = folder  # its temporary files, removed whatever way it ends
        self._watch: asyncio.Task[None] | None = None
        self._over = False

    @classmethod
    async def start(cls) -> Process:
        folder = await asyncio.to_thread(_room)
        paths = [str(Path(app.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        child = await create_subprocess_exec(
            sys.executable,
            *("-m", "app.docs.worker"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=_BUFFER,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "TMPDIR": str(folder),
                "OMP_NUM_THREADS": "2",
                "MALLOC_ARENA_MAX": "2",  # glibc's arenas would swell the address space
            },
        )
        return cls(child, folder)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.returncode is None

    def memory(self) -> int:
        """Bytes in use, 0 when it is gone."""
        try:
            return int(psutil.Process(self._child.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def send(self, packet: bytes, memory: int) -> None:
        """Sends a request and watches, until `rest`, that the worker stays within `memory`."""
        assert self._child.stdin is not None
        self._watch = asyncio.create_task(self._watched(memory))
        try:
            self._child.stdin.write(packet)
            await self._child.stdin.drain()
        except (ConnectionError, OSError) as error:
            raise Lost("died", str(error)) from error

    async def receive(self, seconds: float) -> tuple[wire.Header, bytes]:
        """The next packet; `Lost` when none came in time or the worker ended."""
        try:
            async with asyncio.timeout(seconds):
                return await self._packet()
        except TimeoutError as error:
            raise Lost("timeout", f"{seconds:.0f} s") from error
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            if self._over:
                raise Lost("memory") from error
            raise Lost("died", await self._epitaph()) from error

    async def _packet(self) -> tuple[wire.Header, bytes]:
        assert self._child.stdout is not None
        text, blob = wire.lengths(await self._child.stdout.readexactly(wire.HEAD.size))
        head = wire.header(await self._child.stdout.readexactly(text))
        return head, await self._child.stdout.readexactly(blob)

    def rest(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def kill(self) -> None:
        """Kills the worker and all that it started, at once; `stop` still has to clear up."""
        self.rest()
        self._kill()

    async def stop(self) -> None:
        """Kills the worker and all that it started, and clears up after it."""
        self.kill()
        if self._child.stdin is not None:
            self._child.stdin.close()
        await self._child.wait()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _kill(self) -> None:
        if sys.platform != "win32":
            # also when the worker itself is gone: LibreOffice may be left of its group
            try:
                os.killpg(self._child.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return
        elif self.alive:
            for child in psutil.Process(self._child.pid).children(recursive=True):
                child.kill()
            self._child.kill()

    async def _watched(self, memory: int) -> None:
        while self.alive:
            if self.memory() > memory:
                self._over = True
                self._kill()
                return
            await asyncio.sleep(_WATCH)

    async def _epitaph(self) -> str:
        try:
            async with asyncio.timeout(1):
                code = await self._child.wait()
        except TimeoutError:
            return "its pipe broke"
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _room() -> Path:
    """A new folder for temporary files; those of parents that died without clearing up go."""
    for left in Path(tempfile.gettempdir()).glob(f"{ROOM}*"):
        owner = left.name.removeprefix(ROOM).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{ROOM}{os.getpid()}-"))
