"""Tells what an OLE compound file holds (binary presentations, encrypted office documents).

Stream names and the CurrentUserAtom's token are as in Microsoft's [MS-CFB], [MS-PPT] 2.3.2 and
[MS-OFFCRYPTO]; the streams themselves are left to the renderer.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from app.docs.faults import damaged, unsupported
from app.vocabulary import DocumentFault

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DECKS = (".ppt", ".pps", ".pot")
_ENCRYPTED_PPT = re.compile(rb"\x00\x00\xf6\x0f.{4}\x14\x00\x00\x00\xdf\xc4\xd1\xf3", re.DOTALL)


def presentation(path: Path) -> str:
    """ "ppt" or "encrypted"; DocumentFault for anything that is no presentation."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _holds(data, "EncryptedPackage"):
            return "encrypted"
        if _ENCRYPTED_PPT.search(data):
            return "encrypted-ppt"
        if _holds(data, "PowerPoint Document"):
            return "ppt"
        other = _other(path.name, data)
    if other.kind == "damaged" and path.suffix.lower() in _DECKS:
        return "ppt"  # PowerPoint 95 and older named their stream otherwise
    raise other


def _other(name: str, data: mmap.mmap) -> DocumentFault:
    for stream, what in (
        ("WordDocument", "a text document of an office program"),
        ("Workbook", "a spreadsheet"),
        ("__properties_version1.0", "a saved e-mail"),
    ):
        if _holds(data, stream):
            return unsupported(name, what, "save it as a PDF and give that")
    return damaged(name, "an OLE file without a known stream")


def _holds(data: mmap.mmap, stream: str) -> bool:
    return data.find(stream.encode("utf-16-le")) >= 0
