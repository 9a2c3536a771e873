from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.engine.local.sampler import Choice, Given, Sampler, loops

LOGITS = torch.tensor([0.0, 3.0, 2.9, -1.0])


def _many(choice: Choice, logits: torch.Tensor = LOGITS, times: int = 200) -> list[int]:
    sampler = Sampler(choice)
    return [sampler.next(logits, ()) for _ in range(times)]


def test_temperature_zero_takes_the_likeliest() -> None:
    assert set(_many(Choice(temperature=0))) == {1}


def test_top_k_keeps_only_the_likeliest() -> None:
    assert set(_many(Choice(temperature=5, top_k=2))) == {1, 2}


def test_top_p_keeps_the_fewest_that_reach_the_share() -> None:
    assert set(_many(Choice(temperature=1, top_p=0.6))) == {1, 2}


def test_top_p_of_nothing_keeps_the_likeliest() -> None:
    assert set(_many(Choice(temperature=1, top_p=0.0))) == {1}


def test_equal_seeds_choose_equally() -> None:
    choice = Choice(temperature=2, seed=11)
    assert _many(choice) == _many(choice)


def test_different_seeds_choose_differently() -> None:
    assert _many(Choice(temperature=2, seed=1)) != _many(Choice(temperature=2, seed=2))


def test_any_whole_number_is_a_seed() -> None:
    assert _many(Choice(temperature=1, seed=-(2**70)), times=1)


def test_the_penalty_turns_from_what_was_written() -> None:
    assert Sampler(Choice(repetition_penalty=1.5)).next(LOGITS, [1]) == 2


def test_the_penalty_turns_from_what_the_prompt_says_as_in_transformers() -> None:
    assert Sampler(Choice(repetition_penalty=1.5), Given(prompt=[1])).next(LOGITS, ()) == 2


@pytest.mark.parametrize("word", [" Due", "visits", "\u901a\u77e5"])
def test_the_word_penalty_turns_from_a_word_of_the_answer(word: str) -> None:
    sampler = Sampler(Choice(word_penalty=1.5), Given(text=lambda _: word))
    assert sampler.next(LOGITS, [1]) == 2


@pytest.mark.parametrize("text", ["7", ".", " a", "DISK", "0x", "\n", "\ufffd"])
def test_the_word_penalty_lets_digits_marks_and_codes_come_again(text: str) -> None:
    sampler = Sampler(Choice(word_penalty=1.5), Given(text=lambda _: text))
    assert sampler.next(LOGITS, [1]) == 1


def test_the_word_penalty_lets_an_answer_copy_the_prompt() -> None:
    given_prompt = Given(prompt=[1], text=lambda _: "word")
    assert Sampler(Choice(word_penalty=1.5), given_prompt).next(LOGITS, ()) == 1


def test_the_penalty_leaves_the_logits_as_they_were() -> None:
    before = LOGITS.clone()
    Sampler(Choice(repetition_penalty=1.5)).next(LOGITS, [1, 2])
    assert torch.equal(LOGITS, before)


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
