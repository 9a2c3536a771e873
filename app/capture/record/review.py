"""What a recording showed, asked of a process aside: the frames that will be sent, thumbnails, a
part as MP4. Nothing is decoded in the window; knows no widget."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from app.capture.record.child import Child, Told
from app.capture.record.facts import Recorded, Thumb, Why
from app.vocabulary import CaptureFault, Frame, Source

SIDE = 1280  # px, the longest side of a chosen frame, as for any video
_FILM_SIDE = 1920  # px, of a whole video


async def chosen(
    path: Path,
    *,
    start: float,
    end: float,
    most: int,
    every: float | None = None,
    side: int = SIDE,
) -> tuple[Frame, ...]:
    """At most `most` frames that tell what happened between two times, in their order: one a scene
    at least, no two neighbours alike; `every` so many seconds where it is given. The time is that
    of the recording. Raises CaptureFault."""
    asked = {"start": start, "end": end, "most": most, "every": every, "side": side}
    frames: list[Frame] = []
    async with aclosing(_told("choose", path, asked)) as lines:
        async for told in lines:
            source = Source("video", path.name, time=told["time"])
            size = (told["width"], told["height"])
            frames.append(Frame(_jpeg(told), "image/jpeg", *size, source))
    return tuple(frames)


async def thumbnails(
    path: Path, *, count: int, height: int, start: float = 0.0, end: float | None = None
) -> tuple[Thumb, ...]:
    """`count` small pictures, each from the middle of its stretch. Raises CaptureFault."""
    until = end if end is not None else (await inspected(path)).seconds
    asked = {"start": start, "end": until, "count": count, "height": height}
    thumbs: list[Thumb] = []
    async with aclosing(_told("thumbnails", path, asked)) as lines:
        async for told in lines:
            thumbs.append(Thumb(told["time"], _jpeg(told)))
    return tuple(thumbs)


async def still(path: Path, time: float, *, height: int) -> Thumb:
    """What was to be seen at a moment; 0.3 s, most of it a process that starts. Raises
    CaptureFault."""
    asked = {"start": time, "end": time, "count": 1, "height": height}
    async with aclosing(_told("thumbnails", path, asked)) as lines:
        async for told in lines:
            return Thumb(told["time"], _jpeg(told))
    raise CaptureFault("damaged", f"{path.name} holds nothing that can be played.")


async def trimmed(path: Path, start: float, end: float, out: Path) -> Path:
    """The part between two times as an MP4 at `out`. Raises CaptureFault."""
    asked = {"out": str(out), "start": start, "end": end, "side": _FILM_SIDE}
    async with aclosing(_told("trim", path, asked)) as lines:
        async for _ in lines:
            pass
    return out


async def inspected(path: Path, *, why: Why = "asked", note: str = "") -> Recorded:
    """What a recording holds. Raises CaptureFault where nothing of it can be played."""
    async with aclosing(_told("inspect", path, {})) as lines:
        async for told in lines:
            size = (await asyncio.to_thread(path.stat)).st_size
            shape = told["width"], told["height"]
            return Recorded(path, told["seconds"], size, *shape, why, note, told["sound"])
    raise CaptureFault("damaged", f"{path.name} holds nothing that can be played.")


async def _told(verb: str, path: Path, asked: Told) -> AsyncGenerator[Told, None]:
    child = await Child.start({"verb": verb, "path": str(path), **asked})
    try:
        async with aclosing(child.lines()) as lines:
            async for told in lines:
                yield told
    finally:
        await child.close()


def _jpeg(told: Told) -> bytes:
    return base64.b64decode(told["jpeg"])
