"""What both sides of a trial are asked: texts of a length in tokens, screenshots and pages that are
new each time, so that nothing that was kept can answer."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from app.engine.local.network import Prompt
from app.engine.request.turn import Turn
from app.vocabulary import Frame, Source

SCREEN = (1920, 1080)  # pixels
PAGE = (1600, 1200)  # one of ten
LEAF = (1064, 1400)  # one of thirty: 1,900 tokens
QUESTION = "What does this show? "
_FRAME = 5  # tokens that the template puts around a text
_BYTES, _WORDS = 256, 151329  # the tokenizer's bytes, and the words before the special tokens


def text(length: int, run: int) -> str:
    """A text of about `length` tokens in a vocabulary of bytes; no two runs begin alike."""
    words = f"run {run} " + "the quick brown fox jumps over the lazy dog " * (length // 44 + 1)
    return words[: length - _FRAME]


def spread(prompt: Prompt, run: int) -> Prompt:
    """The prompt with words of the whole vocabulary instead of its bytes: a text of few different
    words would meet few experts."""
    tokens, keys = (np.array(numbers) for numbers in (prompt.tokens, prompt.keys))
    plain = tokens < _BYTES
    words = np.random.default_rng(run).integers(0, _WORDS, int(plain.sum()))
    tokens[plain], keys[plain] = words, words
    return replace(prompt, tokens=tuple(tokens.tolist()), keys=tuple(keys.tolist()))


def seen(size: tuple[int, int], run: int) -> Frame:
    """A picture of that size, new each time, as a PNG."""
    return Frame(picture(size, run), "image/png", *size, Source("screen", ""))


def screenshot(run: int, length: int = 0) -> Turn:
    """A new screenshot with a question of about so many tokens."""
    question = text(length + _FRAME, run) if length else QUESTION
    return Turn("user", (seen(SCREEN, run), question))


def pages(count: int, size: tuple[int, int], run: int) -> Turn:
    first = 1000 * (run + 1)
    return Turn("user", (*(seen(size, first + page) for page in range(count)), QUESTION))


def going_on(turns: Sequence[Turn], run: int) -> tuple[Turn, ...]:
    """A conversation with an answer and the next question."""
    asked = Turn("user", (text(60, run),))
    return (*turns, Turn("assistant", ("Yes.",)), asked)


def picture(size: tuple[int, int], run: int) -> bytes:
    """A PNG full of text-like marks on windows of several colours."""
    random = np.random.default_rng(run)
    image = _screen(size).copy()
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = (int(random.integers(0, side - 60)) for side in size)
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        draw.rectangle((x, y, x + 50, y + 12), fill=colour)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


@cache
def _screen(size: tuple[int, int]) -> Image.Image:
    random = np.random.default_rng(0)
    image = Image.new("RGB", size, "#20242c")
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = (int(random.integers(0, side // 2)) for side in size)
        draw.rectangle((x, y, x + 700, y + 480), fill="#e8e8e0")
        for line in range(34):
            end = x + 20 + int(random.integers(100, 640))
            draw.text((x + 12, y + 8 + line * 13), "lorem ipsum dolor " * 6, fill="#202020")
            draw.line((end, y + 12 + line * 13, end + 30, y + 12 + line * 13), fill="#406080")
    return image
