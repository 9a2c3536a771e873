"""Pictures → the patches that the vision tower reads: sizes, resizing, colours, order of patches.
Knows no tokens and no files.

Equal to transformers' Glm4vImageProcessorPil and Glm46VImageProcessorPil: to the last bit, on the
CPU through Pillow and elsewhere through Pillow's own arithmetic done with tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from PIL import Image

from app.engine.local.glm.look import Look
from app.engine.local.glm.picture import Pixels, Size
from app.engine.local.glm.prompt import Sight
from app.engine.local.glm.sending import pixels_of
from app.engine.local.ranks.group import ALONE
from app.vocabulary import EndpointFault

LONGEST = 200  # how many times its shorter side a picture's longer side may be
_BITS = 22  # of a weight behind the point (Pillow, Resample.c: 32 bits less 8 less 2)
_AT_ONCE = 1 << 24  # numbers in one temporary tensor, 64 MB


def smart_size(height: int, width: int, *, frames: int, factor: int, least: int, most: int) -> Size:
    """The size that a picture or a video of so many frames is resized to: multiples of `factor`
    that keep its shape and hold `least` to `most` pixels over all its frames.

    The family's `smart_resize` (transformers, image_processing_glm4v.py) with its ways: frames
    count in pairs, a single picture's too; a side under `factor` scales the whole up to it. Raises
    ValueError where one side is more than 200 times the other.
    """
    if height < factor or width < factor:
        scale = max(factor / height, factor / width)
        height, width = int(height * scale), int(width * scale)
    if max(height, width) / min(height, width) > LONGEST:
        raise ValueError(f"{height} x {width} pixels")
    high, wide = round(height / factor) * factor, round(width / factor) * factor
    volume = round(frames / 2) * 2 * high * wide
    if volume > most:
        shrink = math.sqrt(frames * height * width / most)
        high = max(factor, math.floor(height / shrink / factor) * factor)
        wide = max(factor, math.floor(width / shrink / factor) * factor)
    elif volume < least:
        grow = math.sqrt(least / (frames * height * width))
        high = math.ceil(height * grow / factor) * factor
        wide = math.ceil(width * grow / factor) * factor
    return high, wide


def fitted(size: Size, look: Look, name: str) -> Size:
    """What a single picture of `size` is resized to. Raises EndpointFault("bad_request")."""
    return _fitted(size, look.temporal, look, (look.least, look.most), name=name)


def fitted_film(size: Size, frames: int, look: Look, name: str) -> Size:
    """What each of a video's frames is resized to. Raises EndpointFault("bad_request")."""
    budget = (look.filming.least, look.filming.most)
    return _fitted(size, max(frames, look.temporal), look, budget, name=name)


def _fitted(size: Size, frames: int, look: Look, budget: tuple[int, int], *, name: str) -> Size:
    least, most = budget
    try:
        return smart_size(*size, frames=frames, factor=look.factor, least=least, most=most)
    except ValueError as error:
        message = (
            f"{name} is {size[1]} × {size[0]} pixels: one side is more than {LONGEST} times "
            "the other, which the model can't see; cut it into parts."
        )
        raise EndpointFault("bad_request", message) from error


# --- patches --------------------------------------------------------------------------------


