from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from toy import ANSWER, END, END_THINK, LETTERS, THINK, VOCABULARY, ToyChat

from app.engine.local.thought import Phase, Rein, Tags, Thought

CHAT = ToyChat(thinks=True)
TWO = ToyChat(thinks=True, close=(END_THINK, ANSWER))
LETTER, NEWLINE, BRACE = LETTERS.index("a"), LETTERS.index("\n"), LETTERS.index("{")


def _thought(
    chat: ToyChat = CHAT, tail: str = "", budget: int | None = None, strict: bool = False
) -> Thought:
    tags = Tags.of(chat.open_thought, chat.close_thought, chat.decode)
    return Thought(tags, chat.decode, tail=tail, budget=budget, strict=strict)


def _fed(thought: Thought, *tokens: int) -> Thought:
    for token in tokens:
        thought.feed(token)
    return thought


@pytest.mark.parametrize(
    ("tail", "phase"),
    [
        ("assistant", "undecided"),
        ("assistant\n<think>", "thinking"),
        ("assistant\n<think>\n", "thinking"),
        ("assistant\n<think></think>", "answering"),
        ("assistant\n<think></think>\n\n", "answering"),
        ("<think></think>\nan answer\nuser: and?\nassistant", "undecided"),
    ],
)
def test_the_prompts_end_says_how_it_begins(tail: str, phase: Phase) -> None:
    assert _thought(tail=tail).phase == phase


def test_a_prompt_that_closed_thinking_and_opened_the_answer_is_answered() -> None:
    assert _thought(TWO, "<think></think><answer>").phase == "answering"


def test_a_model_without_tags_only_answers() -> None:
    thought = _thought(ToyChat(), budget=0)
    assert (thought.phase, thought.due()) == ("answering", ())


def test_white_space_leaves_it_undecided_and_a_word_settles_it() -> None:
    thought = _fed(_thought(), NEWLINE)
    assert thought.phase == "undecided"
    assert _fed(thought, LETTER).phase == "answering"


def test_the_opening_tag_begins_the_thinking_and_the_closing_one_ends_it() -> None:
    thought = _fed(_thought(), NEWLINE, THINK, LETTER)
    assert thought.phase == "thinking"
    assert _fed(thought, END_THINK).phase == "answering"


def test_a_tag_in_pieces_is_read_as_one() -> None:
    pieces = {1: "<", 2: "think", 3: ">\n", 4: "</", 5: "hm"}

    def decode(tokens: Sequence[int]) -> str:
        return "".join(pieces[token] for token in tokens)

    thought = Thought(Tags.of((1, 2, 3), (4, 2, 3), decode), decode)
    assert _fed(thought, 1, 2).phase == "undecided"
    assert _fed(thought, 3, 5).phase == "thinking"
    assert _fed(thought, 4, 2, 3).phase == "answering"


def test_the_budget_is_spent_after_so_many_tokens_of_thinking() -> None:
    thought = _fed(_thought(budget=3), NEWLINE, THINK, LETTER, LETTER)
    assert not thought.is_due
    assert _fed(thought, LETTER).due() == (END_THINK,)
    assert (thought.phase, thought.due()) == ("answering", ())


@pytest.mark.parametrize("tail", ["", "<think>"])
def test_a_budget_of_nothing_closes_at_once(tail: str) -> None:
    thought = _thought(tail=tail, budget=0)
    assert (tail and thought.due()) or _fed(thought, THINK).due() == (END_THINK,)


def test_closing_writes_all_that_stands_between_thinking_and_answer() -> None:
    assert _fed(_thought(TWO, "<think>", 1), LETTER).due() == (END_THINK, ANSWER)


def test_a_model_that_closes_its_own_thinking_goes_on_by_itself() -> None:
    assert _fed(_thought(TWO, "<think>"), LETTER, END_THINK).due() == ()


def test_a_strict_one_opens_the_answer_where_the_model_only_closed_the_thinking() -> None:
    assert _fed(_thought(TWO, "<think>", strict=True), END_THINK).due() == (ANSWER,)


def test_thinking_again_is_held_to_the_same_budget() -> None:
    thought = _fed(_thought(budget=2), THINK, LETTER, END_THINK, LETTER, THINK)
    assert thought.phase == "thinking"
    assert _fed(thought, LETTER).is_due


class _Braces:
    """A grammar of `{`, any letters `a`, `}`."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    @property
    def finished(self) -> bool:
        return self.taken[-1:] == [LETTERS.index("}")]

    def allowed(self) -> torch.Tensor:
        mask = torch.zeros(VOCABULARY, dtype=torch.bool)
        mask[[LETTER, LETTERS.index("}")] if self.taken else [BRACE]] = True
        return mask

    def take(self, token: int) -> None:
        assert self.allowed()[token]
        self.taken.append(token)


def _rein(thought: Thought) -> tuple[Rein, _Braces]:
    guide = _Braces()
    return Rein(guide, thought, ends=frozenset({END}), blanks=frozenset({NEWLINE})), guide


def _allowed(rein: Rein) -> set[int] | None:
    mask = rein.allowed()
    return None if mask is None else set(mask.nonzero().flatten().tolist())


def _take(rein: Rein, thought: Thought, *tokens: int) -> None:
    for token in tokens:
        rein.take(token)
        thought.feed(token)


def test_an_undecided_model_may_think_first_or_answer() -> None:
    assert _allowed(_rein(_thought())[0]) == {BRACE, NEWLINE, THINK}


def test_thinking_is_free_and_the_grammar_begins_behind_it() -> None:
    thought = _thought()
    rein, guide = _rein(thought)
    _take(rein, thought, NEWLINE, THINK, LETTER, LETTER)
    assert _allowed(rein) is None
    _take(rein, thought, END_THINK)
    assert _allowed(rein) == {BRACE, NEWLINE}
    _take(rein, thought, NEWLINE, BRACE, LETTER)
    assert guide.taken == [BRACE, LETTER]
    assert NEWLINE not in (_allowed(rein) or ())


def test_an_answer_without_thinking_ends_the_doubt() -> None:
    thought = _thought()
    rein, _ = _rein(thought)
    _take(rein, thought, BRACE)
    assert _allowed(rein) == {LETTER, LETTERS.index("}")}


def test_white_space_before_the_answer_has_an_end() -> None:
    thought = _thought()
    rein, _ = _rein(thought)
    for _ in range(9):
        if NEWLINE not in (_allowed(rein) or ()):
            break
        _take(rein, thought, NEWLINE)
    assert _allowed(rein) == {BRACE, THINK}


def test_a_whole_answer_is_finished() -> None:
    thought = _thought()
    rein, _ = _rein(thought)
    _take(rein, thought, BRACE)
    assert not rein.finished
    _take(rein, thought, LETTERS.index("}"))
    assert rein.finished


def test_where_the_grammar_may_end_every_end_will_do() -> None:
    class Over(_Braces):
        def allowed(self) -> torch.Tensor:
            mask = torch.zeros(VOCABULARY, dtype=torch.bool)
            mask[END] = True
            return mask

    thought = _thought(tail="</think>")
    ends = frozenset({END, VOCABULARY + 2})
    rein = Rein(Over(), thought, ends=ends, blanks=frozenset())
    assert _allowed(rein) == ends
