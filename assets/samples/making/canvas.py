"""A page to draw samples on: points in, PDF or PNG out; knows no sample."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pymupdf
from PIL import Image

INK, GREY, PALE, HAIR = "#1D1C1A", "#625E57", "#F4F2EE", "#D9D5CC"
ACCENT, AMBER, BLUE, RED = "#0F7B6C", "#C9822B", "#2F6DA8", "#B3261E"
PLAIN, BOLD, MONO = "helv", "hebo", "cour"
Side = Literal["left", "right", "middle"]


def rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour.lstrip("#"))
    return red / 255, green / 255, blue / 255


class Canvas:
    """One page of a document, measured in points from the top left."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self._fonts = {name: pymupdf.Font(name) for name in (PLAIN, BOLD, MONO)}

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 10,
        font: str = PLAIN,
        colour: str = INK,
        side: Side = "left",
    ) -> float:
        """Writes on the baseline `y` from, to or around `x`; gives the width."""
        width = float(self._fonts[font].text_length(words, fontsize=size))
        start = x - {"left": 0.0, "right": width, "middle": width / 2}[side]
        self.page.insert_text((start, y), words, fontsize=size, fontname=font, color=rgb(colour))
        return width

    def paragraph(self, box: tuple[float, float, float, float], words: str, size: float) -> None:
        self.page.insert_textbox(
            pymupdf.Rect(box), words, fontsize=size, fontname=PLAIN, color=rgb(INK), lineheight=1.45
        )

    def rectangle(
        self,
        box: tuple[float, float, float, float],
        fill: str | None,
        *,
        line: str | None = None,
        round_by: float = 0.0,
    ) -> None:
        """`round_by` is the radius of the corners in points."""
        rect = pymupdf.Rect(box)
        radius = round_by / min(rect.width, rect.height) if round_by else None
        self.page.draw_rect(
            rect,
            color=rgb(line) if line else None,
            fill=rgb(fill) if fill else None,
            width=0.75 if line else 0,
            radius=radius,
        )

    def rule(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str = HAIR,
        width: float = 0.75,
    ) -> None:
        self.page.draw_line(start, end, color=rgb(colour), width=width)

    def mark(self, x: float, y: float, size: float, colour: str = ACCENT) -> None:
        """The seller's sign: a leaning bar on a disc."""
        centre = (x + size / 2, y + size / 2)
        self.page.draw_circle(centre, size / 2, color=None, fill=rgb(colour), width=0)
        self.page.draw_line(
            (x + size * 0.36, y + size * 0.72),
            (x + size * 0.64, y + size * 0.28),
            color=(1, 1, 1),
            width=size * 0.13,
            lineCap=1,
        )


def blank(width: float, height: float) -> tuple[Any, Canvas]:
    """A document of one page of that many points, and its canvas."""
    document = pymupdf.open()
    return document, Canvas(document.new_page(width=width, height=height))


def picture(page: Any, zoom: float) -> Image.Image:
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


def save_png(drawn: Image.Image, path: Path, colours: int = 96) -> None:
    """A small PNG: drawings need few colours."""
    few = drawn.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def jpeg(drawn: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    drawn.save(out, "JPEG", quality=quality)
    return out.getvalue()
