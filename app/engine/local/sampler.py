"""Logits → the next token, and whether an answer is over; knows nothing of models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

_CYCLE = 96  # tokens: so long a stretch that only repeats itself is a loop, not a table
_TURNS = 4  # and it must have come round this often


@dataclass(frozen=True, slots=True)
class Choice:
    """How a token is chosen. `temperature=0` takes the likeliest; `top_k=0` keeps all.

    `repetition_penalty` is transformers': over the prompt and the answer, every token alike.
    `word_penalty` is ours, for a small model that copies from a page: over the answer alone, and
    in it over words, so that a digit, a mark or a code may come as often as the page has it.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    word_penalty: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a choice can depend on beside the logits: the prompt, and how a token is written."""

    prompt: Sequence[int] = ()
    text: Callable[[int], str] = lambda _: ""


NOTHING = Given()


class Sampler:
    """Chooses tokens one after the other; equal seeds give equal choices."""

    def __init__(self, choice: Choice, given: Given = NOTHING) -> None:
        self._choice = choice
        self._given = given
        self._random = torch.Generator()
        if choice.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(choice.seed % 2**63)

    def next(self, logits: torch.Tensor, written: Sequence[int]) -> int:
        """`logits`: [V] on any device; `written`: the answer so far, without the prompt."""
        scores = self._penalised(logits.float().cpu(), written)  # [V]
        if self._choice.temperature <= 0:
            return int(scores.argmax())
        scores, ids = self._kept(scores / self._choice.temperature)  # [K], likeliest first
        place = torch.multinomial(torch.softmax(scores, 0), 1, generator=self._random)
        return int(ids[place])

    def _penalised(self, scores: torch.Tensor, written: Sequence[int]) -> torch.Tensor:
        if self._choice.repetition_penalty != 1.0:
            ids = {*self._given.prompt, *written}
            scores = _less_likely(scores, ids, self._choice.repetition_penalty)
        if self._choice.word_penalty != 1.0:
            words = {token for token in set(written) if _is_word(self._given.text(token))}
            scores = _less_likely(scores, words, self._choice.word_penalty)
        return scores

    def _kept(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        count = len(scores) if self._choice.top_k <= 0 else min(self._choice.top_k, len(scores))
        if count == len(scores) and self._choice.top_p >= 1:
            return scores, torch.arange(count)
        scores, ids = torch.topk(scores, count)
        before = torch.softmax(scores, 0).cumsum(0).roll(1)  # the share of all likelier ones
        before[0] = 0.0
        kept = int((before < self._choice.top_p).sum().clamp(min=1))
        return scores[:kept], ids[:kept]


def _less_likely(scores: torch.Tensor, tokens: set[int], penalty: float) -> torch.Tensor:
    """CTRL's penalty (arXiv:1909.05858) on `tokens`; the scores given stay as they were."""
    ids = torch.tensor(sorted(tokens), dtype=torch.long)
    chosen = scores[ids]
    return scores.index_copy(0, ids, torch.where(chosen > 0, chosen / penalty, chosen * penalty))


def _is_word(text: str) -> bool:
    """Letters of a word rather than of a code: `due` and ` Due`, not `DISK`, `A` or `70`."""
    text = text.strip()
    return len(text) > 1 and text.isalpha() and not text.isupper()


def loops(written: Sequence[int], repeat: int | None = None) -> bool:
    """Whether an answer only repeats itself: its end is the same few tokens over and over, or,
    for a model so small that this means it is lost, its last `repeat` tokens stood in it before or
    are a shorter cycle.

    An answer is ended rather than turned: keeping a small model from a number that it is about to
    copy makes it invent another.
    """
    if repeat is not None and (_stood_before(written, repeat) or _cycles(written, repeat)):
        return True
    return _cycles(written, _CYCLE)


def _cycles(written: Sequence[int], count: int) -> bool:
    if len(written) < count:
        return False
    tail = list(written[-count:])
    return any(tail[period:] == tail[:-period] for period in range(1, count // _TURNS + 1))


def _stood_before(written: Sequence[int], count: int) -> bool:
    tail = list(written[-count:])
    if len(written) < 2 * count:
        return False
    return any(
        written[place] == tail[0] and list(written[place : place + count]) == tail
        for place in range(len(written) - 2 * count + 1)
    )
