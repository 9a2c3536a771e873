from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import MANY, TOKEN_BYTES, ToyNetwork, asked, toy

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.memory import Memory
from app.engine.local.model import Model
from app.engine.local.room import Room
from app.engine.local.sampler import Choice
from app.vocabulary import EngineFault

LONG = "the quick brown fox jumps over the lazy dog. " * 4  # 180 tokens


def _ask(model: Model, text: str, count: int = 5) -> tuple[str, Finish]:
    *pieces, last = generate(model, Job(asked(text), count, Choice()), lambda: False)
    assert isinstance(last, Finish)
    return "".join(piece.text for piece in pieces), last


def test_a_conversation_that_goes_on_reads_only_what_is_new() -> None:
    model = toy()
    answer, _ = _ask(model, LONG)
    _, finish = _ask(model, f"{LONG}{answer}and then")
    assert finish.usage.cached == len(LONG) + len(answer) - 1  # its last token was never read


def test_a_prompt_that_comes_again_reads_its_last_token_only() -> None:
    model = toy()
    first, _ = _ask(model, LONG)
    second, finish = _ask(model, LONG)
    assert (second, finish.usage.cached) == (first, len(LONG) - 1)
    assert model.memory.kept == 1


def test_a_template_that_changes_the_end_of_a_prompt_does_not_cost_the_rest() -> None:
    model = toy()
    _ask(model, f"{LONG}user: hi. assistant")
    _, finish = _ask(model, f"{LONG}user: hi.! assistant: hello")
    assert finish.usage.cached == len(f"{LONG}user: hi.")
    assert model.memory.kept == 1


def test_a_conversation_that_begins_like_another_leaves_it_whole() -> None:
    model = toy()
    one, _ = _ask(model, f"{LONG}what is the first thing that it says?")
    _, other = _ask(model, f"{LONG}and another question altogether, of more words")
    assert other.usage.cached == len(LONG)
    assert model.memory.kept == 2
    asked_again = f"{LONG}what is the first thing that it says?{one}go on"
    assert _ask(model, asked_again)[1].usage.cached == len(asked_again) - len("go on") - 1


def test_a_short_beginning_in_common_is_read_again_rather_than_copied() -> None:
    model = toy()
    _ask(model, f"system: be kind. {LONG}")
    _, finish = _ask(model, "system: be kind. something else that is long enough to be another")
    assert finish.usage.cached == 0
    assert model.memory.kept == 2


def test_a_conversation_can_be_copied_while_it_is_worked_on() -> None:
    model = toy()
    steps = generate(model, Job(asked(f"{LONG}one question"), 50, Choice()), lambda: False)
    for _ in range(20):
        next(steps)
    _, finish = _ask(model, f"{LONG}another question, which is about something else")
    assert finish.usage.cached == len(LONG)
    steps.close()
    assert model.memory.kept == 2


def test_pieces_of_another_picture_are_not_the_same() -> None:
    model = toy()
    one, other = asked(LONG), asked(LONG)
    shown = (*one.keys[:100], -7, -8, -9, *one.keys[103:])
    changed = (*one.keys[:100], -7, -5, -6, *one.keys[103:])
    list(generate(model, Job(type(one)(LONG, one.tokens, shown), 3, Choice()), lambda: False))
    second = Job(type(other)(LONG, other.tokens, changed), 3, Choice())
    *_, finish = generate(model, second, lambda: False)
    assert isinstance(finish, Finish)
    assert finish.usage.cached == 101


def test_the_conversation_that_was_asked_longest_ago_is_forgotten_first() -> None:
    size = 100 * TOKEN_BYTES
    model = toy(room=Room(limit=3 * size, kept=3 * size))
    texts = [letter * 90 for letter in "abcd"]
    for text in texts:
        _ask(model, text)
    assert _ask(model, texts[0])[1].usage.cached == 0
    assert _ask(model, texts[3])[1].usage.cached == 89


def test_idle_conversations_take_no_more_than_their_share() -> None:
    size = 100 * TOKEN_BYTES
    model = toy(room=Room(limit=10 * size, kept=2 * size))
    for letter in "abcdef":
        _ask(model, letter * 90)
    assert model.memory.bytes <= 2 * size


def test_the_latest_conversation_is_kept_even_where_it_is_larger_than_the_share() -> None:
    model = toy(room=Room(limit=10**6, kept=10))
    _ask(model, LONG)
    assert _ask(model, LONG)[1].usage.cached == len(LONG) - 1


def test_without_room_for_a_copy_the_other_conversation_gives_way() -> None:
    network = ToyNetwork()
    limit = (len(LONG) + 60) * TOKEN_BYTES
    model = toy(network, room=Room(limit, limit))
    _ask(model, f"{LONG}what is the first thing that it says?")
    _, finish = _ask(model, f"{LONG}and another question altogether of words")
    assert finish.usage.cached == len(LONG)
    assert model.memory.kept == 1
    assert network.bytes <= limit


def test_a_prompt_that_can_never_fit_is_refused_with_the_numbers_before_any_work() -> None:
    network = ToyNetwork()
    model = toy(network, room=Room(limit=2**29, kept=2**29))
    with pytest.raises(EngineFault, match=r"needs 0\.93 GB.* 0\.50 GB are free") as caught:
        _ask(model, LONG, count=10**6)
    assert caught.value.kind == "out_of_memory"
    assert not network.reads
    assert _ask(model, LONG)[1].reason == "length"


def test_an_error_gives_up_what_was_taken() -> None:
    network = ToyNetwork(limit=100 * TOKEN_BYTES)
    model = toy(network)
    with pytest.raises(MemoryError):
        _ask(model, LONG)
    assert (model.memory.held, model.memory.kept, network.bytes) == (0, 0, 0)
    assert _ask(model, "short")[1].reason == "length"


def test_a_cancelled_conversation_is_kept_as_far_as_it_was_read() -> None:
    model = toy()
    steps = generate(model, Job(asked(LONG), 50, Choice()), lambda: False)
    next(steps)
    steps.close()
    assert model.memory.held == 0
    assert _ask(model, LONG)[1].usage.cached > 0


@pytest.mark.parametrize("more", ["", " and more"])
def test_a_state_that_can_not_be_wound_back_is_used_only_as_an_exact_beginning(more: str) -> None:
    model = toy(ToyNetwork(windable=False))
    answer, _ = _ask(model, LONG)
    cached = _ask(model, f"{LONG}{answer}{more}")[1].usage.cached
    assert cached == (len(LONG) + len(answer) - 1)
    assert _ask(model, f"{LONG}something else")[1].usage.cached == 0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.text("abc", max_size=6)), max_size=12), st.booleans()
)
def test_what_is_kept_never_changes_an_answer(turns: list[tuple[int, str]], windable: bool) -> None:
    """Conversations that share beginnings, go on, change their minds, and get tight on room."""
    begun = {place: LONG[: place * 60] for place in range(4)}
    tight = toy(ToyNetwork(windable=windable), room=Room(600 * TOKEN_BYTES, 400 * TOKEN_BYTES))
    for place, more in turns:
        text = f"{begun[place]}{more}?"
        answer, _ = _ask(tight, text)
        assert answer == _ask(toy(), text)[0]
        begun[place] = text + answer if len(text) < 300 else LONG[:7]


def test_a_fresh_memory_is_empty() -> None:
    memory = Memory(ToyNetwork(), MANY)
    assert (memory.kept, memory.held, memory.bytes) == (0, 0, 0)
