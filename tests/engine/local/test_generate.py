from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import (
    ANSWER,
    END,
    END_THINK,
    LETTERS,
    THINK,
    VOCABULARY,
    ToyChat,
    ToyNetwork,
    ToyState,
    asked,
    toy,
)

from app.engine.local.generate import Chosen, Finish, Job, Piece, generate
from app.engine.local.model import Model
from app.engine.local.network import Prompt
from app.engine.local.sampler import Choice

TOKENS = tuple(range(40, 70))
PROMPT = Prompt("", TOKENS, TOKENS)
TEXT = asked("the quick brown fox jumps over the lazy dog. ")
WARM = Choice(temperature=1, seed=3)


def _never() -> bool:
    return False


def _all(model: Model, job: Job) -> tuple[list[Piece], Finish]:
    *pieces, last = generate(model, job, _never)
    assert isinstance(last, Finish)
    return [piece for piece in pieces if isinstance(piece, Piece)], last


def _run(model: Model, job: Job) -> tuple[str, Finish]:
    pieces, finish = _all(model, job)
    return "".join(piece.text for piece in pieces), finish


# --- with a network of transformers ---------------------------------------------------------


def test_it_ends_at_the_limit(tiny: Model) -> None:
    _, finish = _run(tiny, Job(PROMPT, 5, Choice(temperature=1, seed=1)))
    assert (finish.reason, finish.usage.completion) == ("length", 5)


def test_it_counts_the_prompt_and_what_it_recalled_of_it(tiny: Model) -> None:
    _run(tiny, Job(PROMPT, 2, Choice()))
    _, finish = _run(tiny, Job(PROMPT, 2, Choice()))
    assert (finish.usage.prompt, finish.usage.cached) == (len(TOKENS), len(TOKENS) - 1)


def test_a_recalled_prompt_gets_the_same_answer(tiny: Model) -> None:
    job = Job(PROMPT, 12, Choice(temperature=1, seed=5))
    assert _run(tiny, job)[0] == _run(tiny, job)[0]


def test_it_stops_before_a_stop_string(tiny: Model) -> None:
    free, _ = _run(tiny, Job(PROMPT, 30, WARM))
    word = free[4:6]
    text, finish = _run(tiny, Job(PROMPT, 30, WARM, (word,)))
    assert (text, finish.reason) == (free[: free.find(word)], "stop")


def test_the_next_answer_after_a_cancel_is_what_it_would_have_been(tiny: Model) -> None:
    job = Job(PROMPT, 8, Choice())
    before, _ = _run(tiny, job)
    asked_before = iter([False] * 3 + [True] * 9)
    other = Prompt("", (7, *TOKENS), (7, *TOKENS))
    list(generate(tiny, Job(other, 50, Choice()), lambda: next(asked_before)))
    assert _run(tiny, job)[0] == before


@pytest.mark.parametrize("count", [1, 2, 33, 100])
def test_a_prompt_of_any_length_is_read(tiny: Model, count: int) -> None:
    tokens = (65,) * count
    _, finish = _run(tiny, Job(Prompt("", tokens, tokens), 1, Choice()))
    assert finish.usage.prompt == count


@pytest.mark.parametrize("choice", [Choice(), WARM])
def test_guessing_from_the_text_never_changes_a_real_models_answer(
    tiny: Model, choice: Choice
) -> None:
    tokens = (66, 67, 68, 69, 70, 71) * 8
    prompt = Prompt("", tokens, tokens)
    plain, _ = _run(tiny, Job(prompt, 60, choice))
    assert _run(tiny, Job(prompt, 60, choice, lookup=4))[0] == plain


# --- steps ----------------------------------------------------------------------------------


def test_every_token_that_ends_an_answer_does() -> None:
    model = toy()
    _, first = _all(model, Job(TEXT, 1, Choice()))
    token = LETTERS.index(_run(model, Job(TEXT, 1, Choice()))[0])
    model.defaults = replace(model.defaults, ends=frozenset({999, token}))
    text, finish = _run(model, Job(TEXT, 9, Choice()))
    assert (text, finish.reason, first.reason) == ("", "stop", "length")


def test_a_step_gives_a_piece_and_a_long_prompt_is_read_in_parts() -> None:
    network = ToyNetwork()
    pieces, _ = _all(toy(network), Job(asked("abc " * 50), 4, Choice()))
    assert network.reads[0] == 32
    assert sum(network.reads) == 200
    assert [piece.tokens for piece in pieces] == [0] * len(network.reads) + [1] * 4


def test_a_cancel_while_the_prompt_is_read_ends_it() -> None:
    *_, finish = generate(toy(), Job(TEXT, 5, Choice()), lambda: True)
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.usage.completion) == ("cancelled", 0)


def test_a_cancel_between_tokens_ends_it() -> None:
    asked_before = iter([False] * 4 + [True])
    *_, finish = generate(toy(), Job(TEXT, 50, WARM), lambda: next(asked_before))
    assert isinstance(finish, Finish)
    assert finish.reason == "cancelled"
    assert 0 < finish.usage.completion < 5


