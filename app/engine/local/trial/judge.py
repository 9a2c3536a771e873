"""Two ways through one model, side by side: the step of fused kernels, and the layers one operation
after the other. On every rank, the same tokens. Knows no weights and no server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.opening import Opening, open_share
from app.engine.local.glm.run import Stepper
from app.engine.local.glm.state import GlmState
from app.engine.local.glm.text import LanguageModel
from app.engine.local.life import Say
from app.engine.local.network import Prompt
from app.engine.local.ranks.group import Group


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Logits [T, V] behind each of the same T tokens, on the CPU: by the `fast` way; by the
    reference, one token at a time; and by the reference, all at once, which is as good."""

    fast: torch.Tensor
    steps: torch.Tensor
    whole: torch.Tensor


class Judge:
    """A network on one rank, to be called alike on all."""

    def __init__(self, network: GlmNetwork) -> None:
        self.network = network

    @property
    def device(self) -> torch.device:
        return self.network.device

    @torch.inference_mode()
    def rows(self, prompt: tuple[int, ...], tokens: tuple[int, ...]) -> Rows:
        """Read a prompt, then `tokens`, whatever the logits say (teacher forcing)."""
        network, text = self.network, self.network.text
        stepper = network.stepper or _opened(text)
        read = network.begin()
        network.read(read, Prompt("", prompt, prompt), len(prompt))
        others = [read.copy(read.length) for _ in range(2)]
        fast = [stepper.logits(read, token).cpu() for token in tokens]
        steps = [_one(text, others[0], token).cpu() for token in tokens]
        whole = text.logits(text.decode(tokens, others[1])).cpu()
        return Rows(torch.stack(fast), torch.stack(steps), whole)


def open_judge(given: Opening, group: Group, say: Say) -> Any:
    """Raises as `open_share` does."""
    return Judge(open_share(given, group, say))


def _one(text: LanguageModel, state: GlmState, token: int) -> torch.Tensor:  # [V]
    outputs = text.decode((token,), state)
    state.length += 1
    return text.logits(outputs)[0]


def _opened(text: LanguageModel) -> Stepper:
    """On a CPU nobody takes the step by itself, for there it runs in the interpreter."""
    from app.engine.local.glm.step import Step  # noqa: PLC0415

    step = Step.open(text)
    if step is None:
        raise ValueError("there is no fused step for this model")
    return step
