"""Text of any encoding becomes pages with that text; what is no text is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from docfiles import Heard, hear
from hypothesis import given
from hypothesis import strategies as st

from app.docs import text
from app.docs.request import Limits, Request
from app.vocabulary import DocumentFault


def read(path: Path, limits: Limits | None = None, **options: object) -> Heard:
    request = Request(path, **options)  # type: ignore[arg-type]
    return hear(text.read(request, limits or Limits()))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_chinese_is_read_in_any_usual_encoding(encoding: str) -> None:
    words = "发票号码：4711，总金额一千二百元。\nTotal due: 1200\n"
    assert text.decode(words.encode(encoding)) == words


def test_western_text_without_a_mark_is_read() -> None:
    assert text.decode("Grüße aus Köln, 5 €".encode("cp1252")) == "Grüße aus Köln, 5 €"


def test_utf_16_without_a_mark_is_read() -> None:
    assert text.decode("plain words here".encode("utf-16-le")) == "plain words here"


def test_a_character_cut_at_the_end_does_no_harm() -> None:
    assert text.decode("总金额".encode()[:-1]) == "总金"


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1))
def test_utf_8_comes_back_as_it_was(words: str) -> None:
    assert text.decode(words.encode()) in (words, words.removeprefix("\ufeff"))


def test_bytes_of_a_program_are_no_text() -> None:
    assert text.decode(bytes(range(256)) * 20) is None


def test_code_becomes_pages_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("def double(x):\n    return 2 * x  # 两倍\n")
    heard = read(path)
    assert heard.opened.kind == "text"
    assert "return 2 * x  # 两倍" in heard.frames[0].text
    assert heard.frames[0].text_source == "layer"


def test_long_text_fills_several_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {n}\n" for n in range(300)))
    heard = read(path)
    assert heard.opened.pages == len(heard.frames) > 1
    assert "line 299" in heard.frames[-1].text


def test_very_long_text_is_cut_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("word " * 2000)
    assert "only its first 2 kB" in read(path, Limits(text=2048)).opened.warnings[0]


def test_blank_text_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(" \n\n")
    with pytest.raises(DocumentFault, match=r"a\.txt holds nothing") as caught:
        read(path)
    assert caught.value.kind == "empty"


def test_what_is_no_text_is_refused_with_the_kinds_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DocumentFault, match="PDFs, presentations, pictures, videos and text"):
        read(path)
