"""Raw pixels as a Qt image and as a PNG, and back; knows no screen.

Qt's writer at compression 1 takes a tenth of the time of its usual one and makes a file a fifth
larger; no pixel is copied on the way to the image.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication, QImage, QImageReader, QImageWriter

from app.capture.shot import Shot, clip
from app.vocabulary import CaptureFault, Frame, Region, Source

P = ParamSpec("P")
T = TypeVar("T")

_FAST = 11  # QImageWriter counts to 100 where zlib counts to 9


def as_image(shot: Shot) -> QImage:
    """The shot's own memory as a picture; PySide keeps the memory as long as the picture."""
    return QImage(shot.pixels, shot.width, shot.height, shot.stride, QImage.Format.Format_RGB32)


def to_frame(shot: Shot, crop: Region | None = None) -> Frame:
    """The shot, or the part of it at `crop` (which counts from the shot's own corner), as PNG:
    40 ms for 1920 x 1080, so not on the thread that draws. Raises CaptureFault."""
    part = clip(crop or Region(0, 0, shot.width, shot.height), shot.width, shot.height)
    image = as_image(shot)
    if crop is not None:
        image = image.copy(part.x, part.y, part.width, part.height)
    place = Region(shot.region.x + part.x, shot.region.y + part.y, part.width, part.height)
    return Frame(
        image=_png(image),
        media_type="image/png",
        width=part.width,
        height=part.height,
        source=Source("screen", shot.name, region=place, scale=shot.scale),
    )


def to_shot(image: QImage, name: str, *, x: int = 0, y: int = 0, scale: float = 1.0) -> Shot:
    """A picture as raw pixels."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    return Shot(
        pixels=bytes(plain.constBits()),
        width=plain.width(),
        height=plain.height(),
        stride=plain.bytesPerLine(),
        region=Region(x, y, plain.width(), plain.height()),
        scale=scale,
        name=name,
    )


def decode(data: bytes, name: str) -> Shot:
    """A picture file as raw pixels. Raises CaptureFault."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    # QImage.fromData would hold all of Python up while it reads: 0.1 s for a large screen
    image = QImageReader(buffer).read()
    if image.isNull():
        raise CaptureFault("capture_failed", "The desktop handed over a file that is no picture.")
    return to_shot(image, name)


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work` off the thread that draws. Where nothing draws it runs at once: without an
    application Qt's plugins belong to the thread that first used them."""
    if QGuiApplication.instance() is None:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def _png(image: QImage) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    writer.setCompression(_FAST)
    if not writer.write(image):
        raise CaptureFault(
            "capture_failed", "The picture of the screen can't be encoded.", writer.errorString()
        )
    buffer.close()
    return bytes(data.data())