def patches(
    sight: Sight,
    look: Look,
    device: torch.device | str,
    *,
    pixels: Sequence[torch.Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """What the vision tower reads of a sight: [h*w, C*temporal*patch*patch] on `device`,
    normalised, in the family's order: four that merge into one token stand together.

    `pixels`, uint8 [H, W, 3] on `device`, are those of its frames where they are there already.
    Raises EndpointFault("bad_request") where a picture that has to be decoded again can't be.
    """
    if pixels is None:
        pixels = pixels_of(sight.frames, torch.device(device), ALONE)
    shown = zip(pixels, sight.frames, strict=True)
    frames = [_normal(_sized(there, frame.size), look, dtype) for there, frame in shown]
    frames += frames[-1:] * (look.temporal - len(frames))
    film = torch.stack(frames)  # [tp, C, H, W]
    _, high, wide = sight.grid
    m, p = look.merge, look.patch
    film = film.view(look.temporal, 3, high // m, m, p, wide // m, m, p)
    return film.permute(2, 5, 3, 6, 1, 0, 4, 7).reshape(high * wide, -1)


def _sized(pixels: torch.Tensor, size: Size) -> torch.Tensor:
    """uint8 [H, W, 3] → [C, *size]"""
    if pixels.device.type == "cpu":
        pixels = torch.from_numpy(_by_pillow(pixels.numpy(), size))
    coloured = pixels.permute(2, 0, 1)
    return coloured if coloured.shape[1:] == size else resized(coloured, size)


def _by_pillow(pixels: Pixels, size: Size) -> Pixels:
    height, width = size
    if pixels.shape[:2] == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def _normal(pixels: torch.Tensor, look: Look, dtype: torch.dtype) -> torch.Tensor:
    """uint8 [C, H, W] → numbers, by a table: each byte's value has the roundings in the places
    where transformers has them, on any device."""
    scaled = (torch.arange(256, dtype=torch.float64) * look.rescale).to(torch.float32)
    mean, std = torch.tensor(look.mean), torch.tensor(look.std)
    table = ((scaled - mean[:, None]) / std[:, None]).to(pixels.device, dtype)  # [C, 256]
    found = [row[plane.to(torch.int32)] for row, plane in zip(table, pixels, strict=True)]
    return torch.stack(found)


# --- Pillow's resizing, with tensors ----------------------------------------------------------


def resized(pixels: torch.Tensor, size: Size) -> torch.Tensor:
    """uint8 [C, H, W] → uint8 [C, *size], to the bit what Pillow's bicubic `resize` gives.

    Pillow's Resample.c: one side after the other, each in whole numbers and clipped to 8 bits.
    """
    height, width = size
    shorter, narrower = pixels.shape[1] - height, pixels.shape[2] - width
    if shorter > max(0, 2 * narrower) and _swaps():
        return _along(_upended(pixels, height), width)
    return _upended(_along(pixels, width), height)


@cache
def _swaps() -> bool:
    """Whether this Pillow begins with the height where that shrinks more than twice as much as the
    width. 13.0 does, older ones always begin with the width: asked of it, not of its version."""
    pixels = (np.arange(40 * 10 * 3) * 7919 % 251).astype(np.uint8).reshape(40, 10, 3)
    height_first = _along(_upended(torch.from_numpy(pixels).permute(2, 0, 1), 8), 12)
    return bool(np.array_equal(_by_pillow(pixels, (8, 12)), height_first.permute(1, 2, 0).numpy()))


def _upended(pixels: torch.Tensor, height: int) -> torch.Tensor:
    return _along(pixels.transpose(1, 2), height).transpose(1, 2)


def _along(pixels: torch.Tensor, length: int) -> torch.Tensor:
    """Resize the last side of uint8 [C, H, W]; in strips, so that a large picture takes little
    beside itself."""
    if pixels.shape[2] == length:
        return pixels
    firsts, weights = _taps(pixels.shape[2], length)
    first = torch.from_numpy(firsts).to(pixels.device)  # [length]
    weight = torch.from_numpy(weights).to(pixels.device)  # [taps, length]
    rows = max(1, _AT_ONCE // (pixels.shape[0] * length))
    strips = [_strip(strip, first, weight) for strip in torch.split(pixels, rows, dim=1)]
    return torch.cat(strips, dim=1)


def _strip(pixels: torch.Tensor, first: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted sums over neighbours. Whole numbers, hence exact in any order and on any device."""
    last = pixels.shape[2] - 1
    total = torch.full(
        (*pixels.shape[:2], len(first)), 1 << (_BITS - 1), dtype=torch.int32, device=pixels.device
    )
    for tap, weight in enumerate(weights):
        place = (first + tap).clamp(max=last)  # behind the last one all weights are zero
        total += pixels.index_select(2, place).to(torch.int32) * weight
    return (total >> _BITS).clamp(0, 255).to(torch.uint8)


def _taps(length: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """For each new pixel its first old one, int64 [wanted], and the weights of that and those
    behind it, int32 [taps, wanted] with 22 bits behind the point (Resample.c, precompute_coeffs and
    normalize_coeffs_8bpc)."""
    scale = length / wanted
    stretch = max(scale, 1.0)
    support = 2.0 * stretch
    centre = (np.arange(wanted) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    behind = np.minimum((centre + support + 0.5).astype(np.int64), length)
    tap = np.arange(math.ceil(support) * 2 + 1)[:, None]
    weights = _bicubic((tap + first - centre + 0.5) * (1.0 / stretch))
    weights[tap >= behind - first] = 0.0
    weights /= np.cumsum(weights, axis=0)[-1]  # added up one by one, as there
    rounded = np.where(weights < 0, -0.5, 0.5) + weights * (1 << _BITS)
    return first, rounded.astype(np.int32)


def _bicubic(x: np.ndarray) -> np.ndarray:
    """Pillow's cubic (a = -0.5)."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * -0.5
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