def test_the_seconds_are_those_it_took() -> None:
    start = time.monotonic()
    _, finish = _run(toy(), Job(TEXT, 3, Choice()))
    assert 0 < finish.usage.seconds <= time.monotonic() - start


def test_an_answer_that_only_repeats_itself_is_ended() -> None:
    network = ToyNetwork()
    network.favour = {0: 1000.0}
    _, finish = _run(toy(network), Job(TEXT, 1000, Choice()))
    assert (finish.reason, finish.usage.completion) == ("stop", 96)


# --- guesses --------------------------------------------------------------------------------


class _Half:
    """A drafter that is right as often as not."""

    def __init__(self, network: ToyNetwork, state: ToyState) -> None:
        self._network, self._state = network, state

    def propose(self, written: Sequence[int]) -> Sequence[int]:
        text = [*self._state.read, written[-1]]
        guess: list[int] = []
        for place in range(4):
            token = int(self._network._logits([*text, *guess]).argmax())
            guess.append(token if (len(text) + place) % 3 else (token + 1) % 20)
        return guess


def _drafting(windable: bool = True) -> ToyNetwork:
    network = ToyNetwork(windable=windable)
    network.drafter_for = lambda state: _Half(network, state)
    return network


@pytest.mark.parametrize("windable", [True, False])
@pytest.mark.parametrize(
    "choice", [Choice(), WARM, Choice(1.5, 0.9, 20, 1.2, seed=9, min_p=0.01), Choice(0, 1, 0, 1.3)]
)
def test_guesses_right_and_wrong_never_change_an_answer(choice: Choice, windable: bool) -> None:
    job = Job(TEXT, 60, choice, logprobs=2)
    plain, finish = _all(toy(), job)
    network = _drafting(windable)
    drafted, drafted_finish = _all(toy(network), job)
    assert _joined(drafted) == _joined(plain)
    assert replace(drafted_finish.usage, seconds=0) == replace(finish.usage, seconds=0)
    assert any(size > 1 for size in network.steps)


def _joined(pieces: Sequence[Piece]) -> tuple[str, list[Chosen]]:
    return "".join(piece.text for piece in pieces), [c for piece in pieces for c in piece.chosen]


def test_right_guesses_save_steps() -> None:
    network = _drafting()
    _, finish = _run(toy(network), Job(TEXT, 60, Choice()))
    assert finish.usage.completion == 60
    assert len(network.steps) < 40


def test_a_job_can_forbid_every_guess() -> None:
    network = _drafting()
    _run(toy(network), Job(TEXT, 20, Choice(), lookup=3, draft=False))
    assert set(network.steps) == {1}


def test_what_was_guessed_in_vain_is_not_kept() -> None:
    model = toy(_drafting())
    text, _ = _run(model, Job(TEXT, 30, Choice()))
    after = asked(TEXT.text + text + " and then?")
    assert _run(model, Job(after, 20, Choice()))[0] == _run(toy(), Job(after, 20, Choice()))[0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 40), st.integers(1, 30), st.integers(1, 6), st.booleans())
def test_limits_are_kept_to_the_token_whatever_is_guessed(
    budget: int, most: int, lookup: int, opened: bool
) -> None:
    chat = ToyChat(thinks=True)
    tail = "<think>" if opened else ""
    job = Job(asked("abab" * 9, tail), most, Choice(), thinking_budget=budget, lookup=lookup)
    plain = _run(toy(chat=chat), replace(job, lookup=0, draft=False))
    text, finish = _run(toy(_drafting(), chat=chat), job)
    assert (text, finish.usage.completion) == (plain[0], plain[1].usage.completion)
    assert finish.usage.completion <= most


# --- thinking -------------------------------------------------------------------------------


def _thinker(**favour: float) -> ToyNetwork:
    network = ToyNetwork()
    tokens = {"end_think": END_THINK, "think": THINK}
    network.favour = {tokens[name]: more for name, more in favour.items()}
    return network


@pytest.mark.parametrize("budget", [0, 1, 7])
def test_a_spent_budget_closes_the_thinking_in_the_same_conversation(budget: int) -> None:
    network = _thinker()
    model = toy(network, chat=ToyChat(thinks=True, close=(END_THINK, ANSWER)))
    job = Job(asked(TEXT.text, "<think>"), 40, Choice(), thinking_budget=budget)
    text, finish = _run(model, job)
    thinking, tags, answer = text.partition("</think><answer>")
    assert (len(thinking), bool(tags)) == (budget, True)
    assert finish.usage.completion == 40 == budget + 2 + len(answer)
    assert sum(network.reads) == len(TEXT.tokens)


