"""One line of the doctor's report, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`name` is what was looked at; `remedy` is empty where nothing needs doing."""

    name: str
    state: State
    text: str
    remedy: str = ""
