"""Whether a model thinks at the moment, and when it has thought enough; knows tokens and how they
are written, not what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from app.engine.local.sampler import Guide

Phase = Literal["undecided", "thinking", "answering"]
Decode = Callable[[Sequence[int]], str]

_TAIL = 64  # characters in which a closing tag shows, however it is cut into tokens
_BLANKS = 4  # white tokens that may stand before a guided answer: one more would be a loop


@dataclass(frozen=True, slots=True)
class Tags:
    """What opens a model's thinking and what closes it, as tokens and as text.

    `close` may hold more than `closed`, the tag that ends the thinking: GLM-4.1V opens its answer
    behind it. Without `open` a model does not think.
    """

    open: tuple[int, ...] = ()
    close: tuple[int, ...] = ()
    opened: str = ""
    closed: str = ""

    @classmethod
    def of(cls, opening: Sequence[int], closing: Sequence[int], decode: Decode) -> Tags:
        if not opening or not closing:
            return cls()
        first = len(closing)
        for count in range(1, len(closing)):
            if decode(closing[:count]).rstrip().endswith((">", "]")):
                first = count
                break
        opened, closed = decode(opening).strip(), decode(closing[:first]).strip()
        return cls(tuple(opening), tuple(closing), opened, closed)

    def behind(self, decode: Decode) -> tuple[int, ...]:
        """The tokens of `close` that follow the tag itself."""
        for count in range(1, len(self.close) + 1):
            if decode(self.close[:count]).strip() == self.closed:
                return self.close[count:]
        return ()


class Thought:
    """Follows an answer token by token.

    `tail` is the end of the prompt's text: it may have opened or closed the thinking already.
    `budget` is how many tokens of thinking there may be. `strict` has all of `Tags.close` follow
    where the model itself wrote only the tag, for a grammar that begins right behind it.
    """

    def __init__(
        self,
        tags: Tags,
        decode: Decode,
        *,
        tail: str = "",
        budget: int | None = None,
        strict: bool = False,
    ) -> None:
        self.tags = tags
        self._decode = decode
        self._budget = budget
        self._strict = strict
        self._text = ""
        self._spent = 0
        self._due: tuple[int, ...] = ()
        self.phase: Phase = self._first(tail.rstrip()) if tags.opened else "answering"

    def _first(self, tail: str) -> Phase:
        if tail.endswith(self.tags.opened):
            return "thinking"
        whole = self._decode(self.tags.close).strip()
        return "answering" if tail.endswith((self.tags.closed, whole)) else "undecided"

    def feed(self, token: int) -> None:
        """Note a token that the model chose."""
        if not self.tags.opened:
            return
        match self.phase:
            case "undecided":
                self._begin(token)
            case "thinking":
                self._think(token)
            case "answering":
                if self.tags.open == (token,):  # on second thoughts
                    self.phase, self._text = "thinking", ""

    @property
    def is_due(self) -> bool:
        return bool(self._due) or self._is_spent

    def due(self) -> tuple[int, ...]:
        """The tokens that must follow now, as if chosen; they are taken for written."""
        due, self._due = self._due, ()
        if self._is_spent:
            self.phase, due = "answering", self.tags.close
        return due

    @property
    def _is_spent(self) -> bool:
        budget = self._budget
        return self.phase == "thinking" and budget is not None and self._spent >= budget

    def _begin(self, token: int) -> None:
        self._text += self._decode((token,))
        begun = self._text.lstrip()
        if begun.startswith(self.tags.opened):
            self.phase, self._text = "thinking", ""
        elif not self.tags.opened.startswith(begun):
            self.phase = "answering"

    def _think(self, token: int) -> None:
        self._spent += 1
        self._text = (self._text + self._decode((token,)))[-_TAIL:]
        if self.tags.closed in self._text:
            self.phase = "answering"
            self._due = self.tags.behind(self._decode) if self._strict else ()


class Rein:
    """Holds an answer to its grammar, and leaves the thinking before it free.

    `blanks` are tokens of nothing but white space; a model that thinks may write a few of them
    before its answer.
    """

    def __init__(
        self, guide: Guide, thought: Thought, *, ends: frozenset[int], blanks: frozenset[int]
    ) -> None:
        self._guide = guide
        self._thought = thought
        self._ends = ends
        self._blanks = blanks if thought.tags.opened else frozenset()
        self._waited = 0  # blanks before the answer
        self._opening = 0  # tokens of an opening tag that is still being written
        self._begun = False

    @property
    def finished(self) -> bool:
        return self._begun and self._guide.finished

    def allowed(self) -> torch.Tensor | None:
        """bool [V]: what may come next; None where anything may."""
        if self._thought.phase == "thinking":
            return None
        mask = self._guide.allowed()
        if mask is None:
            return None
        if self._opening:
            return _also(torch.zeros_like(mask), self._thought.tags.open[self._opening :][:1])
        beside = self._beside()
        if any(end < len(mask) and mask[end] for end in self._ends):
            beside |= self._ends
        return _also(mask.clone(), beside) if beside else mask

    def take(self, token: int) -> None:
        """Note a token that was chosen, before `Thought.feed` hears of it."""
        if self._thought.phase == "thinking" or token in self._ends:
            return
        if not self._begun and self._is_beside(token):
            return
        self._begun = True
        self._guide.take(token)

    def _is_beside(self, token: int) -> bool:
        """Whether it stands before the answer: white space, or the opening of the thinking."""
        if self._undecided and token in self._thought.tags.open[self._opening :][:1]:
            self._opening = (self._opening + 1) % len(self._thought.tags.open)
            return True
        if token not in self._blanks or self._waited >= _BLANKS:
            return False
        self._waited += 1
        return True

    def _beside(self) -> frozenset[int]:
        if self._begun:
            return frozenset()
        blanks = self._blanks if self._waited < _BLANKS else frozenset()
        return blanks | frozenset(self._thought.tags.open[:1] if self._undecided else ())

    @property
    def _undecided(self) -> bool:
        return self._thought.phase == "undecided"


def _also(mask: torch.Tensor, tokens: Sequence[int] | frozenset[int]) -> torch.Tensor:
    """The mask with these tokens too, longer where they need it; changes the one given."""
    size = max((token + 1 for token in tokens), default=0)
    if size > len(mask):
        mask = torch.cat([mask, mask.new_zeros(size - len(mask))])
    mask[list(tokens)] = True
    return mask
