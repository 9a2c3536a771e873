"""The choice of a token from the logits, as cases to be timed: the likeliest, and a drawn one."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from app.engine.local.kernels.sample import PLANS, Draw, Plan, sample
from app.engine.local.sampler import Choice, Drawing, drawn
from app.engine.local.trial.case import Case, Trial, noise
from app.engine.local.trial.shapes import Shape

_WORDS = 151552
_CHOICES = {
    "greedy": Choice(),
    "sampled": Choice(temperature=0.8, top_p=0.95, top_k=50),
    "sampled of all": Choice(temperature=1.0, top_p=0.99),
}
_DRAWN = 0.37


def choices(shape: Shape, device: torch.device) -> Iterator[Case]:
    """The same for all: the logits are whole on each GPU."""
    words = _WORDS if device.type == "cuda" else shape.words
    if shape.kind != "bf16" and not shape.experts:
        return
    for name, choice in _CHOICES.items():
        yield Case(
            f"{shape.name} {name} of {words}", 4 * words, _Chooser(words, choice, device), PLANS
        )


class _Chooser:
    """Makes logits, and a place of their own: a place counts the steps."""

    def __init__(self, words: int, choice: Choice, device: torch.device) -> None:
        self._words, self._choice, self._device = words, choice, device
        self._draw = Draw.of(words, device)
        # each of the steps draws the same number
        self._draw.set(Drawing(choice, 4096, (_DRAWN,) * 4096))

    def __call__(self, _: int) -> Trial:
        logits = noise(self._words, dtype=torch.float32, device=self._device, spread=3)
        place = torch.zeros(8, dtype=torch.int64, device=self._device)
        token = torch.zeros(1, dtype=torch.int64, device=self._device)

        def launch(plan: Plan | None, pdl: bool) -> None:
            sample(logits, token, place, self._draw, plan=plan, pdl=pdl)

        return Trial(launch, token, lambda: self._expected(logits))

    def _expected(self, logits: torch.Tensor) -> torch.Tensor:
        greedy = self._choice.temperature <= 0
        token = int(logits.argmax()) if greedy else drawn(logits, self._choice, _DRAWN)
        return torch.tensor([token], device=self._device)
