"""A theme as everything in the transcript wears it: formats, icons; knows no widget."""

from __future__ import annotations

from dataclasses import dataclass

from app.ui.formats import Formats
from app.ui.icons import Icons
from app.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class Dress:
    """Made once for a theme and shared by every turn."""

    theme: Theme
    icons: Icons
    loud: Formats  # the answer
    quiet: Formats  # the thinking

    @classmethod
    def of(cls, theme: Theme) -> Dress:
        return cls(theme, Icons(theme), Formats(theme), Formats(theme, quiet=True))

    def formats(self, *, quiet: bool) -> Formats:
        return self.quiet if quiet else self.loud
