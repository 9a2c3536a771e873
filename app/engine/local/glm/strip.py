"""A prompt in the making: tokens, keys and sights, piece by piece. Knows no text."""

from __future__ import annotations

from collections.abc import Iterable

from app.engine.local.glm.look import Look
from app.engine.local.glm.positions import positions
from app.engine.local.glm.prompt import GlmPrompt, Sight
from app.engine.local.glm.scenes import Group

_OFFSET_BITS = 20  # of a placeholder's key, for its place in its picture; 42 tell pictures apart
_PICTURE_DIGITS = 42 // 4


class Strip:
    """Grows by tokens and by pictures; `placeholder` is the token that a piece of one gets."""

    def __init__(self, look: Look, placeholder: int) -> None:
        self._look = look
        self._placeholder = placeholder
        self._tokens: list[int] = []
        self._keys: list[int] = []
        self._sights: list[Sight] = []

    def say(self, tokens: Iterable[int]) -> None:
        tokens = list(tokens)
        self._tokens += tokens
        self._keys += tokens

    def see(self, group: Group) -> None:
        """A picture, or a temporal group of a video."""
        height, width = (side // self._look.patch for side in group.size)
        self._sights.append(Sight(len(self._tokens), (1, height, width), group.key, group.frames))
        count = height * width // self._look.merge**2
        self._tokens += [self._placeholder] * count
        first = -1 - (int(group.key[:_PICTURE_DIGITS], 16) << _OFFSET_BITS)
        self._keys += range(first, first - count, -1)

    def prompt(self, text: str) -> GlmPrompt:
        spans = [(sight.start, sight.grid) for sight in self._sights]
        return GlmPrompt(
            text=text,
            tokens=tuple(self._tokens),
            keys=tuple(self._keys),
            positions=positions(len(self._tokens), spans, self._look.merge),
            sights=tuple(self._sights),
        )
