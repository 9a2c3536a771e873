"""Pieces of text on a page come out in the order in which a person reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.docs.layout import Piece, in_reading_order, text_lines, text_of


def line(text: str, x: float, y: float, size: float = 10) -> Piece:
    return Piece(text, x, y, x + len(text) * size * 0.5, y + size)


def read(*pieces: Piece) -> str:
    return text_of(in_reading_order(pieces))


def test_a_label_keeps_its_value_on_its_line() -> None:
    assert read(line("£4,761.00", 300, 11), line("Total due:", 10, 10)) == "Total due: £4,761.00"


def test_a_table_row_stays_on_one_line() -> None:
    rows = [("Camera", "3", "248.00"), ("Light", "6", "59.50"), ("Target", "2", "34.25")] * 2
    pieces = [
        line(cell, 10 + 150 * column, 10 + 28 * row)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
    ]
    said = read(*pieces).split("\n")
    assert [part for part in said if part][:2] == ["Camera  3  248.00", "Light  6  59.50"]


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    left = [line(f"left column, line {n} of the text", 10, 20 + 14 * n) for n in range(5)]
    right = [line(f"right column, line {n} of the text", 260, 20 + 14 * n) for n in range(5)]
    said = read(*(piece for pair in zip(left, right, strict=True) for piece in pair))
    assert said.index("left column, line 4") < said.index("right column, line 0")


def test_columns_keep_their_place_under_a_title_and_above_a_foot() -> None:
    left = [line(f"left column, line {n} of the text", 10, 40 + 14 * n) for n in range(5)]
    right = [line(f"right column, line {n} of the text", 260, 40 + 14 * n) for n in range(5)]
    title = line("A title that goes across both of the columns of the page", 60, 10)
    foot = line("A line below that goes across both columns of the page too", 60, 140)
    said = read(foot, *right, *left, title)
    assert said.startswith("A title")
    assert said.endswith("page too")


def test_addresses_side_by_side_are_read_one_after_the_other() -> None:
    seller = ["FROM", "Harbour Ltd", "18 Quay Street", "Bristol"]
    buyer = ["BILL TO", "Marlowe LLP", "7 Foundry Lane", "Leeds"]
    pieces = [line(text, 10, 10 + 13 * n) for n, text in enumerate(seller)]
    pieces += [line(text, 300, 10 + 13 * n) for n, text in enumerate(buyer)]
    assert read(*pieces) == "\n".join([*seller, "", *buyer])


def test_a_form_of_labels_and_values_is_no_pair_of_addresses() -> None:
    labels, values = ["Name:", "Street:", "Town:"], ["Ada", "Quay", "Bath"]
    pieces = [line(text, 10, 10 + 13 * n) for n, text in enumerate(labels)]
    pieces += [line(text, 300, 10 + 13 * n) for n, text in enumerate(values)]
    assert read(*pieces) == "Name: Ada\nStreet: Quay\nTown: Bath"


def test_room_on_the_page_becomes_an_empty_line() -> None:
    assert read(line("one", 10, 10), line("two", 10, 60)) == "one\n\ntwo"


def test_boxes_are_fractions_of_the_page() -> None:
    rows = in_reading_order([Piece("a", 50, 20, 100, 40, 0.9)])
    (only,) = text_lines(rows, 200, 100)
    assert (only.box.x1, only.box.y1, only.box.x2, only.box.y2) == (0.25, 0.2, 0.5, 0.4)
    assert only.confidence == 0.9


side = st.floats(0, 1000)
anywhere = st.builds(
    lambda x, y, width, height: Piece("word", x, y, x + width, y + height),
    side,
    side,
    st.floats(1, 300),
    st.floats(1, 60),
)


@given(st.lists(anywhere, max_size=40))
def test_no_piece_is_lost_or_doubled(pieces: list[Piece]) -> None:
    said = [piece for row in in_reading_order(pieces) for piece in row]
    assert sorted(map(id, said)) == sorted(map(id, pieces))
