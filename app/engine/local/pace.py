"""How much of a prompt is read at once, so that nothing else waits long; knows no model."""

from __future__ import annotations

import torch

_SHORT = 0.05  # seconds that one part of a prompt may take, so that a stop is heard in time
_FIRST_PART, _LONGEST_PART = 32, 4096  # tokens


class Pace:
    """Learns from each part that was read."""

    def __init__(self, device: torch.device) -> None:
        self._best = float("inf")  # seconds a token
        # a GPU returns before the work is done, so the clock says nothing; it reads this many in
        # a moment, and fewer at once would leave it idle
        self._fixed = device.type == "cuda"
        self.part = _LONGEST_PART if self._fixed else _FIRST_PART  # tokens of the next part

    def note(self, count: int, seconds: float) -> None:
        """Fit the next part to the best pace so far: a moment in which the machine did something
        else must not make the parts, and so the whole, slow."""
        if self._fixed:
            return
        self._best = max(min(self._best, seconds / count), 1e-9)
        self.part = min(max(int(_SHORT / self._best), _FIRST_PART), _LONGEST_PART)
