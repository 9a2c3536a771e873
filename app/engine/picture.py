"""The kind and size of an encoded picture, read from its first bytes without decoding it.

Sources: PNG §11.2.2 (IHDR), GIF89a §18, the WebP container specification, JPEG T.81 annex B.
"""

from __future__ import annotations

import struct

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 … SOF15


def measure(image: bytes) -> tuple[str, int, int]:
    """Media type, width and height in pixels; an empty type for what is no picture we know, a
    size of 0 for one whose head is damaged."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return ("image/png", *_unpack(">II", image, 16))
    if image.startswith((b"GIF87a", b"GIF89a")):
        return ("image/gif", *_unpack("<HH", image, 6))
    if image.startswith(b"\xff\xd8\xff"):
        return ("image/jpeg", *_jpeg(image))
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return ("image/webp", *_webp(image))
    return ("", 0, 0)


def _unpack(form: str, image: bytes, offset: int) -> tuple[int, int]:
    if len(image) < offset + struct.calcsize(form):
        return (0, 0)
    width, height = struct.unpack_from(form, image, offset)
    return (width, height)


def _jpeg(image: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(image) and image[at] == 0xFF:
        marker = image[at + 1]
        if marker in _JPEG_FRAMES:
            height, width = _unpack(">HH", image, at + 5)
            return (width, height)
        at += _jpeg_step(marker, int.from_bytes(image[at + 2 : at + 4], "big"))
    return (0, 0)


def _jpeg_step(marker: int, length: int) -> int:
    if marker == 0xFF:  # a fill byte before a marker
        return 1
    bare = marker == 0x01 or 0xD0 <= marker <= 0xD8  # TEM, RSTn and SOI carry no length
    return 2 if bare else 2 + length


def _webp(image: bytes) -> tuple[int, int]:
    kind = image[12:16]
    if kind == b"VP8X" and len(image) >= 30:
        return (
            1 + int.from_bytes(image[24:27], "little"),
            1 + int.from_bytes(image[27:30], "little"),
        )
    if kind == b"VP8L" and len(image) >= 25:
        bits = int.from_bytes(image[21:25], "little")
        return (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    width, height = _unpack("<HH", image, 26)
    return (width & 0x3FFF, height & 0x3FFF)
