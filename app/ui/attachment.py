"""What waits in the composer to be sent: a value the session makes and the composer shows."""

from __future__ import annotations

from dataclasses import dataclass

from app.vocabulary import Clip, Error, Frame


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, paste or capture. Frames arrive one by one until `done`; `expected` is how many
    there will be, where that is known; with `error` set nothing more comes, and what came stays.
    `clips` are the videos that its frames were cut from, where they may go whole."""

    id: int
    name: str
    frames: tuple[Frame, ...] = ()
    expected: int | None = None
    done: bool = False
    error: Error | None = None
    warnings: tuple[str, ...] = ()
    clips: tuple[Clip, ...] = ()
