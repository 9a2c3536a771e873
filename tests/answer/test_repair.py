"""The repair of markdown that is still being written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.answer.repair import polish, repair

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "markdown.json"
UNFINISHED = "(sightline:unfinished)"
NO_WIDTH = "\u200b"

MARKS = "* ** *** _ __ ~ ~~ ` `` ``` [ ] ( ) ![ < > | - + # = $ $$ a b 1. word 字 ："
pieces = st.sampled_from(
    [
        *re.split(" ", MARKS),
        "\\",
        "\n",
        "\n\n",
        "- ",
        "> ",
        "    ",
        "| a |\n|---|\n",
        "<b>",
        "](u)",
        " ",
    ]
)
texts = st.lists(pieces, max_size=24).map("".join)


def render(text: str) -> str:
    return MarkdownIt("commonmark").enable(["strikethrough", "table"]).render(text)


@given(texts)
def test_finished_text_is_never_touched(text: str) -> None:
    assert repair(text) == text


@given(texts)
def test_any_prefix_can_be_shown(text: str) -> None:
    assert render(repair(text, final=False)) is not None


@given(st.lists(st.sampled_from(["plain", "words", "1", ".", ",", "x-y", "a_b", " "])).map("".join))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert repair(text, final=False) == text


@given(st.sampled_from(["**", "__", "*", "_", "~~", "`", "``", "$$"]), st.integers(1, 12))
def test_what_is_open_is_closed_whatever_is_cut_off(mark: str, cut: int) -> None:
    text = f"Say {mark}some words{mark}"
    head = text[: 4 + len(mark) + min(cut, 4)]
    assert repair(head, final=False) == head + mark


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("**bold*", "**bold**"),
        ("***both*", "***both***"),
        ("**bold *both", "**bold *both***"),
        ("**bold `code", "**bold `code`**"),
        ("~~gone~", "~~gone~~"),
        ("```python code``", "```python code```"),
        ("**bold ", "**bold** "),
        ("**bold *", "**bold**"),
        ("**bold\\", "**bold**"),
        ("[text", f"[text]{UNFINISHED}"),
        ("**a [text](htt", f"**a [text]{UNFINISHED}**"),
        ("[**text", f"[**text**]{UNFINISHED}"),
        ("see ![pict", "see"),
        ("see <div cla", "see"),
        ("- [x", "- "),
        ("$$\nx_1", "$$\nx_1\n$$"),
        ("| a |\n|---|\n| **b |", "| a |\n|---|\n| **b** |"),
        ("para\n-", f"para\n-{NO_WIDTH}"),
        ("- > 25: rich", "- \\> 25: rich"),
        ("20~25", "20\\~25"),
    ],
)
def test_what_is_open_at_the_end_is_closed_or_left_out(text: str, mended: str) -> None:
    assert repair(text, final=False) == mended


@pytest.mark.parametrize(
    "text",
    [
        "text*",
        "ends with **",
        "***",
        "- *",
        "2*3 and 2**3",
        "a * b",
        "snake_case_name",
        "x *y*z w",
        "\\*not",
        "`*code`",
        "```\n**x",
        "- a\n  ```\n  *x",
        "    indented **x",
        "[^1",
        "costs $5",
        "a < b",
        "if i <n and so on it goes",
        "**a\n\nb",
        "`20~25`",
        "http://x.org/~me/a~b",
    ],
)
def test_what_is_meant_literally_stays(text: str) -> None:
    assert repair(text, final=False) == text


def test_polish_lets_chinese_bold_be_seen() -> None:
    assert "<strong>名称：</strong>" in render(polish("**名称：**值"))
    assert polish("`**名称：**值`") == "`**名称：**值`"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
def test_the_strict_samples_render_as_expected() -> None:
    for vector in json.loads(SAMPLES.read_text())["vectors"]:
        if vector["strict"]:
            mended = repair(vector["input"], final=False).replace(NO_WIDTH, "")
            assert render(mended) == vector["expected_html"], vector["id"]
