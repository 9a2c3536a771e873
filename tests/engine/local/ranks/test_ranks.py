"""Networks over several processes: the same answers as in one, and nothing left when it is over."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing

import pytest
import torch
from split import alone, spread, spread_model
from toy import asked, toy

from app.engine.local.generate import Piece, generate
from app.engine.local.job import Job
from app.engine.local.model import Model
from app.engine.local.network import Network
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice, Drawing
from app.vocabulary import EndpointFault

TEXT = "the quick brown fox jumps over the lazy dog. "


@pytest.fixture(scope="module")
def three() -> Iterator[Spread]:
    with closing(spread(3)) as network:
        yield network


def _written(model: Model, text: str, count: int = 30) -> str:
    given = generate(model, Job(asked(text), count, Choice()), lambda: False)
    return "".join(piece.text for piece in given if isinstance(piece, Piece))


def _logits(network: Network) -> torch.Tensor:
    state, prompt = network.begin(), asked(TEXT)
    network.read(state, prompt, 20)
    network.read(state, prompt, 1000)
    return network.step(state, [3, 1, 4])


def test_three_ranks_reckon_as_one(three: Spread) -> None:
    torch.testing.assert_close(_logits(three), _logits(alone()))


def test_an_answer_is_the_same_as_in_one_process(three: Spread) -> None:
    model, one = spread_model(three), toy(alone())
    for text in (TEXT, TEXT + "a", "b" + TEXT):  # one that goes on, and one that begins anew
        assert _written(model, text) == _written(one, text)


def test_every_rank_keeps_and_copies_as_rank_0_does(three: Spread) -> None:
    state = three.begin()
    three.read(state, asked(TEXT), 1000)
    copied = state.copy(7)
    assert copied is not None
    assert state.keep(30)
    three.step(copied, [5])
    assert three.call("lengths", state) == [30, 30, 30]
    assert three.call("lengths", copied) == [8, 8, 8]


def test_a_chain_goes_on_on_every_rank(three: Spread) -> None:
    state, one = three.begin(), alone()
    three.read(state, asked(TEXT), 1000)
    chain = three.chain(state, 5, Drawing(Choice(), 10))
    assert chain is not None
    tokens = [chain.next() for _ in range(10)]
    chain.close()
    alone_state = one.begin()
    one.read(alone_state, asked(TEXT), 1000)
    other = one.chain(alone_state, 5, None)
    assert other is not None
    assert tokens == [other.next() for _ in range(10)]


def test_a_prompt_travels_once_however_many_parts_are_read(three: Spread) -> None:
    three.call("prompts")
    state, prompt = three.begin(), asked(TEXT)
    for _ in range(5):
        three.read(state, prompt, 9)
    assert three.call("prompts") == [1, 1, 1]


def test_a_state_that_nobody_has_any_more_goes_on_every_rank(three: Spread) -> None:
    gc.collect()
    before = three.call("held")
    state = three.begin()
    three.read(state, asked(TEXT), 1000)
    assert three.call("held") == [count + 1 for count in before]
    del state
    assert three.call("held") == before


@pytest.mark.parametrize(("mishap", "error"), [("memory", MemoryError), ("bad", EndpointFault)])
def test_what_goes_wrong_on_all_ranks_alike_fails_the_request_and_the_next_one_works(
    three: Spread, mishap: str, error: type[Exception]
) -> None:
    state = three.begin()
    three.call("arm", mishap, (0, 1, 2))
    with pytest.raises(error):
        three.read(state, asked(TEXT), 1000)
    assert three.crew.fault is None
    torch.testing.assert_close(_logits(three), _logits(alone()))
