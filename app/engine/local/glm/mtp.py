"""Multi-token prediction (DeepSeek-V3, arXiv:2412.19437, 2.2): one layer more that guesses the
token after the next from what the network made of the last one. Guesses only: whoever takes them
checks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from app.engine.local.glm.state import GlmState, Trail
from app.engine.local.glm.text import BASE, LanguageModel, Layer, Norm, read_layer
from app.engine.local.weights.linear import Linear
from app.engine.local.weights.opened import Weights

_AHEAD = 1  # tokens guessed at a time; the layer is trained for one


@dataclass(frozen=True, slots=True, eq=False)
class Guesser:
    """The layer, shared out as the network's. Embeddings and head are the network's own: the
    checkpoints hold copies of them."""

    model: LanguageModel
    token_norm: Norm
    output_norm: Norm
    join: Linear
    layer: Layer
    norm: Norm

    def catch_up(self, trail: Trail) -> None:
        """Read all that is known to follow something."""
        count = len(trail.tokens)
        if trail.hidden is None or not count:
            return
        self._read(trail, trail.length, trail.tokens, trail.hidden[:count])
        trail.hidden = trail.hidden[count:].clone()  # not a view of all that was read
        trail.length += count
        trail.tokens = []

    def guess(self, trail: Trail, token: int) -> list[int]:
        """What may follow `token`, which the network has not read yet."""
        self.catch_up(trail)
        if trail.hidden is None:
            return []
        guesses: list[int] = []
        hidden, start = trail.hidden, trail.length
        for step in range(_AHEAD):
            hidden = self._read(trail, start + step, [token], hidden)[-1:]
            token = int(self.model.logits(hidden).argmax())
            guesses.append(token)
        return guesses

    def _read(
        self, trail: Trail, start: int, tokens: Sequence[int], hidden: torch.Tensor
    ) -> torch.Tensor:
        """Write the entries from `start` on; gives what came out, [T, H]."""
        seen = self.token_norm(self.model.embed(tokens))
        x = self.join(torch.cat((seen, self.output_norm(hidden)), -1))
        positions = torch.arange(start, start + len(tokens), device=x.device)
        this = self.model.turns.passing(start, positions, x.dtype)
        stream = x, self.layer.before(x)
        return self.layer(stream, this, trail.keys, behind=self.norm)[1]


def read_guesser(weights: Weights, model: LanguageModel, dtype: torch.dtype) -> Guesser | None:
    """The guessing layer, where the checkpoint has one; it stands behind the others."""
    config = model.config
    name = f"{BASE}.layers.{config.layers}"
    there = any(held.endswith(f"layers.{config.layers}.enorm.weight") for held in weights.names)
    if not config.guessers or not there:
        return None

    def norm(part: str) -> Norm:
        return Norm(weights.tensor(f"{name}.{part}.weight", dtype), config.eps)

    return Guesser(
        model=model,
        token_norm=norm("enorm"),
        output_norm=norm("hnorm"),
        join=weights.linear(f"{name}.eh_proj"),
        layer=read_layer(weights, config, config.layers, dtype, model.group),
        norm=norm("shared_head.norm"),
    )


class GlmDrafter:
    """Guesses for one conversation."""

    def __init__(self, guesser: Guesser, state: GlmState) -> None:
        self._guesser = guesser
        self._state = state

    @torch.inference_mode()
    def propose(self, written: Sequence[int]) -> Sequence[int]:
        trail = self._state.trail
        return self._guesser.guess(trail, written[-1]) if written and trail else ()
