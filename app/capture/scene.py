"""The desktop frozen at one moment: its screens without what no picture may show, and the windows
on them; knows no window of ours but by its process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from app.capture import listing
from app.capture.curtain import blacked_out, private
from app.capture.grab import grab_shots
from app.capture.shot import Shot, at
from app.capture.windows import DesktopWindow, plain_name
from app.vocabulary import CaptureFault, Frame, Region


@dataclass(frozen=True, slots=True)
class Scene:
    """One shot a screen, and the windows, topmost first; none where the desktop does not tell."""

    shots: tuple[Shot, ...]
    windows: tuple[DesktopWindow, ...] = ()


async def freeze(never: Sequence[str] = ()) -> Scene:
    """The screens as they stand now, our own windows and the programs in `never` blacked out.

    Raises:
        CaptureFault: no screen can be captured, or a program in `never` runs and nobody tells
            where its window stands.
    """
    if listing.obstacle() is not None:
        await asyncio.to_thread(_refuse, tuple(never))
        return Scene(await grab_shots())
    if never:  # before and after, for one may move while the screens are read
        before = await asyncio.to_thread(listing.windows)
        shots = await grab_shots()
        after = await asyncio.to_thread(listing.windows)
        hidden = (*private(before, never), *private(after, never))
    else:
        before, shots = await asyncio.gather(asyncio.to_thread(listing.windows), grab_shots())
        hidden = private(before, never)
    if hidden:
        shots = await asyncio.to_thread(blacked_out, shots, hidden)
    return Scene(shots, before)


async def screens(never: Sequence[str] = ()) -> tuple[Frame, ...]:
    """One PNG a screen, in physical pixels. Raises CaptureFault."""
    return tuple([await _frame(shot) for shot in (await freeze(never)).shots])


async def part(region: Region, never: Sequence[str] = ()) -> Frame:
    """A part of the desktop, in physical pixels; of the screen that shows most of it, if it lies
    on several. Raises CaptureFault."""
    return await _frame(at((await freeze(never)).shots, region))


async def _frame(shot: Shot) -> Frame:
    from app.capture.encode import aside, to_frame  # noqa: PLC0415 (only then Qt is loaded)

    return await aside(to_frame, shot)


def _refuse(never: tuple[str, ...]) -> None:
    """Where windows can't be told apart a running program that is never captured forbids it."""
    wanted = {plain_name(name): name for name in never}
    if not wanted:
        return
    running = {plain_name(process.info["name"] or "") for process in psutil.process_iter(["name"])}
    for plain, name in wanted.items():
        if plain in running:
            raise CaptureFault(
                "capture_failed",
                f"{name} is running and is never captured, but this desktop does not tell where "
                "its window stands. Close it, or take it off the list in Settings.",
            )
