"""Page selections as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.docs.selection import bounded, select
from app.vocabulary import DocumentFault


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1-3,9", (1, 2, 3, 9)),
        ("3-", (3, 4, 5, 6, 7, 8, 9, 10)),
        ("-2", (1, 2)),
        (" 2 , 2 ,1", (1, 2)),
        ("8-99", (8, 9, 10)),
        ("1–2，4", (1, 2, 4)),
        ("", tuple(range(1, 11))),
        (None, tuple(range(1, 11))),
    ],
)
def test_pages_are_read_as_people_write_them(written: str | None, meant: tuple[int, ...]) -> None:
    assert select(written, 10) == meant


@pytest.mark.parametrize("written", ["a", "1-2-3", "1;2", "1,,2", "0x1"])
def test_what_is_no_page_range_says_how_to_write_one(written: str) -> None:
    with pytest.raises(DocumentFault, match="write pages like 1-5,9") as caught:
        select(written, 10)
    assert caught.value.kind == "bad_input"


def test_a_page_beyond_the_end_says_how_many_there_are() -> None:
    with pytest.raises(DocumentFault, match="the document has 10 pages"):
        select("11", 10)


def test_pages_already_read_are_left_out() -> None:
    assert select("1-5", 10, after=3) == (4, 5)


def test_a_bound_names_what_is_left_out() -> None:
    numbers, sentence = bounded((1, 2, 3), 2)
    assert numbers == (1, 2)
    assert "first 2 of 3" in sentence


@given(st.text("0123456789-, ", max_size=12), st.integers(1, 50))
def test_any_writing_gives_pages_of_the_document_or_a_sentence(written: str, total: int) -> None:
    try:
        pages = select(written, total)
    except DocumentFault:
        return
    assert all(1 <= page <= total for page in pages)
    assert list(pages) == sorted(set(pages))
