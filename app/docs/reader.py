"""The window's side of the document worker: files in, frames out, one file at a time.

It loads no document library; hostile files are opened in the worker, which is replaced when a
file kills it or passes a limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from app.docs import wire
from app.docs.journey import Journey
from app.docs.process import Lost, Process
from app.docs.request import Limits, Opened, Remark, Request
from app.vocabulary import DocumentFault, Error, FaultKind, Frame

_LOST: dict[str, tuple[FaultKind, str]] = {
    "timeout": ("timeout", "took too long"),
    "memory": ("too_large", "needed too much memory"),
    "died": ("failed", "broke down"),
}

__all__ = ["DocumentWorker", "Limits", "Opened", "Remark", "Request"]


class DocumentWorker:
    """Reads documents in a process of its own, started on demand.

    Close it at the end. Closing an iterator early kills the worker; the next file starts another.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._process: Process | None = None
        self._dying: list[Process] = []  # killed, not yet cleared up
        self._fresh = True  # whether the worker was started for the request at hand
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def warm(self) -> None:
        """Starts the worker before it is needed."""
        async with self._turn:
            await self._running()

    async def read(self, request: Request) -> AsyncIterator[Opened | Remark | Frame]:
        """`Opened` first, then frames and remarks as they come; DocumentFault ends it."""
        async with self._turn:
            journey = Journey(request, self._limits, asyncio.get_running_loop().time())
            in_step = False
            try:
                await self._ask(wire.pack_request(request, self._limits))
                while (told := await self._next(journey)) is not None:
                    yield told
                in_step = True
            except DocumentFault:
                in_step = True
                raise
            except GeneratorExit:
                self._abandon()
                raise
            finally:
                await self._after(in_step)

    async def recognise(self, frame: Frame) -> Frame:
        """The same frame with the text that stands in its picture, by OCR."""
        async with self._turn:
            in_step = False
            try:
                await self._ask(wire.pack_recognise(frame, self._limits))
                read = await self._frame(frame)
                in_step = True
                return read
            finally:
                await self._after(in_step)

    async def close(self) -> None:
        """Ends the worker; what is being read ends with a DocumentFault."""
        await self._drop()

    async def _next(self, journey: Journey) -> Opened | Remark | Frame | None:
        """The next thing to pass on, None at the end; replaces a lost worker on the way."""
        now = asyncio.get_running_loop().time
        while True:
            try:
                head, blob = await self._receive(journey.patience(now()))
            except Lost as lost:
                remark = await self._replace(journey, lost)
                if remark is not None:
                    return remark
                continue
            if head["type"] == "end":
                journey.end()
                return None
            told = wire.told_of(head, blob)
            if isinstance(told, Error):
                await self._receive(self._limits.page_seconds)  # its "end"
                raise DocumentFault(told.kind, told.message, told.detail)
            passed = journey.hear(told)
            if passed is not None:
                return passed

    async def _replace(self, journey: Journey, lost: Lost) -> Remark | None:
        fresh = self._fresh
        await self._drop()
        now = asyncio.get_running_loop().time()
        remark = journey.lose(lost.reason, lost.detail, fresh=fresh, now=now)
        await self._ask(wire.pack_request(journey.request(), self._limits))
        return remark

    async def _frame(self, frame: Frame) -> Frame:
        seconds = self._limits.first_frame_seconds
        try:
            told = wire.told_of(*await self._receive(seconds))
            await self._receive(seconds)  # its "end"
        except Lost as lost:
            kind = _LOST[lost.reason]
            message = f"The text in {frame.source.name} could not be read: the reader {kind[1]}."
            raise DocumentFault(kind[0], message, lost.detail) from lost
        if isinstance(told, Error):
            raise DocumentFault(told.kind, told.message, told.detail)
        assert isinstance(told, Frame)
        return told

    async def _ask(self, packet: bytes) -> None:
        process = await self._running()
        try:
            await process.send(packet, self._limits.memory)
        except Lost:
            if self._fresh:
                raise
            await self._drop()  # it left for being idle as we wrote to it
            await (await self._running()).send(packet, self._limits.memory)

    async def _receive(self, seconds: float) -> tuple[wire.Header, bytes]:
        if self._process is None:
            raise Lost("died", "closed")
        return await self._process.receive(seconds)

    async def _running(self) -> Process:
        self._fresh = self._process is None or not self._process.alive
        if self._process is None or self._fresh:
            await self._drop()
            self._process = await Process.start()
        return self._process

    async def _after(self, in_step: bool) -> None:
        """Keeps the worker for the next file, unless it is out of step or has grown fat."""
        process = self._process
        if process is None:
            return
        process.rest()
        if not in_step or process.memory() > self._limits.memory // 2:
            await self._drop()

    def _abandon(self) -> None:
        """Kills the worker without waiting: a generator that is thrown away must not await."""
        if self._process is not None:
            self._process.kill()
            self._dying.append(self._process)
            self._process = None

    async def _drop(self) -> None:
        while self._dying:
            await self._dying.pop().stop()
        process, self._process = self._process, None
        if process is not None:
            await process.stop()
