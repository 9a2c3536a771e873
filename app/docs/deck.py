"""The outline of an Office Open XML presentation: how many slides, which are hidden, its title.

Reads a few parts of the archive and draws nothing. Part names as in ECMA-376 part 1, § 13.3.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from app.docs.faults import damaged
from app.vocabulary import DocumentFault

_LARGEST_PART = 64 << 20  # bytes, of an XML part unpacked
_LARGEST_DECK = 4 << 30  # bytes, of all parts unpacked: beyond this it is a ZIP bomb
_MAIN = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/presentationml/main}"
_RELATION = re.compile(r"\{[^}]*relationships\}id\Z")
_HIDDEN = re.compile(rb"<(?:\w+:)?sld\b[^>]*\bshow\s*=\s*[\"'](?:0|false)[\"']")


@dataclass(frozen=True, slots=True)
class Outline:
    """`hidden` holds slide numbers from 1."""

    slides: int
    hidden: tuple[int, ...]
    title: str


def outline(path: Path, name: str) -> Outline:
    """DocumentFault `damaged`, `too_large`, or `empty` for a deck without slides."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, name)
            parts = _slide_parts(archive)
            hidden = tuple(n for n, part in enumerate(parts, 1) if _is_hidden(archive, part))
            title = _title(archive)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise damaged(name, f"{type(error).__name__}: {error}") from error
    except (ElementTree.ParseError, NotImplementedError, EOFError) as error:
        raise damaged(name, str(error)) from error
    if not parts:
        raise DocumentFault("empty", f"{name} has no slides; add one and save it again.")
    return Outline(len(parts), hidden, title)


def _check_size(archive: zipfile.ZipFile, name: str) -> None:
    if sum(part.file_size for part in archive.infolist()) > _LARGEST_DECK:
        raise DocumentFault(
            "too_large",
            f"{name} unpacks to more than {_LARGEST_DECK >> 30} GB; save its slides as a PDF.",
        )


def _slide_parts(archive: zipfile.ZipFile) -> list[str]:
    """The slides' part names in show order."""
    main = _main_part(archive)
    root = ElementTree.fromstring(_part(archive, main))
    ids = [
        value
        for space in (_MAIN, _STRICT)
        for slide in root.iterfind(f"{space}sldIdLst/{space}sldId")
        for key, value in slide.attrib.items()
        if _RELATION.search(key)
    ]
    if not ids:
        return []
    folder, name = posixpath.split(main)
    targets = _targets(archive, f"{folder}/_rels/{name}.rels", folder)
    return [targets.get(one, ("", ""))[1] for one in ids]


def _main_part(archive: zipfile.ZipFile) -> str:
    """Nearly always ppt/presentation.xml, but only the package's relations say so."""
    try:
        related = _targets(archive, "_rels/.rels", "")
    except (KeyError, ElementTree.ParseError):
        related = {}
    stated = (part for kind, part in related.values() if kind.endswith("/officeDocument"))
    return next(stated, "ppt/presentation.xml")


def _targets(archive: zipfile.ZipFile, rels: str, folder: str) -> dict[str, tuple[str, str]]:
    """The kind and the part of each relation, by its id."""
    return {
        one.get("Id", ""): (
            one.get("Type", ""),
            posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/"),
        )
        for one in ElementTree.fromstring(_part(archive, rels))
    }


def _is_hidden(archive: zipfile.ZipFile, part: str) -> bool:
    try:
        with archive.open(part) as file:
            return _HIDDEN.search(file.read(8192)) is not None
    except (KeyError, zipfile.BadZipFile, OSError):
        return False  # a missing slide is the renderer's to complain about


def _title(archive: zipfile.ZipFile) -> str:
    try:
        root = ElementTree.fromstring(_part(archive, "docProps/core.xml"))
    except (KeyError, ElementTree.ParseError):
        return ""
    return (root.findtext("{http://purl.org/dc/elements/1.1/}title") or "").strip()


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(_LARGEST_PART + 1)
    if len(data) > _LARGEST_PART:
        raise ValueError(f"{name} unpacks to more than {_LARGEST_PART >> 20} MB")
    return data
