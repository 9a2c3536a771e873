"""Tells what a file really is by its first bytes, whatever its name says; reads no content."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.docs import ole
from app.docs.faults import damaged, empty, unsupported
from app.vocabulary import DocumentFault

Family = Literal["pdf", "slides", "picture", "video", "text", "drawing"]
_HEAD = 16 << 10

_PICTURES = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"\0\0\1\0"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),  # TIFF, BigTIFF
    *(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),  # JPEG 2000
)
_STILL = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"heim", b"hevc")
_VIDEOS = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"\0\0\1\xba", "mpeg"),
    (b"\0\0\1\xb3", "mpegvideo"),
    (b"OggS", "ogg"),
)
_SOUND = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"#!AMR")
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ\0", "an XZ archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"%!PS", "a PostScript file"),
    (b"{\\rtf", "a Rich Text document"),
)
_BINARY_NAMES = {
    ".pdf": "a PDF",
    **dict.fromkeys((".ppt", ".pps", ".pptx", ".pptm", ".ppsx", ".ppsm", ".odp"), "a presentation"),
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic"), "a picture"
    ),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"), "a video"),
}


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`form` is what the reader of the family needs to know: "pptx", "ppt", "odp", or FFmpeg's
    name of a container."""

    family: Family
    form: str = ""


def sniff(path: Path) -> Sniffed:
    """DocumentFault `not_found`, `empty`, `unsupported`, `needs_password` or `damaged`."""
    head = _head(path)
    if not head:
        raise empty(path.name)
    if b"%PDF-" in head[:4096]:
        return Sniffed("pdf")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(path)
    if head.startswith(ole.MAGIC):
        return Sniffed("slides", ole.presentation(path))
    found = _media(head)
    if found is not None:
        return found
    return _text(path, head)


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise unsupported(path.name, "a folder", "give the files in it")
        if path.exists() and not path.is_file():
            raise unsupported(path.name, "no ordinary file")
        with path.open("rb") as file:
            return file.read(_HEAD)
    except PermissionError as error:
        raise DocumentFault(
            "not_found", f"{path.name} can't be opened: this account may not read it."
        ) from error
    except (OSError, ValueError) as error:
        raise DocumentFault(
            "not_found", f"There is no file {path}; check the name and the folder.", str(error)
        ) from error


def _media(head: bytes) -> Sniffed | None:
    if head.startswith(_PICTURES) or (head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"):
        return Sniffed("picture")
    if head[:4] == b"RIFF":
        riff = {b"WEBP": Sniffed("picture"), b"AVI ": Sniffed("video", "avi")}
        return riff.get(head[8:12])
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        still = head[4:8] == b"ftyp" and head[8:12] in _STILL
        return Sniffed("picture") if still else Sniffed("video", "mov")
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] in (b"G", b""):
        return Sniffed("video", "mpegts")
    for magic, container in _VIDEOS:
        if head.startswith(magic):
            return Sniffed("video", container)
    return None


def _text(path: Path, head: bytes) -> Sniffed:
    if head.startswith(_SOUND) or (head[:4] == b"RIFF" and head[8:12] == b"WAVE"):
        raise unsupported(path.name, "a sound file")
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise unsupported(path.name, what)
    if b"<svg" in head[:4096] and b"<html" not in head[:4096].lower():
        return Sniffed("drawing", "svg")
    suffix = path.suffix.lower()
    if suffix == ".pdf" and not _is_web_page(head):
        return Sniffed("pdf")  # without its first line: MuPDF may find pages all the same
    if suffix in _BINARY_NAMES:
        raise _misnamed(path.name, _BINARY_NAMES[suffix], head)
    return Sniffed("text")


def _is_web_page(head: bytes) -> bool:
    start = head[:1024].lower()
    return b"<html" in start or b"<!doctype html" in start


def _misnamed(name: str, expected: str, head: bytes) -> DocumentFault:
    if _is_web_page(head):
        return DocumentFault(
            "damaged",
            f"{name} is named like {expected} but holds a web page, often an error page of the "
            "site it came from; download it again.",
        )
    return damaged(name, f"it does not begin like {expected}")


def _zip(path: Path) -> Sniffed:
    """Office documents are ZIP archives; their parts tell which."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            stated = archive.read("mimetype")[:200] if "mimetype" in names else b""
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError) as error:
        raise damaged(path.name, str(error)) from error
    if any(name.startswith("ppt/") for name in names):
        return Sniffed("slides", "pptx")
    if b"opendocument.presentation" in stated:
        return Sniffed("slides", "odp")
    raise unsupported(path.name, _archive(names, stated), _AS_PDF)


_AS_PDF = "save it as a PDF and give that"


def _archive(names: set[str], stated: bytes) -> str:
    if any(name.startswith("word/") for name in names) or b"opendocument.text" in stated:
        return "a text document of an office program"
    if any(name.startswith("xl/") for name in names) or b"opendocument.spreadsheet" in stated:
        return "a spreadsheet"
    if b"epub" in stated:
        return "an e-book"
    return "a ZIP archive; unpack it, or if it is a document"
