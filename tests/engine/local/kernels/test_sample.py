from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from app.engine.local.kernels.launch import pdl
from app.engine.local.kernels.sample import Draw, Plan, sample
from app.engine.local.sampler import Choice, Drawing, Given, Sampler

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PLAN = Plan() if DEVICE == "cuda" else Plan(chunk=1024)  # few programs for the interpreter
CHOICES = (
    Choice(1.0),
    Choice(0.6),
    Choice(1.0, min_p=0.05),
    Choice(1.7, top_k=5),
    Choice(1.0, top_k=1),
    Choice(0.8, top_k=900),
    Choice(1.0, top_p=0.7),
    Choice(0.9, top_p=0.95),
    Choice(1.0, top_p=0.0),
    Choice(1.0, top_p=0.99999),
    Choice(1.3, top_k=50, top_p=0.8),
    Choice(1.2, top_k=40, top_p=0.9, min_p=0.1),
    Choice(1.0, top_p=0.9, min_p=0.02),
    Choice(1.0, top_p=0.9, repetition_penalty=1.3),
    Choice(1.0, repetition_penalty=1.6, min_p=0.01),
    Choice(2.5, top_k=10_000_000, top_p=0.5),
)


class Conversation:
    """The buffers of a device that chooses by itself."""

    def __init__(self, words: int, drawing: Drawing) -> None:
        self.draw = Draw.of(words, DEVICE)
        self.place = torch.tensor([7, 9, 64, 0, 55, 0, 0, 0], device=DEVICE)
        self.token = torch.tensor([-5], device=DEVICE)
        for field in ("scores", "most", "sums", "weights", "found", "above"):
            getattr(self.draw.room, field).fill_(torch.nan)
        self.set(drawing)

    def set(self, drawing: Drawing) -> None:
        self.place.copy_(torch.tensor([7, 9, 64, 0, 55, 0, 0, 0]))
        self.draw.set(drawing)

    def next(self, logits: torch.Tensor, *, plan: Plan = PLAN, greedy: bool = False) -> int | None:
        logits, early = logits.to(DEVICE), pdl(torch.empty(0, device=DEVICE))
        sample(
            logits, self.token, self.place, self.draw, greedy=greedy, plan=plan, pdl=early
        )  # fmt: skip
        if logits.is_cuda:
            torch.cuda.synchronize()
        return self.draw.written(int(self.place[3]) - 1)


def _logits(words: int, spread: float, seed: int) -> torch.Tensor:
    return torch.randn(words, generator=torch.Generator().manual_seed(seed)) * spread


def _both(
    choice: Choice, words: int, spread: float, *, steps: int = 4, prompt: tuple[int, ...] = ()
) -> tuple[list[int | None], list[int]]:
    """The tokens of a few steps, by the kernels and by the sampler."""
    choice = replace(choice, seed=words)
    drawing = Sampler(choice, Given(prompt)).drawing((), steps)
    assert drawing is not None
    here, there = Conversation(words, drawing), Sampler(choice, Given(prompt))
    ours: list[int | None] = []
    right: list[int] = []
    for step in range(steps):
        logits = _logits(words, spread, step)
        ours.append(here.next(logits))
        right.append(there.next(logits, right))
    return ours, right


@pytest.mark.parametrize("spread", [0.3, 2.0, 12.0])
@pytest.mark.parametrize("choice", CHOICES)
def test_equal_numbers_choose_as_the_sampler_does(choice: Choice, spread: float) -> None:
    ours, right = _both(choice, 1500, spread, prompt=tuple(range(0, 1500, 3)))
    assert ours == right


@pytest.mark.parametrize("words", [1, 2, 31, 1024, 1025, 4099])
def test_any_vocabulary_fits(words: int) -> None:
    for choice in (Choice(), Choice(1.0), Choice(0.7, top_p=0.9), Choice(2.0, top_k=3)):
        ours, right = _both(choice, words, 3.0, steps=3)
        assert ours == right


@pytest.mark.parametrize("rate", [1.0, 1.7])
def test_greedy_choice_is_the_samplers(rate: float) -> None:
    ours, right = _both(Choice(repetition_penalty=rate), 3000, 1.0, prompt=tuple(range(0, 3000, 2)))
    assert ours == right


def test_greedy_choice_alone_takes_one_launch_fewer() -> None:
    here, logits = Conversation(3000, Drawing(Choice(), 2)), _logits(3000, 1.0, 5)
    assert here.next(logits, greedy=True) == int(logits.argmax())


@pytest.mark.parametrize("chunk", [32, 64])
def test_candidates_are_ranked_by_many_programs(chunk: int) -> None:
    choice, logits = Choice(1.5, top_p=0.9), _logits(1200, 3.0, 2)
    drawn = (0.2, 0.8)
    here, there = Conversation(1200, Drawing(choice, 2, drawn)), Sampler(choice)
    there._drawn.extend(drawn)
    for _ in drawn:
        assert here.next(logits, plan=Plan(chunk=chunk)) == there.next(logits, ())
    assert here.draw.room.held > 2 * chunk


