"""Reads plain text, Markdown, code, CSV and the like: guesses the encoding, draws it on pages.

The text layer of a page is the text itself. It knows nothing of highlighting.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import pymupdf

from app.docs.draw import Sheet, draw
from app.docs.faults import empty, unsupported
from app.docs.request import Limits, Opened, Remark, Request, Told
from app.docs.selection import bounded, select

RENDERER = f"MuPDF {pymupdf.mupdf_version}"
_PAPER = (595.0, 842.0)  # points, A4
_TYPE = 10.0  # points
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_CHINESE = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]")


def read(request: Request, limits: Limits) -> Iterator[Told]:
    """DocumentFault `empty` for text of nothing but spaces, `unsupported` for what is no text."""
    name = request.path.name
    with request.path.open("rb") as file:
        data = file.read(limits.text + 1)
    text = decode(data[: limits.text])
    if text is None:
        raise unsupported(name, "no text and no other kind of file that is known here")
    if not text.strip():
        raise empty(name, "holds nothing but blank space")
    document = pymupdf.open(stream=_drawable(text).encode(), filetype="txt")
    document.layout(width=_PAPER[0], height=_PAPER[1], fontsize=_TYPE)
    total = document.page_count
    numbers, left_out = bounded(select(request.pages, total, request.after), request.max_frames)
    cut = f"{name} is long; only its first {limits.text // 1024} kB are read."
    yield Opened("text", total, name, RENDERER, (cut,) if len(data) > limits.text else ())
    if left_out:
        yield Remark(left_out)
    yield from draw(document, Sheet("text", name, "page", request.max_side), numbers)


def decode(data: bytes) -> str | None:
    """The text in `data`, or None where it is no text: by byte order mark, then UTF-8, UTF-16,
    GB 18030 and Windows-1252 in turn. The last character may be cut."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if data.count(0) > len(data) // 8:
        return _utf16(data)
    for text in (_strict(data, "utf-8"), _chinese(data), _western(data)):
        if text is not None:
            return text if len(_CONTROL.findall(text)) * 100 <= len(text) else None
    return None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=False)
    except UnicodeDecodeError:
        return None


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is zero."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    text = _strict(data, "utf-16-le" if odd > even else "utf-16-be")
    if text is None or max(even, odd) < 4 * min(even, odd):
        return None
    return text if len(_CONTROL.findall(text)) * 100 <= len(text) else None


def _chinese(data: bytes) -> str | None:
    """GB 18030 takes almost any bytes, so what comes out has to look like Chinese."""
    text = _strict(data, "gb18030")
    if text is None:
        return None
    foreign = sum(not char.isascii() for char in text)
    return text if len(_CHINESE.findall(text)) >= 0.7 * foreign else None


def _western(data: bytes) -> str | None:
    text = data.decode("cp1252", "replace")
    return text if text.count("\ufffd") * 50 <= len(text) else None


def _drawable(text: str) -> str:
    """MuPDF stops at a zero byte and shows carriage returns and other controls as boxes."""
    return _CONTROL.sub("\u00b7", text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4))
