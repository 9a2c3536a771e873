from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.engine.local.text import Detokeniser, Stops


def _decode(tokens: Sequence[int]) -> str:
    """A tokenizer whose tokens are bytes."""
    return bytes(tokens).decode("utf-8", "replace")


@given(st.text())
def test_the_pieces_are_the_text_and_none_breaks_a_character(text: str) -> None:
    detokeniser = Detokeniser(_decode)
    pieces = [detokeniser.feed(byte) for byte in text.encode()] + [detokeniser.close()]
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces) or "\ufffd" in text


def test_a_character_that_never_becomes_whole_is_dropped() -> None:
    detokeniser = Detokeniser(_decode)
    pieces = [detokeniser.feed(byte) for byte in "a😀".encode()[:-1]]
    assert "".join(pieces) + detokeniser.close() == "a"


def test_bytes_that_are_no_text_do_not_hold_back_what_follows() -> None:
    detokeniser = Detokeniser(_decode)
    pieces = [detokeniser.feed(0xFF) for _ in range(20)] + [detokeniser.feed(ord("a"))]
    assert "".join(pieces).endswith("a")


@given(
    st.text(alphabet="abc"), st.lists(st.text(alphabet="abc", min_size=1), max_size=3), st.data()
)
def test_any_cutting_ends_before_the_same_stop_string(
    text: str, words: list[str], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    bounds = [0, *cuts, len(text)]
    stops = Stops(words)
    given_out = "".join(stops.feed(text[a:b]) for a, b in pairwise(bounds))
    given_out += stops.close()
    ends = [_first_end(text, word) for word in words if word in text]
    hits = [word for word in words if word in text]
    assert stops.hit == bool(hits)
    if not hits:
        assert given_out == text
    else:
        first = min(ends)
        assert text.startswith(given_out)
        assert not any(word in given_out for word in words)
        assert len(given_out) < first


def _first_end(text: str, word: str) -> int:
    return text.find(word) + len(word)


def test_text_that_only_began_a_stop_string_is_given_at_the_end() -> None:
    stops = Stops(["END"])
    assert stops.feed("the EN") + stops.close() == "the EN"
