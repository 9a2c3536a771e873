from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.engine.excerpt import excerpt

PASS = "BOARDING PASS\nFrom: Zurich  To: London\nGate: B37  Seat: 14C\nBoarding time: 11:35"
SITES = "Site  Sensors  Uptime\n\nNorth quay  24  99.7%\n\nSouth yard  9  97.2%"


def test_the_line_with_the_questions_word_is_found() -> None:
    assert excerpt("Date: 1 May\nDue: 9 June\nTotal: 3", "When is it due?") == ("Due: 9 June",)


def test_a_line_of_several_labels_counts_as_several() -> None:
    assert excerpt(PASS, "What is the seat?") == ("Seat: 14C",)


def test_a_tables_row_names_its_columns() -> None:
    assert "South yard, Sensors: 9, Uptime: 97.2%" in excerpt(SITES, "South yard sensors?")


def test_a_word_is_found_in_its_other_forms() -> None:
    assert excerpt(PASS, "When do we board?")[-1] == "Boarding time: 11:35"


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    page = "backup one\nbackup two\nbackup three\nerror four"
    assert excerpt(page, "Which backup error?", 1) == ("error four",)


def test_chinese_is_found_without_spaces() -> None:
    page = "\u505c\u6c34\u901a\u77e5\n\u7535\u8bdd\uff1a0571"
    assert excerpt(page, "\u7535\u8bdd\u53f7\u7801\uff1f") == ("\u7535\u8bdd\uff1a0571",)


def test_a_question_of_empty_words_finds_nothing() -> None:
    assert excerpt(PASS, "What is this about?") == ()


@given(st.text(), st.text(), st.integers(0, 4))
def test_any_text_gives_at_most_as_many_lines_as_asked(page: str, asked: str, count: int) -> None:
    assert len(excerpt(page, asked, count)) <= count
