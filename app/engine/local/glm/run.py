"""A conversation that goes on by itself: the device chooses each token and reads it in the next
step, which is launched before anyone has seen it. Knows the step and nothing of its kernels."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Protocol

import torch

from app.engine.local.glm.state import GlmState
from app.engine.local.sampler import Drawing
from app.vocabulary import EngineFault

_DEEP = 2  # launches under way: the one that is waited for, and the next


class User(Protocol):
    """Someone whose conversation a stepper holds."""

    def give_way(self) -> None:
        """Take what is under way; the stepper will be another's."""


class Stepper(Protocol):
    """A quick way to read one token at a time, for one conversation at a time (glm/step.py)."""

    @property
    def device(self) -> torch.device: ...

    @property
    def user(self) -> User | None:
        """Whose conversation it holds, where that one means to go on."""

    @property
    def failed(self) -> bool:
        """Whether a rank waited in vain for another."""

    def logits(self, state: GlmState, token: int) -> torch.Tensor:
        """Read a token; what may follow it, [V]."""

    def show(self, user: User | None, state: GlmState, token: int, drawing: Drawing) -> None:
        """Hold this conversation: the next launch reads `token`, and chooses as `drawing` says.
        Who used it before has been told to give way."""

    def release(self, user: User) -> None:
        """`user` won't go on."""

    def launch(self, state: GlmState) -> None:
        """Read the token that is held and put the next in its place."""

    def written(self, number: int) -> int | None:
        """The token that launch `number` since `show` chose, once it is done; None where it could
        not choose."""


class Run:
    """Tokens of one conversation, until `drawing.count` are chosen. Another may use the step in
    between: what was under way is kept, and the run goes on from there."""

    def __init__(self, step: Stepper, state: GlmState, token: int, drawing: Drawing) -> None:
        self._step, self._state, self._drawing = step, state, drawing
        self._chosen = [token]  # the last of them is read next, when nothing is under way
        self._under_way: deque[tuple[int, torch.cuda.Event | None]] = deque()
        self._ready: deque[int | None] = deque()
        self._launches = 0  # since the step was shown this conversation
        self._left = drawing.count

    @torch.inference_mode()
    def next(self) -> int | None:
        """Raises EngineFault("engine_failed") where another rank does not answer."""
        if not self._ready:
            self._launch()
            self._land()
        return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        self._under_way.clear()
        self._left = 0
        self._step.release(self)

    def give_way(self) -> None:
        """Wait for what is under way: someone else is about to use the step."""
        while self._under_way:
            self._land()

    def _launch(self) -> None:
        """Keep the device busy: the step behind the one that is waited for is launched now."""
        if self._left and self._step.user is not self:
            self._show()
        while self._left and len(self._under_way) < _DEEP:
            self._step.launch(self._state)
            self._under_way.append((self._launches, _mark(self._step.device)))
            self._launches += 1
            self._left -= 1

    def _show(self) -> None:
        done = len(self._chosen) - 1
        drawing = self._drawing
        seen = (*drawing.seen, *self._chosen[1:]) if drawing.seen else ()
        rest = replace(drawing, count=self._left, drawn=drawing.drawn[done:], seen=seen)
        self._step.show(self, self._state, self._chosen[-1], rest)
        self._launches = 0

    def _land(self) -> None:
        """Wait for the launch that has been under way longest."""
        if not self._under_way:
            return
        number, mark = self._under_way.popleft()
        if mark is not None:
            mark.synchronize()
        if self._step.failed:
            raise EngineFault("engine_failed", "The GPUs lost each other; start the model again.")
        token = self._step.written(number)
        self._ready.append(token)
        self._chosen.append(-1 if token is None else token)


def _mark(device: torch.device) -> torch.cuda.Event | None:
    """Something to wait for until all that was launched is done."""
    if device.type != "cuda":
        return None
    mark = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]  # a waiting thread leaves the core to others
    mark.record()
    return mark
