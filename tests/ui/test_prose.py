from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.ui.prose import Reader
from app.ui.rows import UNFINISHED, Grid, Piece, Row, Run


def read(text: str) -> tuple[Piece, ...]:
    return Reader().read(text)


def row(text: str) -> Row:
    (piece,) = read(text)
    assert isinstance(piece, Row)
    return piece


def test_emphasis_and_code_become_runs() -> None:
    assert row("a **b** `c` ~~d~~").runs == (
        Run("a "),
        Run("b", bold=True),
        Run(" "),
        Run("c", code=True),
        Run(" "),
        Run("d", strike=True),
    )


def test_raw_html_stays_text() -> None:
    assert row('<b onclick="x()">hi</b>').text == '<b onclick="x()">hi</b>'


def test_a_block_of_html_stays_text() -> None:
    assert "<script>" in row("<script>alert(1)</script>").text


def test_a_remote_picture_becomes_a_link_with_its_description() -> None:
    assert row("![a chart](https://example.com/x.png)").runs == (
        Run("a chart", link="https://example.com/x.png"),
    )


def test_a_link_that_runs_code_is_no_link() -> None:
    assert all(not run.link for run in row("[x](javascript:alert(1))").runs)


def test_a_link_to_a_file_is_no_link() -> None:
    assert all(not run.link for run in row("[x](file:///etc/passwd)").runs)


def test_a_link_that_is_still_written_looks_like_one() -> None:
    assert row(f"[x]({UNFINISHED})").runs == (Run("x", link=UNFINISHED),)


def test_two_prices_are_no_formula() -> None:
    assert row("from $5 and $6 per unit").runs == (Run("from $5 and $6 per unit"),)


def test_a_formula_keeps_its_underscores() -> None:
    assert Run("$a_1 + b_2$", math=True) in row("so $a_1 + b_2$ it is").runs


def test_a_formula_in_brackets_keeps_its_backslashes() -> None:
    assert Run(r"\(\alpha_1\)", math=True) in row(r"so \(\alpha_1\) it is").runs


def test_a_formula_of_its_own_stands_like_code() -> None:
    assert row("\\[\nx_1\n\\]") == Row("code", (Run("x_1"),), language="tex", first=True)


def test_items_carry_their_marks_and_depth() -> None:
    found = [(p.marker, p.within) for p in read("- a\n\n  3. b\n  4. c\n- d") if isinstance(p, Row)]
    assert found == [("•", "l"), ("3.", "ll"), ("4.", "ll"), ("•", "l")]


def test_tasks_carry_whether_they_are_done() -> None:
    found = [(p.marker, p.text) for p in read("- [x] a\n- [ ] b") if isinstance(p, Row)]
    assert found == [("[x]", "a"), ("[ ]", "b")]


def test_a_quote_in_a_list_is_within_both() -> None:
    assert [p.within for p in read("- a\n\n  > b")] == ["l", "lq"]


def test_a_table_keeps_alignment_and_cells() -> None:
    (grid,) = read("| a | b |\n|:-:|--:|\n| 1 | **2** |")
    assert isinstance(grid, Grid)
    assert grid.aligns == ("center", "right")
    assert grid.cells[1] == ((Run("1"),), (Run("2", bold=True),))


def test_code_keeps_every_line_and_its_language() -> None:
    found = read("```py\na\n\n  b\n```")
    assert [p.text for p in found if isinstance(p, Row)] == ["a", "", "  b"]
    assert isinstance(found[0], Row) and found[0].language == "py" and found[0].first


def test_a_break_in_a_paragraph_is_kept() -> None:
    assert row("one\ntwo").text == "one\ntwo"


@given(st.text(alphabet="ab*_`~[]()|-#>!$\\1. \n中", max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    for piece in read(text):
        assert isinstance(piece, Row | Grid)
