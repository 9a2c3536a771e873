from __future__ import annotations

import time
from dataclasses import replace

import pytest

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.generic import Model
from app.engine.local.sampler import Choice

PROMPT = tuple(range(40, 70))


def _never() -> bool:
    return False


def _run(model: Model, job: Job) -> tuple[str, Finish]:
    *texts, last = generate(model, job, _never)
    assert isinstance(last, Finish)
    return "".join(text for text in texts if isinstance(text, str)), last


def test_it_ends_at_the_limit(tiny: Model) -> None:
    _, finish = _run(tiny, Job(PROMPT, 5, Choice(temperature=1, seed=1)))
    assert (finish.reason, finish.usage.completion) == ("length", 5)


def test_it_counts_the_prompt_and_what_it_recalled_of_it(tiny: Model) -> None:
    _run(tiny, Job(PROMPT, 2, Choice()))
    _, finish = _run(tiny, Job(PROMPT, 2, Choice()))
    assert (finish.usage.prompt, finish.usage.cached) == (len(PROMPT), len(PROMPT) - 1)


def test_a_recalled_prompt_gets_the_same_answer(tiny: Model) -> None:
    job = Job(PROMPT, 12, Choice(temperature=1, seed=5))
    assert _run(tiny, job)[0] == _run(tiny, job)[0]


def test_every_token_that_ends_an_answer_does(tiny: Model) -> None:
    tiny.recall(PROMPT)
    first = int(list(tiny.read(PROMPT))[-1].argmax())
    tiny.defaults = replace(tiny.defaults, ends=frozenset({999, first}))
    text, finish = _run(tiny, Job(PROMPT, 9, Choice()))
    assert (text, finish.reason) == ("", "stop")


def test_it_stops_before_a_stop_string(tiny: Model) -> None:
    choice = Choice(temperature=1, seed=3)
    free, _ = _run(tiny, Job(PROMPT, 30, choice))
    word = free[4:6]
    text, finish = _run(tiny, Job(PROMPT, 30, choice, (word,)))
    assert (text, finish.reason) == (free[: free.find(word)], "stop")


def test_a_cancel_while_the_prompt_is_read_ends_it(tiny: Model) -> None:
    (finish,) = generate(tiny, Job(PROMPT, 5, Choice()), lambda: True)
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.usage.completion) == ("cancelled", 0)


def test_a_cancel_between_tokens_ends_it(tiny: Model) -> None:
    asked = iter([False] * 4 + [True] * 9)
    *_, finish = generate(tiny, Job(PROMPT, 50, Choice(temperature=1)), lambda: next(asked))
    assert isinstance(finish, Finish)
    assert finish.reason == "cancelled"
    assert finish.usage.completion < 5


def test_the_next_answer_after_a_cancel_is_what_it_would_have_been(tiny: Model) -> None:
    job = Job(PROMPT, 8, Choice())
    before, _ = _run(tiny, job)
    asked = iter([False] * 3 + [True] * 9)
    list(generate(tiny, Job((7, *PROMPT), 50, Choice()), lambda: next(asked)))
    assert _run(tiny, job)[0] == before


@pytest.mark.parametrize("count", [1, 2, 33, 100])
def test_a_prompt_of_any_length_is_read(tiny: Model, count: int) -> None:
    _, finish = _run(tiny, Job((65,) * count, 1, Choice()))
    assert finish.usage.prompt == count


def test_the_seconds_are_those_it_took(tiny: Model) -> None:
    start = time.monotonic()
    _, finish = _run(tiny, Job(PROMPT, 3, Choice()))
    assert 0 < finish.usage.seconds <= time.monotonic() - start
