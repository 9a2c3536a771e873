"""Guesses of what comes next, to be checked by reading several tokens at once; knows what was read
and written, and no network."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.local.network import Drafter

_LONGEST, _SHORTEST = 3, 2  # tokens of a passage that must stand in the text before


class Lookup:
    """Prompt lookup: what followed the last time that these few tokens stood in the conversation.

    As in transformers' `prompt_lookup_num_tokens` and vLLM's n-gram method, with the latest place
    preferred. `keys` are the prompt's; pieces of pictures (below zero) are never proposed.
    """

    def __init__(self, keys: Sequence[int], most: int) -> None:
        self._text = list(keys)
        self._most = most
        self._read = len(self._text)  # the prompt's length
        self._places: dict[tuple[int, ...], int] = {}  # a passage → the place behind it
        self._known = 0  # places that are in the index

    def propose(self, written: Sequence[int]) -> Sequence[int]:
        self._text.extend(written[len(self._text) - self._read :])
        self._index()
        for size in range(_LONGEST, _SHORTEST - 1, -1):
            place = self._places.get(tuple(self._text[-size:]))
            if place is not None:
                return self._following(place)
        return ()

    def _index(self) -> None:
        """Note every passage but the last, behind which nothing stands yet."""
        for place in range(max(self._known, 1), len(self._text)):
            for size in range(_SHORTEST, min(_LONGEST, place) + 1):
                self._places[tuple(self._text[place - size : place])] = place
        self._known = len(self._text)

    def _following(self, place: int) -> Sequence[int]:
        following = self._text[place : place + self._most]
        for count, token in enumerate(following):
            if token < 0:
                return following[:count]
        return following


class Guesses:
    """What to try next: a passage from the text where one fits, else the network's own guess."""

    def __init__(self, *drafters: Drafter | None) -> None:
        self._drafters = [drafter for drafter in drafters if drafter is not None]

    def next(self, written: Sequence[int], most: int) -> tuple[int, ...]:
        """At most `most` tokens that may follow `written`."""
        if most <= 0:
            return ()
        for drafter in self._drafters:
            if guess := drafter.propose(written):
                return tuple(guess[:most])
        return ()

    def stop(self) -> None:
        """Guess no more."""
        self._drafters.clear()
