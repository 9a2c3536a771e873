"""What the benchmarks feed: text that looks like a model's answer, and the project's samples."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

PARTS = (
    "## Step {n}: what the page says\n\nThe **total due** stands at the bottom of page {n}; it is "
    "the sum of the lines above, less the discount of `7 %` that the [terms](https://example.com) "
    "allow. See also *note {n}*.\n\n",
    "- first item of list {n}\n- second item, with `code` and **weight**\n  - nested, {n} deep\n"
    "- third item\n\n",
    "```python\ndef total_{n}(lines: list[float], discount: float = 0.07) -> float:\n"
    '    """The sum of the lines, less the discount."""\n    subtotal = sum(lines)  # {n}\n'
    "    return round(subtotal * (1 - discount), 2)\n```\n\n",
    "| item | quantity | price |\n|:-----|:--------:|------:|\n| lamp {n} | 2 | 49.90 |\n"
    "| cable | 14 | 3.20 |\n| lens | 1 | 211.41 |\n\n",
    "第 {n} 页写明了应付总额，并且列出了每一项的数量与单价。请在四月三十日之前付款。\n\n",
    "> A quotation of line {n}, over\n> two lines.\n\n1. read the page\n2. add the lines\n\n",
)


def answer_text(size: int) -> str:
    """Markdown of exactly `size` characters: prose, lists, code, tables and Chinese, the same
    every time."""
    pieces: list[str] = []
    length = 0
    for n, part in enumerate(cycle(PARTS), 1):
        piece = part.format(n=n)
        pieces.append(piece)
        length += len(piece)
        if length >= size:
            break
    return "".join(pieces)[:size]


def samples() -> Path:
    """The folder of sample files in the checkout."""
    return Path(__file__).resolve().parent.parent.parent / "assets" / "samples"
