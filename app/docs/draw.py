"""Draws the pages of a document that MuPDF has opened: picture, text layer, boxes.

It knows neither passwords nor where the document came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pymupdf
from PIL import Image

from app.docs.budget import page_zoom
from app.docs.encode import encode
from app.docs.layout import Piece, Row, in_reading_order, text_lines, text_of
from app.docs.request import Page, Remark
from app.vocabulary import Frame, Source, SourceKind

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

_TEXT = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP  # no picture bytes
_UNREADABLE = 0.3  # share of replacement characters in a text layer that says nothing


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the frames of a document have in common; `word` is "page" or "slide"."""

    kind: SourceKind
    name: str
    word: str = "page"
    max_side: int | None = None


def draw(document: Any, sheet: Sheet, numbers: Iterable[int]) -> Iterator[Page | Remark | Frame]:
    """Each of `numbers` (from 1) as a frame; one that can't be drawn is left out with a remark."""
    for number in numbers:
        yield Page(number)
        try:
            yield _frame(document[number - 1], sheet, number)
        except (RuntimeError, ValueError, IndexError) as error:
            # MuPDF's own errors are RuntimeErrors; a page tree that lies about its length
            # gives an IndexError
            yield Remark(
                f"{sheet.word.capitalize()} {number} of {sheet.name} is damaged and was left out"
                f" ({_short(error)})."
            )


def _frame(page: Any, sheet: Sheet, number: int) -> Frame:
    width, height = _size(page)
    zoom = page_zoom(width, height, sheet.max_side)
    picture = _picture(page, zoom)
    rows, upright = _rows(page)
    encoded = encode(picture)
    text = "\n".join(part for part in (text_of(rows), "\n".join(upright)) if part)
    if _says_nothing(text):
        rows, text = [], ""
    return Frame(
        image=encoded.image,
        media_type=encoded.media_type,
        width=encoded.width,
        height=encoded.height,
        source=Source(sheet.kind, sheet.name, page=number),
        text=text,
        text_source="layer" if text else "none",
        lines=text_lines(rows, width, height),
    )


def _size(page: Any) -> tuple[float, float]:
    """Points; MuPDF puts US letter in place of an empty MediaBox, but not of an endless one."""
    width, height = float(page.rect.width), float(page.rect.height)
    if not (math.isfinite(width) and math.isfinite(height)) or min(width, height) <= 0:
        raise ValueError("its page has no size")
    return width, height


def _picture(page: Any, zoom: float) -> Image.Image:
    pixmap = page.get_pixmap(
        matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False, annots=True
    )
    if pixmap.width < 1 or pixmap.height < 1:
        raise ValueError("its page is too thin to draw")
    return Image.frombuffer("RGB", (pixmap.width, pixmap.height), pixmap.samples)


def _rows(page: Any) -> tuple[list[Row], list[str]]:
    """Horizontal text in reading order, and vertical lines (CJK, sides of charts) as they come."""
    level: list[Piece] = []
    upright: list[str] = []
    for block in page.get_text("dict", flags=_TEXT)["blocks"]:
        for line in block.get("lines", ()):
            text = "".join(span["text"] for span in line["spans"])
            if not text.strip():
                continue
            if abs(line["dir"][0]) >= abs(line["dir"][1]):
                level.append(Piece(text, *line["bbox"]))
            else:
                upright.append(text.strip())
    return in_reading_order(level), upright


def _says_nothing(text: str) -> bool:
    """A font without a character map gives a text layer of replacement characters."""
    marks = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in text)
    solid = sum(not char.isspace() for char in text)
    return solid == 0 or marks > _UNREADABLE * solid


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
