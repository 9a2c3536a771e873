"""An answer as it is written: which token is chosen next, what text it makes, and when it is over.
Reads logits and knows no network."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.engine.local.job import Chosen, Job, Piece, Reason
from app.engine.local.loops import loops
from app.engine.local.model import Model
from app.engine.local.sampler import Drawing, Given, Sampler, logprobs
from app.engine.local.text import Detokeniser, Stops
from app.engine.local.thought import Rein, Tags, Thought

_TAIL = 200  # characters of the prompt's end, where a thinking that it opens shows
_WHITE = ("\n", "\n\n", " ")


class Writing:
    """Collects an answer's tokens in `written`; `reason` says why it is over, once it is."""

    def __init__(self, model: Model, job: Job, written: list[int]) -> None:
        chat, self._job, self.written = model.chat, job, written
        self.reason: Reason | None = None
        self._ends, self._repeat = model.defaults.ends, model.defaults.repeat
        given = Given(job.prompt.tokens, lambda token: chat.decode((token,)))
        self._sampler = Sampler(job.choice, given)
        self._thought = Thought(
            Tags.of(chat.open_thought, chat.close_thought, chat.decode),
            chat.decode,
            tail=job.prompt.text[-_TAIL:],
            budget=job.thinking_budget,
            strict=job.guide is not None,
        )
        self._rein = (
            Rein(job.guide, self._thought, ends=self._ends, blanks=_blanks(model))
            if job.guide
            else None
        )
        self._characters, self._stops = Detokeniser(chat.decode), Stops(job.stop)
        self._texts: list[str] = []
        self._chosen: list[Chosen] = []
        self._given = 0  # tokens whose piece was taken

    @property
    def room(self) -> int:
        """Tokens that may still be written."""
        return self._job.max_tokens - len(self.written)

    @property
    def is_due(self) -> bool:
        return self._thought.is_due

    def due(self) -> tuple[int, ...]:
        """Tokens that must come next, whatever the logits say: the end of a thinking."""
        return self._thought.due()[: self.room]

    def walk(self, rows: torch.Tensor, guesses: Sequence[int]) -> None:
        """Choose a token from the first of `rows` [1 + guesses, V], and one from each next row as
        long as the guess before it was the token that was chosen."""
        for place, row in enumerate(rows):
            token = self._choose(row)
            if self.reason or self.is_due:
                return
            if place < len(guesses) and token != guesses[place]:
                return

    def drawing(self, most: int) -> Drawing | None:
        """How a device may choose what comes next, up to `most` tokens; None where each choice
        takes more than the logits."""
        if self._rein or self._job.logprobs is not None or self.is_due:
            return None
        return self._sampler.drawing(self.written, min(self.room, most))

    def take(self, token: int) -> None:
        """Write a token that the device chose."""
        self._sampler.drew()
        self._thought.feed(token)
        self._add(token)

    def write(self, tokens: Sequence[int], rows: torch.Tensor) -> None:
        """Write tokens that were due; `rows` [tokens, V] are the logits before each."""
        for token, row in zip(tokens, rows, strict=True):
            self._add(token, row)

    def piece(self) -> Piece:
        """What has come since the last piece."""
        texts, chosen, count = "".join(self._texts), tuple(self._chosen), len(self.written)
        self._texts.clear()
        self._chosen.clear()
        fresh, self._given = count - self._given, count
        return Piece(texts, chosen, fresh)

    def rest(self) -> Piece:
        """What was held back and turns out to be text."""
        return Piece(self._stops.feed(self._characters.close()) + self._stops.close())

    def _choose(self, row: torch.Tensor) -> int:
        allowed = self._rein.allowed() if self._rein else None
        if allowed is not None and not allowed.any():  # a grammar that has nowhere to go
            self.reason = "stop"
            return -1
        token = self._sampler.next(row, self.written, allowed)
        if self._rein:
            self._rein.take(token)
        self._thought.feed(token)
        self._add(token, row)
        if self.reason is None and self._rein and self._rein.finished:
            self.reason = "stop"
        return token

    def _add(self, token: int, row: torch.Tensor | None = None) -> None:
        self.written.append(token)
        if token in self._ends:
            self.reason = "stop"
            return
        if self._job.logprobs is not None and row is not None:
            self._chosen.append(Chosen(token, *logprobs(row, token, self._job.logprobs)))
        if text := self._stops.feed(self._characters.feed(token)):
            self._texts.append(text)
        if self._stops.hit or loops(self.written, self._repeat):
            self.reason = "stop"
        elif len(self.written) >= self._job.max_tokens:
            self.reason = "length"


def _blanks(model: Model) -> frozenset[int]:
    """The tokens of white space that a model is likely to begin with."""
    found = (model.chat.encode(text) for text in _WHITE)
    tokens = {ids[0] for ids in found if len(ids) == 1}
    return frozenset(token for token in tokens if not model.chat.decode((token,)).strip())
