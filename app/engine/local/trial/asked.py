"""What both sides of a trial are asked: texts of a length in tokens, and a screenshot that is new
each time, so that nothing that was kept can answer."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

SCREEN = (1920, 1080)  # pixels
QUESTION = "What does this show? "
_FRAME = 21  # tokens that the template and the marks of bytes put around a text
_LINES = 34


def text(length: int, run: int) -> str:
    """A text of about `length` tokens in a vocabulary of bytes; no two runs begin alike."""
    words = f"run {run} " + "the quick brown fox jumps over the lazy dog " * (length // 44 + 1)
    return words[: length - _FRAME]


def screenshot(run: int) -> bytes:
    """A PNG of a screen full of text-like marks on windows of several colours."""
    random = np.random.default_rng(run)
    picture = Image.new("RGB", SCREEN, "#20242c")
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y = (int(random.integers(0, side - 200)) for side in SCREEN)
        colour = tuple(int(value) for value in random.integers(160, 256, 3))
        draw.rectangle((x, y, x + 700, y + 480), fill=colour)
        for line in range(_LINES):
            end = x + 20 + int(random.integers(100, 640))
            draw.text((x + 12, y + 8 + line * 13), "lorem ipsum " * 8, fill="#202020")
            draw.line((end, y + 12 + line * 13, end + 30, y + 12 + line * 13), fill="#406080")
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
