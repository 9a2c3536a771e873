"""A recording as the window sees it: starts the recorder's process, tells how far it is, ends it,
and finds what a crash left; knows no pixel.

While a file is written its name ends in `.part.mkv`; it gets its own name when its end is known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.capture.record.child import Child, Told
from app.capture.record.claim import claimed
from app.capture.record.facts import (
    Area,
    Order,
    Progress,
    Recorded,
    order_to_json,
)
from app.capture.record.review import inspected
from app.disk import disk_fault, own_folder
from app.settings import Recording
from app.vocabulary import CaptureFault, Region

__all__ = ["Area", "Progress", "Recorded", "Recorder", "discarded", "left_over", "recovered"]

_PART = ".part.mkv"
_MEGABYTE = 1_000_000
_EMPTY = "The recording holds no picture yet."
_LARGEST = 16_384  # px a side, the most that H.264 is made for
_CHOOSING = 150.0  # seconds: on Wayland a person chooses in the desktop's own dialog
_WRITING = 60.0  # seconds that a slow disk has for the end of a file


class Recorder:
    """One recording. `told` hears how far it is, on the loop's thread."""

    def __init__(
        self,
        folder: Path,
        told: Callable[[Progress], None],
        *,
        command: Sequence[str] | None = None,
    ) -> None:
        self._folder = folder
        self._tell = told
        self._command = command
        self._child: Child | None = None
        self._following: asyncio.Task[None] | None = None
        self._part = folder
        self._progress = Progress(0, 0, 0, 0, "waiting")
        self._cancelled = False
        self._size = (0, 0)
        self.ended: asyncio.Future[Recorded | None] | None = None
        """What came of it, however it ended; None where it was cancelled. Set by `start`."""

    async def start(self, area: Area, how: Recording, *, hidden: tuple[Region, ...] = ()) -> Path:
        """Begins, `how.delay` seconds after it returns; where the file is being written. What
        stands at `hidden` on the desktop is black. Raises CaptureFault."""
        assert self.ended is None, "a recorder records once"
        _check(area)
        self._part = await asyncio.to_thread(_new_part, self._folder)
        order = Order(
            path=self._part,
            area=area,
            frame_rate=how.frame_rate,
            pointer=how.pointer,
            delay=how.delay,
            longest=how.longest,
            largest=how.largest * _MEGABYTE,
            hidden=hidden,
            memory=self._folder / "screencast.json",
            microphone=how.microphone,
        )
        asked = {"verb": "record", **order_to_json(order)}
        child = await Child.start(asked, self._command)
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.get_running_loop().create_future()
        self._child = child
        self._following = asyncio.create_task(self._follow(child, started), name="recording")
        try:
            async with asyncio.timeout(_CHOOSING):
                await asyncio.shield(started)
        except (TimeoutError, asyncio.CancelledError) as given_up:
            await self.cancel()
            if isinstance(given_up, asyncio.CancelledError):
                raise
            message = "The recorder did not begin. Try again."
            raise CaptureFault("timeout", message) from given_up
        return self._part

    @property
    def pid(self) -> int | None:
        """Of the process that records."""
        return self._child.pid if self._child is not None else None

    async def pause(self) -> None:
        self._say({"do": "pause"})

    async def resume(self) -> None:
        self._say({"do": "resume"})

    async def hide(self, hidden: tuple[Region, ...]) -> None:
        """From now on these parts of the desktop are black, and no others."""
        places = [
            {"x": place.x, "y": place.y, "width": place.width, "height": place.height}
            for place in hidden
        ]
        self._say({"do": "hide", "hidden": places})

    async def finish(self) -> Recorded:
        """Ends it, unless it has ended; raises CaptureFault where there is nothing to keep."""
        self._say({"do": "finish"})
        recorded = await self._end()
        if recorded is None:
            raise CaptureFault("empty", _EMPTY)
        return recorded

    async def cancel(self) -> None:
        """Ends it and removes the file."""
        self._cancelled = True
        self._say({"do": "cancel"})
        try:
            recorded = await self._end()
        except CaptureFault:
            recorded = None
        for path in (self._part, *((recorded.path,) if recorded else ())):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _say(self, told: Told) -> None:
        if self._child is not None:
            self._child.say(told)

    async def _end(self) -> Recorded | None:
        if self.ended is None:
            raise CaptureFault("empty", _EMPTY)
        try:
            async with asyncio.timeout(_WRITING):
                return await asyncio.shield(self.ended)
        except TimeoutError:
            if self._following is not None:
                self._following.cancel()
            return await self.ended

    async def _follow(self, child: Child, started: asyncio.Future[None]) -> None:
        """Everything that the process tells, to its end: that is `ended`."""
        assert self.ended is not None
        recorded: Recorded | None = None
        fault: CaptureFault | None = None
        try:
            async for told in child.lines():
                recorded = self._heard(told, started) or recorded
        except CaptureFault as raised:
            fault = raised
        except asyncio.CancelledError:
            fault = CaptureFault("timeout", "The recorder does not answer and was ended.")
        await child.close()
        if not started.done():
            await asyncio.to_thread(self._part.unlink, missing_ok=True)
            self.ended.set_result(None)
            started.set_exception(fault or CaptureFault("capture_failed", _EMPTY))
            return
        await self._settle(recorded, fault)

    async def _settle(self, recorded: Recorded | None, fault: CaptureFault | None) -> None:
        assert self.ended is not None
        if recorded is None and not self._cancelled and fault is not None:
            recorded = await self._rescued(fault)
        if recorded is not None and not self._cancelled:
            try:
                recorded = await asyncio.to_thread(_named, recorded)
            except OSError as error:
                fault, recorded = _disk(error, self._folder), None
        if recorded is None and fault is not None and not self._cancelled:
            self.ended.set_exception(fault)
            self.ended.exception()  # heard by whoever asks; nobody has to
        else:
            self.ended.set_result(recorded)

    async def _rescued(self, fault: CaptureFault) -> Recorded | None:
        """What the process had written before it died."""
        try:
            return await inspected(self._part, why="lost", note=fault.message)
        except CaptureFault:
            return None

    def _heard(self, told: Told, started: asyncio.Future[None]) -> Recorded | None:
        kind = told.pop("type")
        if kind == "started" and not started.done():
            started.set_result(None)
        elif kind == "progress":
            self._tell(Progress(**told))
        elif kind == "recorded":
            return Recorded(**{**told, "path": Path(told["path"])})
        return None


