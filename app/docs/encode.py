"""Turns a drawn page or a picture into the bytes that are shown and sent: PNG or JPEG."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageChops

QUALITY = 85
PHOTO_QUALITY = 90
_PNG_LARGE = 200 << 10  # bytes; beyond this it is worth a look at what JPEG makes of it
_PNG_MOST = 1 << 20  # bytes; beyond this JPEG's artefacts cost less than the wait
_COLOURS = 2048  # a drawing has fewer in a sixteenth of its pixels, a photograph more


@dataclass(frozen=True, slots=True)
class Encoded:
    image: bytes = field(repr=False)
    media_type: str
    width: int
    height: int


def encode(picture: Image.Image, quality: int = QUALITY) -> Encoded:
    """An RGB or grey picture as PNG where it is drawn, as JPEG where it is photographed."""
    picture = _without_colour(picture)
    if photographic(picture):
        return _jpeg(picture, quality)
    data = _bytes(picture, "PNG", compress_level=3)
    if len(data) > _PNG_LARGE:  # dense type, or a scan in grey, which has few colours too
        other = _jpeg(picture, quality)
        if len(data) > _PNG_MOST or len(other.image) * 2 < len(data):
            return other
    return Encoded(data, "image/png", *picture.size)


def _without_colour(picture: Image.Image) -> Image.Image:
    """A page in black on white has three bands alike: one of them takes half the bytes and time."""
    if picture.mode != "RGB":
        return picture
    red, green, blue = picture.split()
    alike = (ImageChops.difference(red, other).getbbox() is None for other in (green, blue))
    return red if all(alike) else picture


def _jpeg(picture: Image.Image, quality: int) -> Encoded:
    return Encoded(_bytes(picture, "JPEG", quality=quality), "image/jpeg", *picture.size)


def encode_photo(picture: Image.Image) -> Encoded:
    return _jpeg(picture, QUALITY)


def photographic(picture: Image.Image) -> bool:
    width, height = picture.size
    small = picture.resize(
        (max(1, width // 4), max(1, height // 4)), resample=Image.Resampling.NEAREST
    )
    return small.getcolors(_COLOURS) is None


def uniform(picture: Image.Image) -> bool:
    """Whether it is one colour all over: an empty page."""
    extremes = picture.convert("RGB").getextrema()
    return all(isinstance(band, tuple) and band[1] - band[0] <= 4 for band in extremes)


def _bytes(picture: Image.Image, form: str, **options: int) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
