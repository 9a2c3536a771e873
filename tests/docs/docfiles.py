"""Makes the files that the document tests read, and reads them with one reader."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image
from pptx import Presentation

from app.docs.request import Opened, Page, Remark, Told
from app.vocabulary import Frame

SAMPLES = Path(__file__).parents[2] / "assets" / "samples"


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything a reader told about a file."""

    opened: Opened
    frames: tuple[Frame, ...]
    remarks: tuple[str, ...]

    def shown(self, index: int = 0) -> Image.Image:
        return Image.open(BytesIO(self.frames[index].image)).convert("RGB")


def hear(told: Iterable[Told]) -> Heard:
    items = list(told)
    (opened,) = [item for item in items if isinstance(item, Opened)]
    assert items[0] is opened
    pages = [item for item in items if isinstance(item, Page)]
    frames = tuple(item for item in items if isinstance(item, Frame))
    assert len(pages) >= len(frames)
    return Heard(opened, frames, tuple(item.text for item in items if isinstance(item, Remark)))


def make_pdf(path: Path, *pages: str, size: tuple[float, float] = (595, 842), **save: Any) -> Path:
    document = pymupdf.open()
    for words in pages:
        page = document.new_page(width=size[0], height=size[1])
        page.insert_text((72, 100), words, fontsize=14)
    document.save(path, **save)
    return path


def make_deck(path: Path, *titles: str, hidden: int | None = None) -> Path:
    deck = Presentation()
    for title in titles:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = title
    if hidden:
        deck.slides[hidden - 1]._element.set("show", "0")
    deck.save(str(path))
    return path


def without_part(deck: Path, part: str) -> Path:
    """The same archive without one of its parts."""
    less = deck.with_name(f"less {deck.name}")
    with zipfile.ZipFile(deck) as source, zipfile.ZipFile(less, "w") as target:
        for item in source.infolist():
            if item.filename != part:
                target.writestr(item, source.read(item))
    return less


def make_clip(path: Path, seconds: float = 2.0, size: tuple[int, int] = (160, 120)) -> Path:
    """A clip whose shade of grey says its time: 20 more a tenth of a second."""
    import av  # noqa: PLC0415  (only the tests of videos need it)

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for index in range(round(seconds * 10)):
            shade = (index * 12) % 256
            frame = av.VideoFrame.from_image(Image.new("RGB", size, (shade, shade, shade)))
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
