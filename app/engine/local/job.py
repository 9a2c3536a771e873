"""What is asked of generation and what it gives: values that scheduler and server share with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.engine.local.network import Prompt
from app.engine.local.sampler import Choice, Guide
from app.vocabulary import Usage

Reason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Job:
    """What to generate: a prompt that fits the model with `max_tokens` behind it.

    `thinking_budget` closes the thinking after so many tokens. `guide` holds the answer to a
    grammar. `logprobs` asks for the log-probabilities of the chosen tokens and of so many of the
    likeliest. `lookup` is how many tokens to guess at once from what stands in the text already;
    `draft=False` forbids every guess, the network's own too.
    """

    prompt: Prompt
    max_tokens: int
    choice: Choice
    stop: tuple[str, ...] = ()
    thinking_budget: int | None = None
    guide: Guide | None = None
    logprobs: int | None = None
    lookup: int = 0
    draft: bool = True

    @property
    def tokens(self) -> int:
        """The longest that the conversation can become."""
        return len(self.prompt.tokens) + self.max_tokens


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token as it was chosen: natural logarithms of the probabilities that the bare logits give
    to it and to the likeliest ones, best first. As in OpenAI's and vLLM's `logprobs`."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """What one step brought: text that is ready to be shown, and `chosen` where logprobs were
    asked for (an end token is left out). An empty one says that a step was done; `tokens` counts
    those that it wrote."""

    text: str
    chosen: tuple[Chosen, ...] = ()
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer."""

    reason: Reason
    usage: Usage
