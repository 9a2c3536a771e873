"""What is asked of the document worker and what it tells: values only, no file, no library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from app.vocabulary import Frame

DocumentKind = Literal["pdf", "slides", "picture", "video", "text"]
OcrPolicy = Literal["auto", "always", "never"]

ROOM = "sightline-docs-"  # how the name of a worker's folder for temporary files begins
READABLE = "PDFs, presentations, pictures, videos and text"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may cost; `memory` and `text` are bytes, `pixels` those of one picture."""

    page_seconds: float = 20.0
    ocr_seconds: float = 60.0  # to read the text in one picture; a busy machine needs many
    first_frame_seconds: float = 60.0
    memory: int = 2 << 30
    pixels: int = 120_000_000
    text: int = 1 << 20
    video_frames: int = 600
    idle_seconds: float = 120.0  # an idle worker leaves after this and frees its memory


@dataclass(frozen=True, slots=True)
class Request:
    """One file to read.

    `pages` is a selection such as "1-5,9" (frames count as pages in a video), `max_side` bounds
    the longest side in pixels, `every` is the seconds between frames of a video, `max_frames` the
    most frames wanted. `ocr="auto"` reads the picture only where a page has no text of its own.
    `after` leaves out everything up to that page.
    """

    path: Path
    password: str | None = None
    pages: str | None = None
    max_side: int | None = None
    every: float | None = None
    ocr: OcrPolicy = "auto"
    max_frames: int | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """The file opened: what it is, how many pages, slides or frames it has, and who draws it."""

    kind: DocumentKind
    pages: int
    title: str
    renderer: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence a person should know about what was read."""

    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """Page `number` is being drawn, or, `drawn`, its text is being read; its time starts now."""

    number: int
    drawn: bool = False


Told: TypeAlias = Opened | Remark | Page | Frame