def test_the_first_of_equal_logits_is_chosen() -> None:
    here = Conversation(5000, Drawing(Choice(), 3))
    logits = torch.zeros(5000)
    assert here.next(logits) == 0
    logits[[2047, 2048, 4000]] = 1.0
    assert here.next(logits) == 2047


def test_what_is_no_number_is_not_chosen() -> None:
    here = Conversation(3000, Drawing(Choice(), 3))
    logits = torch.full((3000,), torch.nan)
    assert here.next(logits) == 0
    logits[2500] = -3.0
    assert here.next(logits) == 2500
    here.set(Drawing(Choice(1.0, top_p=0.9), 3, (0.1, 0.5, 0.9)))
    assert here.next(logits) == 2500


def test_equal_scores_are_drawn_in_their_order() -> None:
    logits = torch.zeros(2000)
    logits[[3, 1023, 1024, 1999]] = 9.0
    here = Conversation(2000, Drawing(Choice(1.0, top_k=4), 4, (0.0, 0.3, 0.6, 1.0)))
    assert [here.next(logits) for _ in range(4)] == [3, 1023, 1024, 1999]


def test_a_conversation_moves_on_by_what_was_chosen() -> None:
    here = Conversation(1000, Drawing(Choice(), 2))
    chosen = here.next(_logits(1000, 1.0, 1))
    assert here.token.tolist() == [chosen]
    assert here.place.tolist() == [8, 10, 64, 1, 55, 0, 0, 0]
    assert here.draw.seen.nonzero().tolist() == [[chosen]]
    assert here.draw.overflow.tolist() == [0]


def test_the_ring_holds_the_last_steps() -> None:
    here = Conversation(300, Drawing(Choice(), 2))
    here.place[3] = 4095
    first, second = (here.next(_logits(300, 1.0, seed)) for seed in (1, 2))
    assert here.draw.ring[-1] == first
    assert here.draw.ring[0] == second


def test_a_choice_among_too_many_is_left_to_the_host_and_so_is_all_behind_it() -> None:
    flat, steep = torch.zeros(9000), torch.zeros(9000)
    steep[5] = 20.0
    here = Conversation(9000, Drawing(Choice(1.0, top_p=0.9), 2, (0.5, 0.5)))
    assert here.next(flat) is None
    assert here.draw.overflow.tolist() == [1]
    assert 0 <= int(here.token) < 9000
    assert here.next(steep) is None
    here.set(Drawing(Choice(1.0, top_p=0.9), 1, (0.5,)))
    assert here.next(steep) == 5


def test_a_flat_vocabulary_is_drawn_from_where_nothing_is_ranked() -> None:
    here = Conversation(9000, Drawing(Choice(1.0), 3, (0.0, 0.5001, 1.0)))
    assert [here.next(torch.zeros(9000)) for _ in range(3)] == [0, 4500, 8999]


def test_scores_beyond_the_lattice_are_left_to_the_host() -> None:
    for choice in (Choice(1e-7), Choice(1e-7, top_p=0.5)):
        assert Conversation(100, Drawing(choice, 1, (0.5,))).next(_logits(100, 9.0, 1)) is None
        infinite = torch.zeros(100)
        infinite[3] = math.inf
        assert Conversation(100, Drawing(choice, 1, (0.5,))).next(infinite) is None


@pytest.mark.parametrize(
    "choice", [Choice(1.0), Choice(1.1, top_p=0.8), Choice(0.9, top_k=6, min_p=0.1)]
)
def test_tokens_come_as_often_as_their_shares_say(choice: Choice) -> None:
    words, count = 40, 400 if DEVICE == "cuda" else 50
    logits = _logits(words, 1.5, 3)
    even = tuple((step + 0.5) / count for step in range(count))  # a drawn number of each size
    here = Conversation(words, Drawing(choice, count, even))
    chosen = torch.tensor([here.next(logits) for _ in range(count)])
    ranked = torch.softmax(logits / choice.temperature, 0).sort(descending=True)
    kept = ranked.values[: choice.top_k or None]
    kept = kept[: 1 + int((kept.cumsum(0)[:-1] < choice.top_p * kept.sum()).sum())]
    kept = kept[kept >= choice.min_p * kept[0]]
    shares = torch.zeros(words).index_put((ranked.indices[: len(kept)],), kept / kept.sum())
    assert (chosen.bincount(minlength=words) / count - shares).abs().max() < 1.5 / count


def test_more_numbers_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="131072"):
        Draw.of(10, DEVICE).set(Drawing(Choice(1.0), 200_000, (0.5,) * 200_000))


@pytest.mark.skipif(DEVICE == "cpu", reason="needs a GPU")
@pytest.mark.parametrize("choice", [Choice(), *CHOICES])
def test_a_whole_vocabulary_is_chosen_from_as_the_sampler_does(choice: Choice) -> None:
    ours, right = _both(choice, 151_552, 12.0, steps=20, prompt=tuple(range(0, 150_000, 7)))
    assert sum(one != other for one, other in zip(ours, right, strict=True)) <= 1  # rounding
