"""Reads presentations: by LibreOffice where it is installed, else by rpptx; both make a PDF.

It says what is hidden, missing or locked; the pages are drawn by `draw`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymupdf

from app.docs.deck import Outline, outline
from app.docs.draw import Sheet, draw
from app.docs.faults import damaged, unsupported
from app.docs.locked import unlocked
from app.docs.office import find_soffice, to_pdf
from app.docs.ooxml import Converted, convert
from app.docs.pdf import at_least_one
from app.docs.request import Limits, Opened, Remark, Request, Told
from app.docs.selection import bounded, select
from app.vocabulary import DocumentFault


def read(request: Request, limits: Limits, form: str) -> Iterator[Told]:
    """`form` is "pptx", "ppt", "odp", or "encrypted" and "encrypted-ppt" for locked ones.

    DocumentFault `needs_password`, `wrong_password`, `missing_renderer`, `damaged`, `empty`.
    """
    name = request.path.name
    if form.startswith("encrypted"):
        with unlocked(request.path, form, request.password) as (path, open_form):
            made, facts = _unlocked(path, open_form, limits, name)
    else:
        made, facts = _made(request.path, form, limits, name)
    with pymupdf.open(stream=made.pdf, filetype="pdf") as document:
        yield from _slides(document, request, made, facts)


def _slides(
    document: Any, request: Request, made: Converted, facts: Outline | None
) -> Iterator[Told]:
    name = request.path.name
    total = document.page_count
    if total == 0:
        raise damaged(name, "the converted deck has no page")
    numbers, left_out = bounded(select(request.pages, total, request.after), request.max_frames)
    title = (facts.title if facts else "") or request.path.stem
    warnings = (*made.remarks, *_about(facts, total, name))
    yield Opened("slides", total, title, made.renderer, warnings)
    if left_out:
        yield Remark(left_out.replace("pages", "slides"))
    sheet = Sheet("slides", name, "slide", request.max_side)
    yield from at_least_one(draw(document, sheet, numbers))


def _unlocked(path: Path, form: str, limits: Limits, name: str) -> tuple[Converted, Outline | None]:
    try:
        return _made(path, form, limits, name)
    except DocumentFault as fault:
        if fault.kind != "damaged":
            raise
        what = "locked, and what its password opens can't be drawn"
        raise unsupported(name, what, "save the deck without its password") from fault


def _made(path: Path, form: str, limits: Limits, name: str) -> tuple[Converted, Outline | None]:
    facts = outline(path, name) if form == "pptx" else None
    soffice = find_soffice()
    pdf = to_pdf(soffice, path, form, limits) if soffice else None
    if pdf is not None:
        return Converted(pdf, "LibreOffice"), facts
    if form == "pptx":
        return convert(path, name), facts
    if soffice is None:
        what = "a binary PowerPoint file" if form == "ppt" else "an OpenDocument presentation"
        raise DocumentFault(
            "missing_renderer",
            f"{name} is {what}, which needs LibreOffice; install LibreOffice Impress, or save "
            "the deck as .pptx or PDF.",
        )
    raise damaged(name, "LibreOffice made no PDF of it")


def _about(facts: Outline | None, drawn: int, name: str) -> Iterator[str]:
    """What a person should know about how the outline and the drawn deck differ."""
    if facts is None:
        return
    if facts.hidden and drawn == facts.slides:
        which = ", ".join(map(str, facts.hidden))
        one = len(facts.hidden) == 1
        yield (
            f"Slide {which} is hidden in the show; it is kept here."
            if one
            else (f"Slides {which} are hidden in the show; they are kept here.")
        )
    elif drawn != facts.slides:
        yield f"{name} has {facts.slides} slides, of which {drawn} could be drawn."
