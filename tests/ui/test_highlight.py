from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.highlight import Lexing, highlight, units

CODE = 'def f(x):\n    # says 你好\n    return "a" + 1\n'


def parts(code: str, language: str) -> list[tuple[str, str]]:
    lines = code.split("\n")
    return [
        (span.part, lines[number][span.start : span.start + span.length])
        for number, spans in enumerate(highlight(code, language))
        for span in spans
    ]


def test_each_part_of_python_gets_its_colour() -> None:
    found = parts(CODE, "python")
    assert ("keyword", "def") in found
    assert ("name", "f") in found
    assert ("comment", "# says 你好") in found
    assert ("number", "1") in found
    assert any(part == "string" and "a" in text for part, text in found)


def test_there_is_one_entry_a_line() -> None:
    assert len(highlight(CODE, "python")) == CODE.count("\n") + 1


def test_a_comment_over_two_lines_is_coloured_on_both() -> None:
    first, second = highlight("/* a\nb */", "c")
    assert first[0].part == second[0].part == "comment"


@pytest.mark.parametrize("language", ["", "no-such-language", "../../etc"])
def test_an_unknown_language_has_no_colours(language: str) -> None:
    assert highlight(CODE, language) == ()


def test_what_is_longer_than_a_file_should_be_stays_plain() -> None:
    assert highlight("x = 1\n" * 40_000, "python") == ()


def test_positions_count_as_qt_counts() -> None:
    (line,) = highlight("s = '😀' # c", "python")
    assert line[-1].part == "comment"
    assert line[-1].start == units("s = '😀' ") == 9


def test_read_a_token_at_a_time_it_is_the_same() -> None:
    reading = Lexing(CODE, "python")
    while reading.work(0.0):
        pass
    assert reading.lines == highlight(CODE, "python")


@given(st.text(max_size=120), st.sampled_from(["python", "c", "html", "json", "bash"]))
def test_spans_stay_on_their_line(code: str, language: str) -> None:
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, spans in enumerate(highlight(code, language)):
        for span in spans:
            assert span.start + span.length <= units(lines[number])
