from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.sse import LIMIT, EventReader, EventTooLarge, ServerEvent


def read(body: bytes, cuts: list[int] | None = None) -> list[ServerEvent]:
    reader = EventReader()
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts or []), len(body)]
    events = [
        event for start, end in itertools.pairwise(edges) for event in reader.feed(body[start:end])
    ]
    return events + reader.close()


def data(body: bytes) -> list[str]:
    return [event.data for event in read(body)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_each_line_end_of_the_specification_ends_a_line(end: bytes) -> None:
    assert data(end.join([b"data: a", b"", b"data: b", b"", b""])) == ["a", "b"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c"])
def test_other_separators_do_not_end_a_line(character: str) -> None:
    text = json.dumps({"a": f"x{character}y"}, ensure_ascii=False)
    if character in "\x0b\x0c\x1c":
        text = f"x{character}y"
    assert data(f"data: {text}\n\n".encode()) == [text]


def test_a_byte_order_mark_is_taken_off_the_start_only() -> None:
    assert data(b"\xef\xbb\xbfdata: a\n\ndata: \xef\xbb\xbfb\n\n") == ["a", "\ufeffb"]


def test_a_crlf_cut_in_two_is_one_line_end() -> None:
    reader = EventReader()
    assert reader.feed(b"data: a\r") == []
    assert reader.feed(b"\ndata: b\r") == []
    assert reader.feed(b"\n\r\n") == [ServerEvent("", "a\nb")]


def test_an_event_is_given_out_as_soon_as_its_blank_line_begins() -> None:
    assert EventReader().feed(b"data: a\r\r") == [ServerEvent("", "a")]


def test_several_data_lines_are_joined_with_newlines() -> None:
    assert data(b"data: {\ndata: }\n\n") == ["{\n}"]


def test_only_one_space_after_the_colon_is_framing() -> None:
    assert data(b"data:a\n\ndata:  b \n\n") == ["a", " b "]


def test_comments_ids_and_unknown_fields_are_no_data() -> None:
    assert data(b": hello\n\nid: 1\nretry: 5\nfoo: bar\ndata\n\n") == [""]


def test_the_name_of_an_event_is_kept_and_forgotten_after_it() -> None:
    assert read(b"event: error\ndata: a\n\ndata: b\n\n") == [
        ServerEvent("error", "a"),
        ServerEvent("", "b"),
    ]


def test_an_event_without_its_last_blank_line_is_not_lost() -> None:
    assert data(b"data: a\n\ndata: b") == ["a", "b"]


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    assert data(b"data: bad \xff\xfe byte\n\n") == ["bad \ufffd\ufffd byte"]


def test_an_event_without_end_is_refused_instead_of_filling_the_memory() -> None:
    reader = EventReader()
    with pytest.raises(EventTooLarge):
        for _ in range((LIMIT >> 20) + 1):
            reader.feed(b"x" * (1 << 20))


_PIECES = st.sampled_from(
    [b"data: ", b"data:", b"a", "看图".encode(), b"\r", b"\n", b"\r\n", b"\n\n", b": c", b"\xff"]
) | st.sampled_from([b"\xef\xbb\xbf", b"event: error", b"{}", b" ", "\u2028".encode()])


@given(st.lists(_PIECES, max_size=30).map(b"".join), st.lists(st.integers(0, 200), max_size=12))
def test_any_chunking_gives_the_same_events(body: bytes, cuts: list[int]) -> None:
    assert read(body, cuts) == read(body)
