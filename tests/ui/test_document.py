from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication

from app.answer.blocks import Blocks
from app.ui.clipping import clip
from app.ui.colouring import Colouring
from app.ui.document import Document
from app.ui.flow import Flow
from app.ui.formats import Formats
from app.ui.prose import Reader
from app.ui.theme import LIGHT

MARKDOWN = """# Title

Some **bold** text with `code` and a [link](https://example.com).

- one
- two
  - three

| a | b |
|---|--:|
| 1 | 2 |
| 3 | 4 |

> quoted

```python
def f():

    return 1
```

Last 中文 😀 line.
"""


@pytest.fixture(scope="session")
def app() -> QApplication:
    running = QApplication.instance()
    return running if isinstance(running, QApplication) else QApplication([])


@pytest.fixture(scope="session")
def formats(app: QApplication) -> Formats:
    return Formats(LIGHT)


def written(markdown: str, formats: Formats) -> Document:
    document = Document(QTextDocument(), formats)
    for block in (cut := Blocks()).feed(markdown).settled + cut.close().settled:
        document.settle(Reader().read(block))
    return document


def everything(document: Document) -> str:
    cursor = QTextCursor(document.text)
    cursor.select(QTextCursor.SelectionType.Document)
    return clip(cursor)


def look(document: Document) -> list[tuple[str, float, list[tuple[int, int, str]]]]:
    """Every block with how it is set."""
    found = []
    block = document.text.begin()
    while block.isValid():
        form = block.blockFormat()
        shown = [
            (part.start, part.length, part.format.foreground().color().name())
            for part in block.textFormats()
            if part.length
        ]
        found.append((block.text(), form.topMargin() + form.leftMargin(), shown))
        block = block.next()
    return found


def test_copying_everything_says_what_is_shown(formats: Formats) -> None:
    assert everything(written(MARKDOWN, formats)) == (
        "Title\n\nSome bold text with code and a link.\n\n- one\n- two\n  - three\n\n"
        "a\tb\n1\t2\n3\t4\n\nquoted\n\ndef f():\n\n    return 1\n\nLast 中文 😀 line."
    )


def test_part_of_an_item_is_copied_without_its_mark(formats: Formats) -> None:
    document = written("- first\n- second", formats)
    cursor = QTextCursor(document.text)
    cursor.setPosition(2)
    cursor.setPosition(5, QTextCursor.MoveMode.KeepAnchor)
    assert clip(cursor) == "rst"


def test_a_settled_block_is_not_touched_by_what_follows(formats: Formats) -> None:
    document = written("first paragraph", formats)
    cursor = QTextCursor(document.text)
    cursor.setPosition(2)
    cursor.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    for text in ("seco", "second **b", "- now a list"):
        document.show(Reader().read(text))
    assert cursor.selectedText() == "rst par"


def test_a_selection_in_the_open_block_survives_its_growth(formats: Formats) -> None:
    document = Document(QTextDocument(), formats)
    document.show(Reader().read("the open paragraph"))
    cursor = QTextCursor(document.text)
    cursor.setPosition(4)
    cursor.setPosition(8, QTextCursor.MoveMode.KeepAnchor)
    document.show(Reader().read("the open paragraph grows **on**"))
    assert cursor.selectedText() == "open"


def test_a_table_grows_without_being_made_anew(formats: Formats) -> None:
    document = Document(QTextDocument(), formats)
    head = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    document.show(Reader().read(head))
    cursor = QTextCursor(document.text)
    cursor.setPosition(document.text.toPlainText().index("1"))
    before = cursor.currentTable()
    document.show(Reader().read(head + "| 3 | 4 |\n"))
    assert before.rows() == 3 and cursor.currentTable() == before


def test_what_becomes_something_else_leaves_nothing_behind(formats: Formats) -> None:
    document = Document(QTextDocument(), formats)
    for text in ("| a |\n|---|\n| 1 |", "```py\nx\ny\n```", "a paragraph", "- a\n- b"):
        document.show(Reader().read(text))
    assert everything(document) == "- a\n- b"
    assert document.codes == []


def test_marks_that_qt_keeps_for_itself_do_no_harm(formats: Formats) -> None:
    document = written("a\ufdd0b\ufdd1c\ufffcd\u2029e", formats)
    assert "a" in everything(document) and "e" in everything(document)


def test_finished_code_is_coloured(formats: Formats) -> None:
    document = written("```python\ndef f(): return 1\n```", formats)
    colouring = Colouring(document)
    while colouring.work(1.0):
        pass
    assert document.text.begin().layout().formats()


def test_code_is_given_back_as_it_was(formats: Formats) -> None:
    document = written("before\n\n```py\na = 1\n\n\tb\n```\n\nafter", formats)
    assert document.code_text(document.codes[0]) == "a = 1\n\n\tb"


PIECES = st.lists(
    st.sampled_from(
        [
            "# Head\n\n", "para **bold** `c`\nline two\n\n", "- a\n- b\n  1. c\n\n",
            "| a | b |\n|:--|--:|\n| 1 | *2* |\n| 3 | 4 |\n\n", "```py\nx = 1\n\ny\n```\n\n",
            "> quote\n> more\n\n", "---\n\n", "中文段落，很长。\n\n",
            "~~~\nraw\n~~~\n\n", "$$\na_b\n$$\n\n",
            "- [ ] task\n- [x] done\n\n", "😀 emoji **粗** [l](https://e.org)\n\n",
        ]
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(parts=PIECES, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_however_it_is_chunked_the_page_is_the_same(
    formats: Formats, parts: list[str], sizes: list[int]
) -> None:
    text = "".join(parts)
    flow = Flow(Document(QTextDocument(), formats))
    at = turn = 0
    while at < len(text):
        flow.feed(text[at : at + sizes[turn % len(sizes)]])
        while flow.work(1.0):
            pass
        at += sizes[turn % len(sizes)]
        turn += 1
    flow.end()
    while flow.work(1.0):
        pass
    assert look(flow.document) == look(written(text, formats))
