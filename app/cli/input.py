"""What a command looks at: files, standard input or the screen, as frames."""

from __future__ import annotations

import asyncio
import select
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.capture.scene import part, screens
from app.capture.window import active_window
from app.cli.output import progress
from app.docs.reader import DocumentWorker, Request
from app.settings import folders, load
from app.vocabulary import DocumentFault, Frame, Region

PATIENCE = 1.0  # s for the first byte of a pipe that nobody asked us to read


@dataclass(frozen=True, slots=True)
class Sight:
    """Where to look; `-` among the files is standard input."""

    files: tuple[Path, ...] = ()
    screen: bool = False
    window: bool = False
    region: Region | None = None
    pages: str | None = None
    password: str | None = None


async def gather(sight: Sight, worker: DocumentWorker, *, text_only: bool) -> tuple[Frame, ...]:
    """The frames to send, each with its text where the model reads text only.

    Raises:
        DocumentFault: a file can't be read.
        CaptureFault: the screen can't be captured.
    """
    frames = list(await _captured(sight))
    if text_only:
        frames = [await worker.recognise(frame) for frame in frames]
    async with _paths(sight, bool(frames)) as paths:
        for path in paths:
            progress(f"Reading {path.name}")
            request = Request(
                path,
                password=sight.password,
                pages=sight.pages,
                ocr="auto" if text_only else "never",
            )
            async for found in worker.read(request):
                if isinstance(found, Frame):
                    frames.append(await _readable(found, worker, text_only))
    return tuple(frames)


async def _readable(frame: Frame, worker: DocumentWorker, text_only: bool) -> Frame:
    if text_only and frame.text_source == "none":
        return await worker.recognise(frame)
    return frame


async def _captured(sight: Sight) -> tuple[Frame, ...]:
    if not (sight.region or sight.window or sight.screen):
        return ()
    never = load(folders().config)[0].never_captured
    if sight.region is not None:
        return (await part(sight.region, never),)
    if sight.window:
        return (await part(active_window(), never),)
    return await screens(never)


@asynccontextmanager
async def _paths(sight: Sight, seen: bool) -> AsyncIterator[tuple[Path, ...]]:
    """The files to read, what came over standard input among them as a file of its own."""
    dash = Path("-")
    if dash not in sight.files and (sight.files or seen or not _piped()):
        yield sight.files
        return
    data = await asyncio.to_thread(sys.stdin.buffer.read)
    if not data and dash in sight.files:
        raise DocumentFault("empty", "Standard input holds nothing to look at.")
    if not data:
        yield sight.files
        return
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
        stdin = Path(folder) / "standard input"
        stdin.write_bytes(data)
        yield tuple(stdin if path == dash else path for path in sight.files or (dash,))


def _piped() -> bool:
    """Whether something waits on standard input. An open pipe that stays silent is somebody
    else's (a service manager's, a test's), and waiting for its end would hang."""
    try:
        mode = stat.S_IFMT(Path(f"/dev/fd/{sys.stdin.fileno()}").stat().st_mode)
    except (OSError, ValueError):
        return False
    if mode == stat.S_IFREG:
        return True
    return mode == stat.S_IFIFO and bool(select.select([sys.stdin], [], [], PATIENCE)[0])
