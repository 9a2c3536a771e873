"""Pictures of one to four figures, and what stands in them. Knows no question and no model."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

COLOURS = {
    "red": (215, 35, 35),
    "green": (30, 155, 45),
    "blue": (35, 60, 215),
    "yellow": (240, 220, 30),
    "black": (15, 15, 15),
    "white": (245, 245, 245),
}
SHAPES = ("circle", "square", "triangle", "cross")
LEAST, MOST = 56, 168  # pixels of a side
_MARGIN = 5  # pixels between two figures, at least

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture of `width` x `height` pixels: figures of one colour and one shape on a ground.

    `boxes` are left, top, right, bottom in pixels. `seed` decides the ground and its shades.
    """

    width: int
    height: int
    colour: str
    shape: str
    boxes: tuple[Box, ...]
    seed: int

    @property
    def count(self) -> int:
        return len(self.boxes)

    def coloured(self, colour: str) -> Scene:
        """The same figures in another colour."""
        return replace(self, colour=colour)


def scene(rng: random.Random, count: int, size: tuple[int, int] | None = None) -> Scene:
    """A new scene of `count` figures, fewer where they find no room; `size` is (width, height)."""
    width, height = size or (rng.randint(LEAST, MOST), rng.randint(LEAST, MOST))
    return Scene(
        width,
        height,
        rng.choice(list(COLOURS)),
        rng.choice(SHAPES),
        _places(rng, count, width, height),
        rng.getrandbits(32),
    )


def picture(scene: Scene) -> Image.Image:
    """The scene, drawn."""
    rng = random.Random(scene.seed)
    image = _ground(rng, scene.width, scene.height)
    ink = _shade(rng, COLOURS[scene.colour], 12)
    pen = ImageDraw.Draw(image)
    for box in scene.boxes:
        _figure(pen, scene.shape, box, ink)
    return image


def ink(scene: Scene) -> Image.Image:
    """Where the figures are: white on black."""
    image = Image.new("RGB", (scene.width, scene.height))
    pen = ImageDraw.Draw(image)
    for box in scene.boxes:
        _figure(pen, scene.shape, box, (255, 255, 255))
    return image.convert("L")


def _places(rng: random.Random, count: int, width: int, height: int) -> tuple[Box, ...]:
    """Boxes that don't touch. One figure alone is large, several are smaller."""
    least = min(width, height)
    low, high = (0.45, 0.8) if count == 1 else (0.32, 0.45)
    found: list[Box] = []
    for _ in range(60):
        if len(found) == count:
            break
        side = max(20, round(least * rng.uniform(low, high)))
        left = rng.randint(1, width - side - 1)
        top = rng.randint(1, height - side - 1)
        box = (left, top, left + side, top + side)
        if not any(_touch(box, other) for other in found):
            found.append(box)
    return tuple(found)


def _touch(one: Box, other: Box) -> bool:
    apart = (
        one[2] + _MARGIN < other[0]
        or other[2] + _MARGIN < one[0]
        or one[3] + _MARGIN < other[1]
        or other[3] + _MARGIN < one[1]
    )
    return not apart


def _shade(rng: random.Random, colour: tuple[int, int, int], by: int) -> tuple[int, int, int]:
    red, green, blue = (max(0, min(255, part + rng.randint(-by, by))) for part in colour)
    return red, green, blue


def _ground(rng: random.Random, width: int, height: int) -> Image.Image:
    """A grey with a tint, plain or going over into another one from one side to the other."""
    level = rng.randint(85, 185)
    first = _shade(rng, (level, level, level), 20)
    if rng.random() < 0.5:
        return Image.new("RGB", (width, height), first)
    second = _shade(rng, first, 25)
    strip = Image.new("RGB", (2, 1))
    strip.putdata([first, second])
    if rng.random() < 0.5:
        strip = strip.transpose(Image.Transpose.ROTATE_90)
    return strip.resize((width, height), Image.Resampling.BILINEAR)


def _figure(pen: ImageDraw.ImageDraw, shape: str, box: Box, ink: tuple[int, int, int]) -> None:
    left, top, right, bottom = box
    side = right - left
    if shape == "circle":
        pen.ellipse((left, top, right - 1, bottom - 1), fill=ink)
    elif shape == "square":
        pen.rectangle((left, top, right - 1, bottom - 1), fill=ink)
    elif shape == "triangle":
        middle = (left + right) / 2
        pen.polygon(((middle, top), (right - 1, bottom - 1), (left, bottom - 1)), fill=ink)
    else:
        arm = max(4, side * 3 // 10)
        inner = (side - arm) // 2
        pen.rectangle((left, top + inner, right - 1, top + inner + arm - 1), fill=ink)
        pen.rectangle((left + inner, top, left + inner + arm - 1, bottom - 1), fill=ink)
