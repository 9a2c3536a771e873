"""Reads what was pasted or dropped into files, pictures and text; knows not what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")


@dataclass(frozen=True, slots=True)
class Given:
    """What came in. `picture` holds encoded bytes and their type where the giver had them so;
    `image` a picture that still has to be encoded, which is work for another thread. `refused`
    names what can't be taken."""

    files: tuple[Path, ...] = ()
    picture: tuple[bytes, str] | None = None
    image: QImage | None = None
    text: str = ""
    refused: tuple[str, ...] = ()


def takes(mime: QMimeData) -> bool:
    return mime.hasUrls() or mime.hasText() or mime.hasImage() or _encoded(mime) is not None


def read(mime: QMimeData) -> Given:
    """Files before text, text before pictures: a copied table offers a picture of itself too."""
    if mime.hasUrls():
        local = tuple(Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile())
        other = tuple(url.toString() for url in mime.urls() if not url.isLocalFile())
        if local or not mime.hasText():
            return Given(files=local, refused=other)
    if mime.hasText() and mime.text().strip():
        return Given(text=mime.text())
    found = _encoded(mime)
    if found is not None:
        return Given(picture=(bytes(mime.data(found).data()), found))
    if mime.hasImage():
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return Given(image=image)
    return Given()


def _encoded(mime: QMimeData) -> str | None:
    return next((kind for kind in PICTURES if kind in mime.formats()), None)