def test_a_budget_begins_where_the_model_opens_its_thinking() -> None:
    network = _thinker(think=1000)
    model = toy(network, chat=ToyChat(thinks=True))
    text, _ = _run(model, Job(TEXT, 12, Choice(), thinking_budget=0))
    assert text.startswith("<think></think>")


def test_the_closing_is_what_the_rest_follows_from() -> None:
    """The answer behind a closing that was written for the model is the one that it would have
    given behind the same words in the prompt."""
    chat = ToyChat(thinks=True)
    job = Job(asked(TEXT.text, "<think>"), 20, Choice(), thinking_budget=5)
    text, _ = _run(toy(chat=chat), job)
    thinking, _, answer = text.partition("</think>")
    tokens = (*TEXT.tokens, *chat.encode(thinking), END_THINK)
    again, _ = _run(toy(chat=chat), Job(Prompt("</think>", tokens, tokens), 14, Choice()))
    assert again == answer


def test_a_thinking_that_ends_by_itself_is_left_alone() -> None:
    network = _thinker(end_think=26)
    model = toy(network, chat=ToyChat(thinks=True))
    job = Job(asked(TEXT.text, "<think>"), 60, Choice(), thinking_budget=50)
    free = replace(job, thinking_budget=None)
    assert len(_run(model, free)[0].partition("</think>")[2]) > 1
    assert _run(model, job)[0] == _run(model, free)[0]


def test_a_model_that_does_not_think_has_no_use_for_a_budget() -> None:
    job = Job(TEXT, 20, Choice(), thinking_budget=0)
    assert _run(toy(), job)[0] == _run(toy(), replace(job, thinking_budget=None))[0]


# --- logprobs and grammars ------------------------------------------------------------------


def test_logprobs_come_with_each_token_and_not_with_the_end() -> None:
    network = ToyNetwork()
    network.favour = {END: 26.0}
    pieces, finish = _all(toy(network), Job(TEXT, 60, Choice(), logprobs=3))
    chosen = [token for piece in pieces for token in piece.chosen]
    assert finish.reason == "stop"
    assert len(chosen) == finish.usage.completion - 1
    assert all(len(c.top) == 3 and c.top[0] == (c.token, c.logprob) for c in chosen)
    assert all(sum(math.exp(value) for _, value in c.top) <= 1.0001 for c in chosen)


def test_logprobs_come_with_a_closing_that_was_written_for_the_model() -> None:
    model = toy(chat=ToyChat(thinks=True, close=(END_THINK, ANSWER)))
    job = Job(asked(TEXT.text, "<think>"), 9, Choice(), thinking_budget=2, logprobs=0)
    chosen = [c for piece in _all(model, job)[0] for c in piece.chosen]
    assert [c.token for c in chosen][2:4] == [END_THINK, ANSWER]
    assert chosen[2].logprob < -15


class _Digits:
    """A grammar of two to four digits."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    @property
    def finished(self) -> bool:
        return len(self.taken) == 4

    def allowed(self) -> torch.Tensor:
        mask = torch.zeros(VOCABULARY, dtype=torch.bool)
        mask[[LETTERS.index(digit) for digit in "0123456789"]] = True
        mask[END] = len(self.taken) >= 2
        return mask

    def take(self, token: int) -> None:
        self.taken.append(token)


@pytest.mark.parametrize("choice", [Choice(), WARM])
def test_an_answer_is_held_to_its_grammar_and_ends_with_it(choice: Choice) -> None:
    text, finish = _run(toy(), Job(TEXT, 60, choice, guide=_Digits()))
    assert text.isdigit()
    assert (2 <= len(text) <= 4, finish.reason) == (True, "stop")


def test_an_answer_may_end_where_the_grammar_allows_it() -> None:
    network = ToyNetwork()
    network.favour = {END: 1000.0}
    text, finish = _run(toy(network), Job(TEXT, 60, Choice(), guide=_Digits()))
    assert (len(text), finish.reason) == (2, "stop")


def test_the_grammar_begins_behind_the_thinking() -> None:
    model = toy(_thinker(think=1000), chat=ToyChat(thinks=True, close=(END_THINK, ANSWER)))
    job = Job(TEXT, 60, Choice(), thinking_budget=6, guide=_Digits())
    text, _ = _run(model, job)
    assert text.startswith("<think>")
    assert text.partition("</think><answer>")[2].strip().isdigit()


def test_guesses_and_a_grammar_go_together() -> None:
    plain = _run(toy(), Job(TEXT, 60, WARM, guide=_Digits()))[0]
    assert _run(toy(_drafting()), Job(TEXT, 60, WARM, guide=_Digits()))[0] == plain


def test_a_grammar_with_nowhere_to_go_ends_the_answer() -> None:
    class Nothing(_Digits):
        def allowed(self) -> torch.Tensor:
            return torch.zeros(VOCABULARY, dtype=torch.bool)

    text, finish = _run(toy(), Job(TEXT, 60, Choice(), guide=Nothing()))
    assert (text, finish.reason, finish.usage.completion) == ("", "stop", 0)
