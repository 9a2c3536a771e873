from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from app.engine.local.sampler import Choice, Given, Sampler, logprobs

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


def _shares(logits: Sequence[float], choice: Choice, seen: Sequence[int] = ()) -> list[float]:
    """What a choice should give each token, by plain arithmetic in transformers' order."""
    penalty = choice.repetition_penalty
    scores = [
        score if token not in seen else score / penalty if score > 0 else score * penalty
        for token, score in enumerate(logits)
    ]
    shares = _softmax([score / choice.temperature for score in scores])
    ranked = sorted(range(len(shares)), key=lambda token: -shares[token])
    kept = ranked[: choice.top_k or None]
    total = sum(shares[token] for token in kept)
    best: list[int] = []
    for token in kept:
        if best and sum(shares[other] for other in best) >= choice.top_p * total:
            break
        best.append(token)
    least = choice.min_p * shares[best[0]]
    left = [shares[token] if token in best and shares[token] >= least else 0.0 for token in ranked]
    whole = dict(zip(ranked, left, strict=True))
    return [whole[token] / sum(left) for token in range(len(shares))]


def _softmax(scores: Sequence[float]) -> list[float]:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize(
    "choice",
    [
        Choice(temperature=1.0),
        Choice(temperature=0.6),
        Choice(temperature=1.7, top_k=5),
        Choice(temperature=1.0, top_p=0.7),
        Choice(temperature=1.3, top_k=8, top_p=0.8),
        Choice(temperature=1.5, min_p=0.2),
        Choice(temperature=1.2, top_k=9, top_p=0.9, min_p=0.1),
        Choice(temperature=1.0, repetition_penalty=1.6),
    ],
)
def test_tokens_come_as_often_as_plain_arithmetic_says(choice: Choice) -> None:
    torch.manual_seed(3)
    logits = 2 * torch.randn(12)
    seeded = Sampler(replace(choice, seed=17), Given(prompt=[0, 1, 2]))
    drawn = torch.tensor([seeded.next(logits, ()) for _ in range(6000)])
    shares = torch.bincount(drawn, minlength=12) / len(drawn)
    expected = _shares(logits.tolist(), choice, (0, 1, 2))
    for share, wanted in zip(shares.tolist(), expected, strict=True):
        assert abs(share - wanted) < 4.5 * math.sqrt(max(wanted * (1 - wanted), 1e-9) / len(drawn))


def test_a_nucleus_wider_than_the_first_look_is_found() -> None:
    """Even logits: half of them are far more than the few that are looked at first."""
    logits = torch.linspace(0.0, 1e-3, 5000)
    drawn = {Sampler(Choice(1.0, 0.5, seed=n)).next(logits, ()) for n in range(300)}
    assert min(drawn) >= 2499
    assert max(drawn) - min(drawn) > 1500


def test_min_p_of_one_keeps_the_likeliest() -> None:
    assert set(_many(Choice(temperature=2, min_p=1.0))) == {1}


def test_what_is_not_allowed_is_never_chosen() -> None:
    allowed = torch.tensor([True, False, False])  # shorter than the padded vocabulary
    for choice in (Choice(), Choice(temperature=3), Choice(temperature=3, top_p=0.9, top_k=2)):
        sampler = Sampler(choice)
        assert {sampler.next(LOGITS, (), allowed) for _ in range(50)} == {0}


def test_penalties_note_each_token_once_however_many_come_at_a_time() -> None:
    choice = Choice(repetition_penalty=1.3)
    stepwise = Sampler(choice, Given(prompt=[3]))
    for written in ([], [1], [1, 2], [1, 2, 1]):
        last = stepwise.next(LOGITS, written)
    assert last == Sampler(choice, Given(prompt=[3])).next(LOGITS, [1, 2, 1])


def test_half_precision_logits_are_sampled_as_exactly() -> None:
    logits = LOGITS.bfloat16()
    assert _many(Choice(1.0, seed=2), logits) == _many(Choice(1.0, seed=2), logits.float())


def test_logprobs_are_those_of_the_bare_logits() -> None:
    logprob, top = logprobs(LOGITS, 2, 3)
    shares = [math.log(share) for share in _softmax(LOGITS.tolist())]
    assert logprob == pytest.approx(shares[2], abs=1e-6)
    assert [token for token, _ in top] == [1, 2, 0]
    assert [value for _, value in top] == pytest.approx([shares[1], shares[2], shares[0]], abs=1e-6)


def test_logprobs_of_no_others_are_just_the_tokens_own() -> None:
    assert logprobs(LOGITS, 1, 0)[1] == ()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("choice", [Choice(), Choice(0.8, 0.9, 40, 1.1, seed=5, min_p=0.01)])
def test_a_gpu_chooses_as_the_processor_does(choice: Choice) -> None:
    logits = torch.randn(2000, generator=torch.Generator().manual_seed(1)) * 4
    here, there = Sampler(choice, Given([1, 2])), Sampler(choice, Given([1, 2]))
    for _ in range(50):
        assert here.next(logits, ()) == there.next(logits.cuda(), ())
