"""The seam between generation and the families of models: what a prompt holds, and what a loaded
network can do with it. Knows no family, no tokenizer, no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from app.engine.local.sampler import Drawing


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """A conversation as a network reads it. A family that sees adds its pictures in a subclass.

    `text` is what the chat template wrote, pictures still as their short marks; its end tells how
    the answer begins. `tokens` has a placeholder for each piece of a picture. `keys` is as long:
    a token's own number, or below zero, for a placeholder, a number that stands for this piece of
    this very picture. Two prompts mean the same as far as their keys are equal.
    """

    text: str
    tokens: tuple[int, ...]
    keys: tuple[int, ...]


class State(Protocol):
    """What a network has read of one conversation: its keys and values. One job's at a time."""

    @property
    def length(self) -> int:
        """Tokens read."""

    @property
    def bytes(self) -> int:
        """Memory that it holds."""

    def keep(self, length: int) -> bool:
        """Forget all but the first `length` tokens; False, and nothing is changed, where this kind
        of memory can't be wound back. All that it has can be kept, unless it must read a prompt as
        a whole."""

    def copy(self, length: int) -> State | None:
        """Another state that holds the first `length` tokens; None where it can't be had."""


class Drafter(Protocol):
    """Guesses what comes next, to be checked by reading several tokens at once. A bad guess costs
    time and never changes an answer."""

    def propose(self, written: Sequence[int]) -> Sequence[int]:
        """Tokens that may follow `written`, the answer so far; its last one is not yet read."""


class Chain(Protocol):
    """An answer that goes on by itself: the device chooses each token and reads it at once, a step
    ahead of whoever is told. What the state has read is then one token ahead too."""

    def next(self) -> int | None:
        """The token behind the last one; None where the device could not choose it, or the chain
        is at its end: the caller winds the state back, steps and chooses."""

    def close(self) -> None:
        """Wait for what is under way; the state is whole then."""


class Network(Protocol):
    """A model's arithmetic, on its device. For one thread; its states don't know each other."""

    @property
    def device(self) -> torch.device: ...

    @property
    def token_bytes(self) -> int:
        """Memory that one token of a conversation takes in a state, for sizing."""

    def begin(self) -> State:
        """A state that has read nothing."""

    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        """Read the next `count` tokens of `prompt`, those from `state.length` on, with the pictures
        that stand among them; gives the logits [V] behind the last one.

        What `state` holds must be the beginning of this very prompt.
        """

    def step(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        """Read tokens that were written behind the prompt; gives the logits [T, V] behind each."""

    def chain(self, state: State, token: int, drawing: Drawing) -> Chain | None:
        """Go on from `token`, the last one written, which `state` has not read; None where the
        device can't choose as `drawing` asks."""

    def drafter(self, state: State) -> Drafter | None:
        """The model's own guesser of next tokens (multi-token prediction) where it has one."""
