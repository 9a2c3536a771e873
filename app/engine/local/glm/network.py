"""The GLM networks behind the seam that all families share: prompts with pictures in, logits out.
Knows no tokenizer, no template and no files."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.engine.local.glm.gallery import Gallery
from app.engine.local.glm.mtp import GlmDrafter, Guesser
from app.engine.local.glm.prompt import GlmPrompt
from app.engine.local.glm.state import GlmState
from app.engine.local.glm.text import LanguageModel
from app.engine.local.network import Drafter, Prompt, State

_HELD = 256  # tokens that the guessing layer may lag behind when nobody asks it


class GlmNetwork:
    """A language model, with eyes (`gallery`) and a guessing layer where there are such."""

    def __init__(
        self, text: LanguageModel, gallery: Gallery | None = None, guesser: Guesser | None = None
    ) -> None:
        self._text = text
        self.gallery = gallery
        self._guesser = guesser

    @property
    def device(self) -> torch.device:
        return self._text.table.device

    @property
    def token_bytes(self) -> int:
        config = self._text.config
        layers = config.layers + (self._guesser is not None)
        return 2 * layers * config.key_heads * config.width * self._text.table.element_size()

    def begin(self) -> GlmState:
        return GlmState(self._text.config.layers, guesses=self._guesser is not None)

    @torch.inference_mode()
    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        """Raises EndpointFault("bad_request") for a picture that can't be decoded."""
        state = _own(state)
        start = state.length
        end = min(start + count, len(prompt.tokens))
        tokens = prompt.tokens[start:end]
        x = self._text.embed(tokens)
        if isinstance(prompt, GlmPrompt):
            self._insert(x, prompt, start)
        positions = _positions(prompt, end)
        state.expect(len(prompt.tokens))
        outputs = self._text.prefill(x, positions[:, start:], state)
        state.shift = int(positions.max()) + 1 - end
        self._note(state, tokens, outputs, held=0)
        return self._text.logits(outputs[-1])

    @torch.inference_mode()
    def step(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        state = _own(state)
        outputs = self._text.decode(tokens, state)
        self._note(state, tokens, outputs, held=_HELD)
        return self._text.logits(outputs)

    def drafter(self, state: State) -> Drafter | None:
        return None if self._guesser is None else GlmDrafter(self._guesser, _own(state))

    def _insert(self, x: torch.Tensor, prompt: GlmPrompt, start: int) -> None:
        """Write the pictures into the embeddings [T, H] of the tokens from number `start` on, as
        much of each as stands among them."""
        merged = 1 if self.gallery is None else self.gallery.merged
        lengths = [sight.grid[1] * sight.grid[2] // merged for sight in prompt.sights]
        ahead = [
            sight
            for sight, length in zip(prompt.sights, lengths, strict=True)
            if sight.start < start + len(x) and sight.start + length > start
        ]
        if not ahead or self.gallery is None:
            return
        for sight, seen in zip(ahead, self.gallery.show(ahead), strict=True):
            place = sight.start - start
            first, last = max(place, 0), min(place + len(seen), len(x))
            x[first:last] = seen[first - place : last - place]

    def _note(
        self, state: GlmState, tokens: Sequence[int], outputs: torch.Tensor, *, held: int
    ) -> None:
        """`tokens` have been read behind what `state` held."""
        if state.trail is not None:
            state.trail.follow(state.length, list(tokens), outputs)
        state.length += len(tokens)
        if self._guesser and state.trail is not None and len(state.trail.tokens) > held:
            self._guesser.catch_up(state.trail)


def _own(state: State) -> GlmState:
    if not isinstance(state, GlmState):
        raise TypeError(f"{type(state).__name__} is not a state of this network")
    return state


def _positions(prompt: Prompt, end: int) -> torch.Tensor:
    """The positions [3, end] of a prompt's beginning."""
    if isinstance(prompt, GlmPrompt):
        return prompt.positions[:, :end]
    return torch.arange(end).expand(3, -1)
