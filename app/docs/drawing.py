"""Reads SVG drawings, drawn by MuPDF, which fetches nothing they refer to."""

from __future__ import annotations

from collections.abc import Iterator

import pymupdf

from app.docs.draw import Sheet, draw
from app.docs.faults import damaged
from app.docs.pdf import at_least_one
from app.docs.request import Limits, Opened, Request, Told
from app.docs.selection import select

RENDERER = f"MuPDF {pymupdf.mupdf_version}"


def read(request: Request, _limits: Limits) -> Iterator[Told]:
    name = request.path.name
    try:
        document = pymupdf.open(request.path, filetype="svg")
        total = document.page_count
    except (RuntimeError, ValueError) as error:
        raise damaged(name, str(error)) from error
    yield Opened("picture", total, request.path.stem, RENDERER)
    numbers = select(request.pages, total, request.after)
    yield from at_least_one(
        draw(document, Sheet("picture", name, "picture", request.max_side), numbers)
    )
