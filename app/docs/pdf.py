"""Opens PDFs: passwords, damage, page selection; the pages themselves are drawn by `draw`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymupdf

from app.docs.draw import Sheet, draw
from app.docs.faults import damaged, needs_password, unsupported, wrong_password
from app.docs.request import Limits, Opened, Remark, Request, Told
from app.docs.selection import bounded, select
from app.vocabulary import DocumentFault, Frame

_UNLOCK = "open it where the certificate is and save it without its lock"
RENDERER = f"MuPDF {pymupdf.mupdf_version}"


def read(request: Request, _limits: Limits) -> Iterator[Told]:
    """The pages asked for. DocumentFault `needs_password`, `wrong_password` or `damaged`."""
    name = request.path.name
    with open_pdf(request.path, name, request.password) as document:
        yield from _pages(document, request)


def _pages(document: Any, request: Request) -> Iterator[Told]:
    name = request.path.name
    total = document.page_count
    numbers, left_out = bounded(select(request.pages, total, request.after), request.max_frames)
    title = str((document.metadata or {}).get("title") or "").strip()
    yield Opened("pdf", total, title or request.path.stem, RENDERER, _warnings(document, name))
    if left_out:
        yield Remark(left_out)
    yield from at_least_one(draw(document, Sheet("pdf", name, "page", request.max_side), numbers))


def open_pdf(path: Path, name: str, password: str | None) -> Any:
    try:
        document = pymupdf.open(path, filetype="pdf")
        if document.needs_pass:
            _unlock(document, name, password)
        pages = document.page_count
    except (RuntimeError, ValueError) as error:  # MuPDF's FileDataError is a RuntimeError
        if "encryption handler" in str(error):
            raise unsupported(name, "locked with a certificate", _UNLOCK) from error
        raise damaged(name, str(error)) from error
    if pages == 0 or not document.is_pdf:
        # MuPDF opens half a file without complaint and finds no page in it
        raise damaged(name, "no page found")
    return document


def _unlock(document: Any, name: str, password: str | None) -> None:
    if not password:
        raise needs_password(name)
    if not document.authenticate(password):
        raise wrong_password(name)


def _warnings(document: Any, name: str) -> tuple[str, ...]:
    if not document.is_repaired:
        return ()
    return (f"{name} is damaged and was repaired while reading; pages may be missing.",)


def at_least_one(told: Iterator[Told]) -> Iterator[Told]:
    """Passes everything on; DocumentFault `damaged` where not one page came through."""
    frames = 0
    last = ""
    for item in told:
        frames += isinstance(item, Frame)
        if isinstance(item, Remark):
            last = item.text
        yield item
    if not frames and last:
        raise DocumentFault("damaged", f"No page could be read: {last}")
