from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from app.engine.local.speculate import Guesses, Lookup


def test_what_followed_a_passage_before_is_proposed_again() -> None:
    assert Lookup([1, 2, 3, 4, 5, 6, 9], 3).propose([2, 3]) == [4, 5, 6]


def test_the_latest_place_is_preferred() -> None:
    assert Lookup([1, 2, 7, 1, 2, 8, 9], 1).propose([1, 2]) == [8]


def test_a_longer_passage_is_preferred_to_a_later_one() -> None:
    assert Lookup([5, 1, 2, 7, 4, 1, 2, 8, 9], 1).propose([5, 1, 2]) == [7]


def test_the_answer_itself_is_looked_through_as_it_grows() -> None:
    lookup = Lookup([9], 2)
    assert not lookup.propose([1])
    assert not lookup.propose([1, 2, 3])
    assert lookup.propose([1, 2, 3, 4, 1, 2]) == [3, 4]


def test_a_single_token_in_common_is_not_enough() -> None:
    assert not Lookup([1, 2, 3], 4).propose([2])


def test_pieces_of_pictures_are_never_proposed() -> None:
    assert Lookup([1, 2, 3, -5, 4], 4).propose([1, 2]) == [3]


@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=20))
def test_a_proposal_is_what_followed_the_end_somewhere(keys: list[int], answer: list[int]) -> None:
    lookup = Lookup(keys, 4)
    for end in range(1, len(answer) + 1):
        guess = list(lookup.propose(answer[:end]))
        text = [*keys, *answer[:end]]
        if guess:
            passage = [*text[-2:], *guess]
            places = range(len(text) - len(passage) + 1)
            assert any(text[place : place + len(passage)] == passage for place in places)


class _Fixed:
    def __init__(self, guess: Sequence[int]) -> None:
        self._guess = guess

    def propose(self, written: Sequence[int]) -> Sequence[int]:
        return self._guess


def test_the_first_that_has_a_guess_is_heard_and_no_more_is_taken_than_fits() -> None:
    guesses = Guesses(None, _Fixed([]), _Fixed([1, 2, 3]), _Fixed([4]))
    assert guesses.next([0], 2) == (1, 2)
    assert guesses.next([0], 0) == ()


def test_guesses_can_be_stopped() -> None:
    guesses = Guesses(_Fixed([1]))
    guesses.stop()
    assert guesses.next([0], 5) == ()
