"""What is wished of global hotkeys and what is refused; knows no system's way to take a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.capture.hotkey.chord import Chord, read, shown
from app.vocabulary import UsageFault

# each action is a field of settings.Hotkeys; what it does, as a desktop's own dialog shows it
TITLES: dict[str, str] = {
    "ask_region": "Ask about a region",
    "ask_window": "Ask about the window under the pointer",
    "ask_screen": "Ask about the whole screen",
    "record": "Start or stop recording",
    "show_window": "Show the window",
    "new_chat": "New chat",
}
ACTIONS: tuple[str, ...] = tuple(TITLES)

# the end of a sentence: what is left where no program gets a key
BY_HAND = "bind a key to the command “sightline snip” in the desktop's keyboard settings"

Pressed: TypeAlias = Callable[[str], None]  # with the action, on the loop's thread


@dataclass(frozen=True, slots=True)
class Refusal:
    """A wish that is not met; `reason` is a sentence for a person, with the likely culprit."""

    action: str
    chord: str
    reason: str


Told: TypeAlias = Callable[[tuple[Refusal, ...]], None]  # what is refused by now, all of it


class Hotkeys(Protocol):
    """One system's way to take keys; `name` is what a person is told of it. `held` says what the
    desktop calls the key of an action, where it is the desktop that chooses."""

    name: str
    held: dict[str, str]

    async def bind(self, wishes: Mapping[str, str]) -> tuple[Refusal, ...]:
        """Takes a chord for each action, "" for none, in place of all that were taken before."""

    async def close(self) -> None:
        """Frees every key."""


def settled(wishes: Mapping[str, str]) -> tuple[dict[str, Chord], tuple[Refusal, ...]]:
    """The chord of each action that has one, and what no system could give: chords that make no
    sense, and one chord for two actions, which goes to the first."""
    chords: dict[str, Chord] = {}
    refused: list[Refusal] = []
    for action, text in wishes.items():
        if not text.strip():
            continue
        try:
            chord = read(text)
        except UsageFault as fault:
            refused.append(Refusal(action, text, fault.message))
            continue
        first = next((other for other, taken in chords.items() if taken == chord), None)
        if first is None:
            chords[action] = chord
        else:
            refused.append(Refusal(action, text, _clash(chord, first)))
    return chords, tuple(refused)


def taken(chord: Chord, culprit: str) -> str:
    """The sentence for a chord that someone else has."""
    return (
        f"{shown(chord)} is taken by another program, most likely {culprit}. "
        "Choose another key, or free this one there."
    )


def _clash(chord: Chord, first: str) -> str:
    return f"{shown(chord)} is already the key for “{TITLES.get(first, first)}”. Choose another."
