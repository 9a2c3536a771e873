"""Logits → the next token; knows nothing of models. All of it stays on the logits' device but the
number of the token that was chosen."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

_FEW = 512  # tokens that nearly always hold a nucleus: sorting them all takes ten times as long


@dataclass(frozen=True, slots=True)
class Choice:
    """How a token is chosen. `temperature=0` takes the likeliest; `top_k=0` keeps all; `min_p`
    keeps what is at least that share as likely as the likeliest. Applied in transformers' order:
    penalties, temperature, top-k, top-p, min-p.

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
    min_p: float = 0.0


class Guide(Protocol):
    """A grammar that an answer is held to, walked token by token. One job's own."""

    @property
    def finished(self) -> bool:
        """The grammar is complete and only an end may follow."""

    def allowed(self) -> torch.Tensor | None:
        """bool [V] on the CPU: the tokens that may come next, an end token among them where the
        answer may end here; None where anything may."""

    def take(self, token: int) -> None:
        """Go on by a token that was allowed; end tokens are not given."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a choice can depend on beside the logits: the prompt, and how a token is written."""

    prompt: Sequence[int] = ()
    text: Callable[[int], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a device is to choose up to `count` tokens by itself: as `choice` says, with a number
    from 0 to 1 drawn beforehand for each, and `seen` for the repetition penalty."""

    choice: Choice
    count: int
    drawn: tuple[float, ...] = ()
    seen: tuple[int, ...] = ()


NOTHING = Given()


class Sampler:
    """Chooses tokens one after the other; equal seeds give equal choices."""

    def __init__(self, choice: Choice, given: Given = NOTHING) -> None:
        self._choice = choice
        self._text = given.text
        self._prompt = given.prompt
        self._seen = 0  # tokens of the answer that the penalties know
        self._drawn: deque[float] = deque()  # numbers that were drawn ahead
        self._repeated = _Penalty(choice.repetition_penalty, given.prompt)
        self._words = _Penalty(choice.word_penalty)
        self._random = torch.Generator()
        if choice.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(choice.seed % 2**63)

    def next(
        self, logits: torch.Tensor, written: Sequence[int], allowed: torch.Tensor | None = None
    ) -> int:
        """`logits`: [V] on any device; `written`: the answer so far, without the prompt, longer
        each time; `allowed`: bool [<=V], what it leaves out is never chosen."""
        scores = self._penalised(logits.float(), written)  # [V]
        if allowed is not None:
            scores = _only(scores, allowed)
        if self._choice.temperature <= 0:
            return int(scores.argmax())
        number = self._drawn.popleft() if self._drawn else self._draw()
        return drawn(scores, self._choice, number)

    def drawing(self, written: Sequence[int], count: int) -> Drawing | None:
        """How the next `count` tokens behind `written` are chosen; None where only this class can.
        `drew` says that one of them was."""
        if self._words.works:
            return None
        seen = (*self._prompt, *written) if self._repeated.works else ()
        if self._choice.temperature <= 0:
            return Drawing(self._choice, count, seen=seen)
        while len(self._drawn) < count:
            self._drawn.append(self._draw())
        return Drawing(self._choice, count, tuple(self._drawn)[:count], seen)

    def drew(self) -> None:
        """Note that a token was chosen elsewhere as `drawing` said."""
        if self._drawn:
            self._drawn.popleft()

    def _penalised(self, scores: torch.Tensor, written: Sequence[int]) -> torch.Tensor:
        fresh, self._seen = written[self._seen :], len(written)
        if self._repeated.works:
            scores = self._repeated.on(scores, fresh)
        if self._words.works:
            words = [token for token in fresh if _is_word(self._text(token))]
            scores = self._words.on(scores, words)
        return scores

    def _draw(self) -> float:
        return float(torch.rand((), generator=self._random, dtype=torch.float64))


def drawn(scores: torch.Tensor, choice: Choice, number: float) -> int:
    """The token that `number`, from 0 to 1, falls on among those that the choice keeps of scores
    [V], which have their penalties; a temperature above 0. One number is drawn whatever the
    vocabulary: ten times as quick as one for each token, and the same on every device."""
    scores, ids = _kept(scores / choice.temperature, choice)  # [K]
    shares = torch.softmax(scores, 0).double().cumsum(0)
    mark = shares[-1] * (number * (1 - 1e-12))  # below the last share even when rounded
    place = int(torch.searchsorted(shares, mark, right=True))
    return place if ids is None else int(ids[place])


def _kept(scores: torch.Tensor, choice: Choice) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What may be chosen, and the tokens' numbers where those are not the places."""
    ids = None
    if 0 < choice.top_k < len(scores):
        scores, ids = torch.topk(scores, choice.top_k)
    if choice.top_p < 1:
        scores, places = _nucleus(scores, choice.top_p)
        ids = places if ids is None else ids[places]
    if choice.min_p > 0:
        least = scores.max() + math.log(choice.min_p)
        scores = scores.masked_fill(scores < least, -torch.inf)
    return scores, ids


class _Penalty:
    """CTRL's penalty (arXiv:1909.05858) on tokens that came before."""

    def __init__(self, rate: float, tokens: Iterable[int] = ()) -> None:
        self._rate = rate
        self._known = set(tokens) if self.works else set()
        self._ids = torch.tensor(sorted(self._known), dtype=torch.long)

    @property
    def works(self) -> bool:
        return self._rate != 1.0

    def on(self, scores: torch.Tensor, fresh: Iterable[int]) -> torch.Tensor:
        """The scores [V] with the penalty, on `fresh` tokens too; those given stay as they were."""
        new = set(fresh) - self._known
        self._known |= new
        self._ids = self._ids.to(scores.device)
        if new:
            self._ids = torch.cat([self._ids, self._ids.new_tensor(sorted(new))])
        chosen = scores[self._ids]
        less = torch.where(chosen > 0, chosen / self._rate, chosen * self._rate)
        return scores.index_copy(0, self._ids, less)


def logprobs(
    logits: torch.Tensor, token: int, count: int
) -> tuple[float, tuple[tuple[int, float], ...]]:
    """The natural logarithm of the probability that bare logits [V] give to a token, and the
    `count` likeliest tokens with theirs, best first."""
    shares = torch.log_softmax(logits.float(), 0)
    if count <= 0:
        return float(shares[token]), ()
    values, ids = torch.topk(shares, min(count, len(shares)))
    return float(shares[token]), tuple(zip(ids.tolist(), values.tolist(), strict=True))


def _only(scores: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Scores [V] of what is allowed; a mask may be shorter, where a vocabulary is padded."""
    kept = torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
    size = min(len(allowed), len(scores))
    kept[:size] = allowed[:size].to(scores.device)
    return scores.masked_fill(~kept, -torch.inf)


def _nucleus(scores: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The fewest likeliest tokens that reach the share, likeliest first, and their places."""
    whole = torch.logsumexp(scores, 0)
    for count in (min(_FEW, len(scores)), len(scores)):
        best, places = torch.topk(scores, count)
        reached = (best - whole).exp().cumsum(0)
        if count == len(scores) or float(reached[-1]) >= share:
            break
    kept = 1 + int((reached[:-1] < share).sum())
    return best[:kept], places[:kept]


def _is_word(text: str) -> bool:
    """Letters of a word rather than of a code: `due` and ` Due`, not `DISK`, `A` or `70`."""
    text = text.strip()
    return len(text) > 1 and text.isalpha() and not text.isupper()
