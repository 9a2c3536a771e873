"""What recording is told and tells: the area, how far it is, what came of it. Plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.vocabulary import Region

Kind = Literal["region", "window", "screen"]
State = Literal["waiting", "recording", "paused", "finishing"]
Why = Literal["asked", "time", "size", "lost", "window", "screen", "disk"]


@dataclass(frozen=True, slots=True)
class Area:
    """What is recorded, in physical pixels of the desktop; a `window` is followed as it moves."""

    kind: Kind
    region: Region
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`seconds` of the file, or while waiting those until it begins; `bytes` on the disk, `frames`
    written, `dropped` changes that were too quick for this machine; `sound` whether the microphone
    is being recorded."""

    seconds: float
    bytes: int
    frames: int
    dropped: int
    state: State
    sound: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished file. `why` it ended: as asked, at a limit of time or size, found after a crash
    (lost), because the window closed, the screen changed or the disk was full; `note` is a
    sentence for a person where there is something to say, `sound` whether it holds any."""

    path: Path
    seconds: float
    bytes: int
    width: int
    height: int
    why: Why
    note: str = ""
    sound: bool = False


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small JPEG of what was seen at `time` seconds."""

    time: float
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """All that the recorder process has to know; `largest` in bytes, `longest` and `delay` in
    seconds, `memory` the file that remembers what the desktop's portal was allowed."""

    path: Path
    area: Area
    frame_rate: int
    pointer: bool
    delay: float
    longest: float
    largest: int
    hidden: tuple[Region, ...]
    memory: Path
    microphone: bool = False


def order_to_json(order: Order) -> dict[str, Any]:
    fields = asdict(order)
    return {**fields, "path": str(order.path), "memory": str(order.memory)}


def order_of_json(fields: dict[str, Any]) -> Order:
    area = fields["area"]
    return Order(
        **{
            **fields,
            "path": Path(fields["path"]),
            "memory": Path(fields["memory"]),
            "area": Area(area["kind"], Region(**area["region"]), area["window"]),
            "hidden": regions_of_json(fields["hidden"]),
        }
    )


def regions_of_json(fields: list[dict[str, int]]) -> tuple[Region, ...]:
    return tuple(Region(**region) for region in fields)
