"""`sightline frames FILE`: a document, deck, picture or video as its frames."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from app.cli.output import emit, fail, progress, say
from app.docs.reader import DocumentWorker, Opened, Remark, Request
from app.vocabulary import DocumentFault, Fault, Frame


@dataclass(frozen=True, slots=True)
class Wanted:
    request: Request
    out: Path | None
    as_json: bool


def run(wanted: Wanted) -> int:
    try:
        return asyncio.run(_frames(wanted))
    except Fault as fault:
        return fail(fault.as_error(), as_json=wanted.as_json)


async def _frames(wanted: Wanted) -> int:
    worker, index = DocumentWorker(), 0
    try:
        async for found in worker.read(wanted.request):
            match found:
                case Opened():
                    _opened(found, wanted)
                case Remark(text):
                    _remark(text, wanted)
                case Frame():
                    _frame(found, index, wanted)
                    index += 1
    finally:
        await worker.close()
    return 0


def _opened(document: Opened, wanted: Wanted) -> None:
    if wanted.as_json:
        emit(
            {
                "type": "document",
                "kind": document.kind,
                "pages": document.pages,
                "title": document.title,
                "renderer": document.renderer,
                "warnings": list(document.warnings),
            }
        )
        return
    pages = "1 page" if document.pages == 1 else f"{document.pages} pages"
    say(f"{document.title or wanted.request.path.name}: {document.kind}, {pages}")
    for warning in document.warnings:
        say(f"  {warning}")


def _remark(text: str, wanted: Wanted) -> None:
    if wanted.as_json:
        emit({"type": "warning", "message": text})
    else:
        say(f"  {text}")


def _frame(frame: Frame, index: int, wanted: Wanted) -> None:
    path = _saved(frame, index, wanted)
    if wanted.as_json:
        emit(
            {
                "type": "frame",
                "index": index,
                "page": frame.source.page,
                "time": frame.source.time,
                "width": frame.width,
                "height": frame.height,
                "text": frame.text,
                "text_source": frame.text_source,
                "path": None if path is None else str(path),
            }
        )
        return
    progress("")
    where = f"{frame.source.time:.1f} s" if frame.source.time is not None else ""
    page = f"page {frame.source.page}" if frame.source.page is not None else ""
    text = {"layer": "text", "ocr": "text by OCR", "none": ""}[frame.text_source]
    parts = (page or where, f"{frame.width}×{frame.height}", text, str(path) if path else "")
    say("  " + "  ".join(part for part in parts if part))


def _saved(frame: Frame, index: int, wanted: Wanted) -> Path | None:
    if wanted.out is None:
        return None
    suffix = "jpg" if frame.media_type == "image/jpeg" else "png"
    path = wanted.out / f"{wanted.request.path.stem}-{index + 1:03}.{suffix}"
    try:
        wanted.out.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame.image)
    except OSError as error:
        raise DocumentFault(
            "no_space" if error.errno == 28 else "failed",
            f"{path} can't be written: {error.strerror}. Choose another folder with --out.",
        ) from None
    return path
