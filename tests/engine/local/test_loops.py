from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.engine.local.loops import loops


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_a_few_tokens_over_and_over_are_a_loop(cycle: list[int]) -> None:
    assert loops([*range(100, 140), *cycle * 96])


def test_a_text_is_no_loop() -> None:
    assert not loops(list(range(500)))


def test_a_row_of_equal_cells_is_no_loop() -> None:
    assert not loops([*range(100), *[5, 6] * 20])


def test_a_small_model_that_says_a_line_again_is_lost() -> None:
    line = list(range(16))
    assert loops([*line, 99, *line], repeat=16)


def test_a_small_model_may_say_a_shorter_thing_again() -> None:
    assert not loops([*range(10), 98, *range(10), *range(200, 230)], repeat=16)


def test_a_small_model_that_says_one_thing_over_and_over_is_lost_soon() -> None:
    assert loops([*range(20, 40), *[1, 2, 3] * 4], repeat=12)