def left_over(folder: Path) -> tuple[Path, ...]:
    """Recordings that a crash left, the newest first; those still being written are not."""
    parts = [path for path in folder.glob(f"*{_PART}") if not claimed(path)]
    return tuple(sorted(parts, reverse=True))


async def recovered(path: Path) -> Recorded:
    """A recording that was left over, under its own name. Raises CaptureFault where nothing of it
    can be played."""
    found = await inspected(path, why="lost", note="Sightline ended while this was recorded.")
    try:
        return await asyncio.to_thread(_named, found)
    except OSError as error:
        raise _disk(error, path.parent) from error


async def discarded(path: Path) -> None:
    """Removes a recording that nobody wants. Raises CaptureFault."""
    try:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    except OSError as error:
        raise _disk(error, path.parent) from error


def _check(area: Area) -> None:
    region = area.region
    if not (0 < region.width <= _LARGEST and 0 < region.height <= _LARGEST):
        size = f"{region.width} by {region.height} pixels"
        raise CaptureFault("bad_input", f"An area of {size} can't be recorded; mark another.")


def _new_part(folder: Path) -> Path:
    try:
        own_folder(folder)
    except OSError as error:
        raise _disk(error, folder) from error
    stem = time.strftime("recording %Y-%m-%d %H.%M.%S")
    number = 1
    while (path := folder / f"{_numbered(stem, number)}{_PART}").exists() or _final(path).exists():
        number += 1
    return path


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem} {number}"


def _final(part: Path) -> Path:
    return part.with_name(part.name.removesuffix(_PART) + ".mkv")


def _named(recorded: Recorded) -> Recorded:
    path = _final(recorded.path)
    recorded.path.replace(path)
    return replace(recorded, path=path)


def _disk(error: OSError, folder: Path) -> CaptureFault:
    found = disk_fault(error, "keep the recording", folder)
    return CaptureFault(found.kind, found.message, found.detail)
