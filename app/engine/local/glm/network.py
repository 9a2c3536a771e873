"""The GLM networks behind the seam that all families share: prompts with pictures in, logits out.
Knows no tokenizer, no template and no files."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.engine.local.glm.gallery import Gallery
from app.engine.local.glm.mtp import GlmDrafter, Guesser
from app.engine.local.glm.prompt import GlmPrompt
from app.engine.local.glm.run import Run, Stepper
from app.engine.local.glm.state import GlmState
from app.engine.local.glm.text import LanguageModel
from app.engine.local.network import Chain, Drafter, Prompt, State
from app.engine.local.sampler import Drawing

_NOTHING = (2, 513)  # tokens: a few, and so many that they are read otherwise
_HALF = 2  # bytes of the numbers that the kernels for prompts take
_HELD = 256  # tokens that the guessing layer may lag behind when nobody asks it


class GlmNetwork:
    """A language model, with eyes (`gallery`) and a guessing layer where there are such."""

    def __init__(
        self,
        text: LanguageModel,
        gallery: Gallery | None = None,
        guesser: Guesser | None = None,
        step: Stepper | None = None,
    ) -> None:
        self.text = text
        self.stepper = step
        self.gallery = gallery
        self._guesser = guesser

    @property
    def device(self) -> torch.device:
        return self.text.table.device

    @property
    def token_bytes(self) -> int:
        text, layers = self.text, self.text.config.layers + (self._guesser is not None)
        return 2 * layers * text.key_heads * text.config.width * text.table.element_size()

    def prepare(self) -> None:
        """Read a prompt and a picture of nothing, so that what a GPU compiles is there before the
        first real ones; called by all ranks."""
        if self.gallery is not None:
            self.gallery.prepare()
        if self.stepper is not None and self.text.table.element_size() == _HALF:
            self.text.capture()
        for count in _NOTHING:
            nothing = (0,) * count
            self.read(self.begin(), Prompt("", nothing, nothing), count)

    def begin(self) -> GlmState:
        return GlmState(self.text.config.layers, guesses=self._guesser is not None)

    @torch.inference_mode()
    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        """Raises EndpointFault("bad_request") for a picture that can't be decoded."""
        state = _own(state)
        start = state.length
        end = min(start + count, len(prompt.tokens))
        tokens = prompt.tokens[start:end]
        x = self.text.embed(tokens)
        if isinstance(prompt, GlmPrompt):
            self._insert(x, prompt, start)
        positions = _positions(prompt, end)
        state.expect(len(prompt.tokens))
        outputs = self.text.prefill(x, positions[:, start:], state)
        state.shift = int(positions.max()) + 1 - end
        self._note(state, tokens, outputs, held=0)
        return self.text.logits(outputs[-1])

    @torch.inference_mode()
    def step(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        state = _own(state)
        if self.stepper is not None and len(tokens) == 1:
            logits = self.stepper.logits(state, tokens[0])
            self._skip(state)
            return logits[None]
        outputs = self.text.decode(tokens, state)
        self._note(state, tokens, outputs, held=_HELD)
        return self.text.logits(outputs)

    def chain(self, state: State, token: int, drawing: Drawing) -> Chain | None:
        if self.stepper is None:
            return None
        self._skip(_own(state))
        return Run(self.stepper, _own(state), token, drawing)

    def drafter(self, state: State) -> Drafter | None:
        if self.stepper is not None:  # a step costs less than a guess that is checked
            return None
        return None if self._guesser is None else GlmDrafter(self._guesser, _own(state))

    def _skip(self, state: GlmState) -> None:
        """The guessing layer is told nothing of tokens that the step reads."""
        if state.trail is not None:
            state.trail.keep(0)

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
