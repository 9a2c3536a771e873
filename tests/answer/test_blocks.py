"""The cut of a streaming answer into blocks."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.answer.blocks import Blocks, Cut

pieces = st.sampled_from(
    [
        "Some **bold** words.\n",
        "words without end",
        "\n",
        "\n\n",
        "# Heading\n",
        "---\n",
        "***\n",
        "- item\n",
        "  - nested\n",
        "2. second\n",
        "1. first\n",
        "   deep\n",
        "\n  paragraph of an item\n",
        "> quote\n",
        "```py\nx = 1\n\n# no heading\n```\n",
        "```\n",
        "  ```\n  y\n  ```\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "\n    indented\n",
        "===\n",
        "**open",
        "`",
    ]
)
texts = st.lists(pieces, max_size=14).map("".join)


def run(text: str, cuts: list[int]) -> tuple[list[str], list[Cut]]:
    blocks, at = Blocks(), 0
    seen: list[Cut] = []
    for cut in [*cuts, len(text)]:
        seen.append(blocks.feed(text[at : at + cut]))
        at += cut
    seen.append(blocks.close())
    return [piece for cut in seen for piece in cut.settled], seen


def render(text: str) -> str:
    parser = MarkdownIt("commonmark").enable(["strikethrough", "table"])
    html = parser.render(text.rstrip("\n") + "\n")
    return re.sub(r"\n+</code>", "</code>", html)  # blank lines at the end of an unclosed fence


@given(texts, st.lists(st.integers(1, 9), max_size=60))
def test_any_chunking_settles_the_same_blocks(text: str, cuts: list[int]) -> None:
    assert run(text, cuts)[0] == run(text, [])[0]


@given(texts)
def test_blocks_drawn_one_by_one_look_like_the_whole(text: str) -> None:
    assert "".join(render(piece) for piece in run(text, [])[0]) == render(text)


@given(texts, st.lists(st.integers(1, 9), max_size=60))
def test_a_growing_fence_is_its_parts_put_together(text: str, cuts: list[int]) -> None:
    shown = ""
    for cut in run(text, cuts)[1]:
        shown = cut.open if cut.grown is None else shown + cut.grown
        assert shown == cut.open


def test_the_open_block_can_be_shown_and_the_settled_ones_stay() -> None:
    blocks = Blocks()
    assert blocks.feed("One.\n\nTwo **bo") == Cut(("One.",), "Two **bo**")
    assert blocks.feed("ld**\n\n```py\nx") == Cut(("Two **bold**",), "```py\nx", "py")
    assert blocks.feed(" = 1\n``") == Cut((), "```py\nx = 1\n", "py", " = 1\n")
    assert blocks.feed("`\n") == Cut(("```py\nx = 1\n```",))
    assert blocks.close() == Cut()


def test_display_maths_is_one_block() -> None:
    assert run("$$\nx\n- y\n$$\nwhere x is y", [])[0] == ["$$\nx\n- y\n$$", "where x is y"]


def test_bare_html_comes_out_as_one_fenced_block() -> None:
    settled, _ = run("Look:\n<html>\n\n<p>x</p>\n</html>\nDone.", [])
    assert settled == ["Look:", "```html\n<html>\n\n<p>x</p>\n</html>\n```", "Done."]


def test_a_long_list_settles_between_items() -> None:
    text = "".join(f"{n}. item\n" for n in range(1, 101))
    settled, seen = run(text, [50] * 30)
    assert len(settled) == 3
    assert settled[1].startswith("41. item")
    assert all(len(cut.open) < 500 for cut in seen)


@pytest.mark.parametrize(
    "text",
    [
        "```py\n" + "def f(x):\n    return x  # why\n" * 1000,
        "# A\n\nSome **bold** `code` and [link](http://x).\n\n- a\n- b\n\n" * 500,
        "A sentence of *one* paragraph that **never** ends. " * 500,
        "| a | b |\n|---|---|\n" + "| **x** | `y` |\n" * 1500,
        "*a " * 2700,
    ],
    ids=["fence", "mixed", "paragraph", "table", "openers"],
)
def test_the_work_grows_with_the_length_only(text: str) -> None:
    def spent(length: int) -> float:
        start = time.process_time()
        run(text[:length], [8] * (length // 8))
        return time.process_time() - start

    spent(400)
    short, long = spent(2000), spent(8000)
    assert long < 4 * 2.5 * short + 0.05
