"""An encoded picture → its size and its pixels, or a sentence about what is wrong with it. Knows
nothing of models."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from app.engine.picture import measure
from app.vocabulary import EndpointFault

Pixels: TypeAlias = npt.NDArray[np.uint8]  # [H, W, 3]
Size: TypeAlias = tuple[int, int]  # height, width

_THREADS = min(os.cpu_count() or 1, 16)
MOST_PIXELS = 80_000_000  # 240 MB decoded, and several times that on the way
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "PPM")  # PPM is how our own films come
_BROKEN = (  # all that Pillow raises over damaged files
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError),
    *(struct.error, zlib.error, AttributeError, Image.DecompressionBombError),
)


def measured(image: bytes, name: str) -> Size:
    """A picture's size by its head, before it is turned upright; `name` is what a sentence calls
    it ("Picture 2"). Raises EndpointFault("bad_request")."""
    if not image:
        raise _refusal(f"{name} is empty (0 bytes); attach it again.")
    media_type, width, height = measure(image)
    if not media_type:
        raise _refusal(f"{name} is neither PNG, JPEG, WebP nor GIF; convert it to one of these.")
    if not width or not height:
        raise _damaged(name)
    _bound(width, height, name)
    return height, width


def decoded(image: bytes, name: str) -> Pixels:
    """A picture's pixels, upright; an animation's first. Transparency is dropped, not blended.

    As transformers' `load_image`: turned as its EXIF says, then Pillow's `convert("RGB")`.
    Raises EndpointFault("bad_request").
    """
    return all_decoded([(image, name)])[0]


def all_decoded(images: Sequence[tuple[bytes, str]]) -> list[Pixels]:
    """The pixels of pictures with names, as `decoded`; several at once, since Pillow leaves the
    interpreter to others while it decodes. Raises what the first that can't be decoded raises."""
    with warnings.catch_warnings():  # here, for threads would put back each other's filters
        warnings.simplefilter("ignore")  # about metadata that is not used
        if len(images) == 1:
            return [_decoded(*images[0])]
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="decode") as pool:
            return list(pool.map(_decoded, *zip(*images, strict=True))) if images else []


def _decoded(image: bytes, name: str) -> Pixels:
    try:
        with Image.open(BytesIO(image), formats=_FORMATS) as picture:
            _bound(*picture.size, name)
            ImageOps.exif_transpose(picture, in_place=True)
            upright = picture if picture.mode == "RGB" else picture.convert("RGB")
            return np.array(upright)
    except MemoryError as error:
        message = f"{name} needs more memory than there is; make it smaller."
        raise _refusal(message) from error
    except _BROKEN as error:
        raise _damaged(name, f"{type(error).__name__}: {error}") from error


def _bound(width: int, height: int, name: str) -> None:
    if width * height > MOST_PIXELS:
        raise _refusal(
            f"{name} has {width} × {height} pixels, more than can be read safely; "
            f"scale it down to {MOST_PIXELS // 1_000_000} megapixels or fewer."
        )


def _damaged(name: str, detail: str = "") -> EndpointFault:
    return _refusal(f"{name} is damaged or cut short; attach it again.", detail)


def _refusal(message: str, detail: str = "") -> EndpointFault:
    return EndpointFault("bad_request", message, detail)
