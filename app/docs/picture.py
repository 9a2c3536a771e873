"""Reads pictures: orientation, transparency, colour, depth, several pages; knows no window.

The bytes of a PNG or JPEG that needs no change and carries no metadata are passed on as they are.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import cast

from PIL import Image, ImageFile, ImageOps

from app.docs.budget import PICTURE_SIDE, fit
from app.docs.encode import PHOTO_QUALITY, Encoded, encode, uniform
from app.docs.faults import damaged
from app.docs.request import Limits, Opened, Page, Remark, Request, Told
from app.docs.selection import bounded, select
from app.vocabulary import DocumentFault, Frame, Source

RENDERER = "Pillow"
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error)  # all Pillow's
_PASSED_ON = 4 << 20  # bytes
_PLAIN = {"PNG": ("RGB", "L", "P", "1"), "JPEG": ("RGB", "L")}
_PRIVATE = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif", "photoshop", "comment")


def read(request: Request, limits: Limits) -> Iterator[Told]:
    """One frame a page of a TIFF, else the picture, an animation's first frame."""
    name = request.path.name
    with _open(request.path, limits) as picture:
        paged = picture.format == "TIFF"
        count = int(getattr(picture, "n_frames", 1))
        total = count if paged else 1
        numbers, left_out = bounded(select(request.pages, total, request.after), request.max_frames)
        yield Opened("picture", total, request.path.stem, RENDERER)
        if left_out:
            yield Remark(left_out)
        if count > 1 and picture.format in ("GIF", "WEBP", "PNG", "AVIF"):
            yield Remark(f"{name} is an animation of {count} frames; the first one is shown.")
        for number in numbers:
            yield Page(number)
            yield from _frame(picture, request, number if paged else None)


def _open(path: Path, limits: Limits) -> Image.Image:
    # the limit on pixels is ours and gives a sentence; Pillow's gives a warning or an error
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata that is not used
            picture = Image.open(path)
    except _BROKEN as error:
        raise damaged(path.name, str(error)) from error
    width, height = picture.size
    if width * height > limits.pixels:
        picture.close()
        raise DocumentFault(
            "too_large",
            f"{path.name} has {width} × {height} pixels, more than can be read safely; "
            f"scale it down to {limits.pixels // 1_000_000} megapixels or fewer.",
        )
    return picture


def _frame(picture: Image.Image, request: Request, page: int | None) -> Iterator[Told]:
    if page is not None:
        try:
            picture.seek(page - 1)
        except _BROKEN as error:
            yield Remark(f"Page {page} of {request.path.name} is damaged and was left out: {error}")
            return
    side = request.max_side or PICTURE_SIDE
    if picture.format == "JPEG":
        picture.draft(None, (side, side))  # decodes at 1/2, 1/4 or 1/8 where that is enough
    whole = _load(picture, request.path.name)
    if not whole:
        yield Remark(f"{request.path.name} is damaged; the part that could be read is shown.")
    encoded = _as_it_is(picture, request.path, side) if whole else None
    if encoded is None:
        encoded = encode(_bounded(_upright(picture), side), PHOTO_QUALITY)
    source = Source("picture", request.path.name, page=page)
    yield Frame(encoded.image, encoded.media_type, encoded.width, encoded.height, source)


def _load(picture: Image.Image, name: str) -> bool:
    """Decodes the pixels; False where only a part could be, which is kept if it shows anything."""
    try:
        picture.load()
    except _BROKEN as error:
        if not _rescued(picture):
            raise damaged(name, str(error)) from error
        return False
    return True


def _rescued(picture: Image.Image) -> bool:
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        picture.load()
        return not uniform(picture)
    except _BROKEN:
        return False
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _as_it_is(picture: Image.Image, path: Path, side: int) -> Encoded | None:
    """The file's own bytes, where nothing has to change; a photograph's place and date of
    taking never travel, so metadata counts as a change."""
    plain = picture.mode in _PLAIN.get(picture.format or "", ())
    private = "transparency" in picture.info or any(key in picture.info for key in _PRIVATE)
    still = int(getattr(picture, "n_frames", 1)) == 1
    if not plain or private or not still or max(picture.size) > side:
        return None
    data = path.read_bytes()
    if len(data) > _PASSED_ON or picture.size != _size_in(data):
        return None
    media = "image/png" if picture.format == "PNG" else "image/jpeg"
    return Encoded(data, media, *picture.size)


def _size_in(data: bytes) -> tuple[int, int]:
    """`draft` may have made the decoded picture smaller than the file's."""
    with Image.open(BytesIO(data)) as again:
        return again.size


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF says, in 8 bits of RGB or grey, transparency on white."""
    with suppress(*_BROKEN):  # a broken EXIF block says nothing about which way is up
        picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("RGB", "L"):
        return picture if "transparency" not in picture.info else _on_white(picture)
    if picture.mode.startswith(("I", "F")):
        return _eight_bits(picture)
    if picture.has_transparency_data:
        return _on_white(picture)
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(paper, picture).convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    wide = picture.convert("F")
    low, high = cast("tuple[float, float]", wide.getextrema())
    top = next((top for top in (255.0, 4095.0, 65535.0) if low >= 0 and high <= top), None)
    if top is None:  # no usual depth: stretch what there is
        return wide.point(lambda value: value * (255 / max(high - low, 1e-9)) + 0).convert("L")
    return wide.point(lambda value: value * (255 / top) + 0).convert("L")


def _bounded(picture: Image.Image, side: int) -> Image.Image:
    size = fit(*picture.size, side)
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
