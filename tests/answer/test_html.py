"""The fencing of bare, escaped and half-fenced HTML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.answer.html import Fencer, fence

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "html.json"
PAGE = "<!DOCTYPE html>\n<html>\n<body>\n<h1>Hi</h1>\n</body>\n</html>"
FENCED = f"```html\n{PAGE}\n```"

pieces = st.sampled_from(
    [
        PAGE,
        "<!DOCTYPE html>",
        "<html>",
        "</html>",
        "<body>",
        "</body>",
        '<div class="a">',
        "</div>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "&lt;html&gt;",
        "&lt;/html&gt;",
        "\\n",
        '\\"',
        '"',
        "```",
        "```html",
        "html",
        "'''html",
        "\n",
        "\n\n",
        " ",
        "    ",
        "- ",
        "Some words.",
        "x < 5",
        "<b>",
        "{",
        "<svg>",
        "</svg>",
        "<p>a</p>",
    ]
)
texts = st.lists(pieces, max_size=12).map("".join)


@given(texts, st.lists(st.integers(1, 9), max_size=60))
def test_any_chunking_gives_the_same_text(text: str, cuts: list[int]) -> None:
    fencer, out, at = Fencer(), "", 0
    for cut in cuts:
        out += fencer.feed(text[at : at + cut])
        at += cut
    assert out + fencer.feed(text[at:]) + fencer.close() == fence(text)


@given(st.lists(st.sampled_from(["words", "\n", " ", "<b>", "</b>", "`<div>`", "List<T>", "1. "])))
def test_prose_passes_as_it_is(words: list[str]) -> None:
    text = " ".join(words)
    assert fence(text) == text


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        (PAGE, FENCED),
        (f"Here:\n{PAGE}\nEnjoy!", f"Here:\n{FENCED}\nEnjoy!"),
        (f"Sure: {PAGE} Done.", f"Sure: \n{FENCED}\nDone."),
        (PAGE.replace("\n", "\\n"), FENCED),
        ('"' + PAGE.replace("\n", "\\n") + '"', FENCED),
        (PAGE.replace("<", "&lt;").replace(">", "&gt;"), FENCED),
        (f"```html\n{PAGE}\n\nThat is it.", f"{FENCED}\n\nThat is it."),
        (f"{PAGE}\n```", FENCED),
        (f"```html{PAGE}\n```", FENCED),
        (f"```html\n{PAGE}```", FENCED),
        (f"html\n{PAGE}", FENCED),
        (
            '<div class="a">\n\n<p>x</p>\n</div>',
            '```html\n<div class="a">\n\n<p>x</p>\n</div>\n```',
        ),
        ("<html>\n<body>\n<p>cut o", "```html\n<html>\n<body>\n<p>cut o\n```"),
        ("1. A:\n\n   <ul>\n   </ul>", "1. A:\n\n   ```html\n   <ul>\n   </ul>\n   ```"),
    ],
)
def test_markup_ends_up_in_one_fence(text: str, fenced: str) -> None:
    assert fence(text) == fenced


@pytest.mark.parametrize(
    "text",
    [
        FENCED,
        f"```\n{PAGE}\n```",
        "Use <b>bold</b> and <br>.",
        "<html> is the root element.",
        "<!DOCTYPE html> declares the type.",
        "<div> and <span> are containers.",
        "The `<div>` element",
        "List<String> and #include <vector>",
        '{"html": "<html><body></body></html>"}',
        "const t = `\n<html>\n</html>\n`;",
        'return (\n    <div className="app">\n    </div>\n  );',
        '<div className="app">\n</div>',
        "```js\nconst a = 'x\\n';\n```",
        "<details>\n<summary>More</summary>\n\ntext\n\n</details>",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert fence(text) == text


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
def test_the_strict_samples_are_fenced_as_expected() -> None:
    for case in json.loads(SAMPLES.read_text())["cases"]:
        if not case["strict"]:
            continue
        out, expect = fence(case["input"]), case["expect"]
        if expect["unchanged"]:
            assert out == case["input"], case["id"]
        tokens = [token for token in MarkdownIt().parse(out) if token.type == "fence"]
        wanted = [block["content"].strip() for block in expect.get("fenced", [])]
        if wanted:
            assert [token.content.strip() for token in tokens] == wanted, case["id"]
