"""Conversations about drawn figures: the questions, the right thoughts and answers, and whether an
answer is right. Knows no tokens and no model."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.figures.draw import COLOURS, Scene, scene

Kind = Literal["colour", "shape", "count", "box", "second picture", "later picture", "video"]
KINDS: tuple[Kind, ...] = (
    *("colour", "shape", "count", "box"),
    *("second picture", "later picture", "video"),
)
_PLAIN: tuple[Kind, ...] = ("colour", "shape", "count")
Film = tuple[Scene, ...]
_STEP = 50  # the coordinates of a box are multiples of this many thousandths


@dataclass(frozen=True, slots=True)
class Round:
    """A question, what it shows (pictures, or the frames of a video), and what should be said."""

    kind: Kind
    question: str
    thought: str
    answer: str
    box: tuple[float, ...] = ()  # the true one, in thousandths
    pictures: tuple[Scene, ...] = ()
    film: Film = ()


def talk(rng: random.Random, kind: Kind, rounds: int = 1) -> tuple[Round, ...]:
    """A conversation whose last round is of `kind`."""
    if kind == "video":
        return _about_video(rng, rounds)
    if kind == "second picture":
        return _about_two(rng, rounds)
    if kind == "later picture":
        before = _about_one(rng, rng.choice(_PLAIN), 1)
        return (*before, _later(rng, before[0].pictures[0]))
    return _about_one(rng, kind, rounds)


def is_right(asked: Round, said: str) -> bool:
    """Whether `said`, without its thinking, answers the round; a box must overlap by half."""
    if not asked.box:
        return said.strip() == asked.answer
    found = [float(number) for number in re.findall(r"\d+", said)]
    return len(found) == 4 and overlap(found, asked.box) >= 0.5


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (_area(one) + _area(other) - both or 1)


def _area(box: Sequence[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _about_one(rng: random.Random, last: Kind, rounds: int) -> tuple[Round, ...]:
    count = 1 if last == "box" else rng.randint(1, 4)
    shown = scene(rng, count)
    kinds: list[Kind] = ["colour", "shape", "count", *(["box"] if shown.count == 1 else [])]
    kinds.remove(last)
    rng.shuffle(kinds)
    asked: list[Kind] = [*kinds[: rounds - 1], last]
    made = [_about(kind, shown, "", f"I see {_named(shown)}.") for kind in asked]
    return (replace(made[0], pictures=(shown,)), *made[1:])


def _about_two(rng: random.Random, rounds: int) -> tuple[Round, ...]:
    pair = (scene(rng, rng.randint(1, 3)), scene(rng, rng.randint(1, 3)))
    places = [0, 1]
    rng.shuffle(places)
    made = []
    for place in places[:rounds]:
        word = ("first", "second")[place]
        shown = pair[place]
        kind = rng.choice(_PLAIN)
        thought = f"The {word} picture shows {_named(shown)}."
        about = _about(kind, shown, f" in the {word} picture", thought)
        made.append(replace(about, kind="second picture"))
    return (replace(made[0], pictures=pair), *made[1:])


def _later(rng: random.Random, first: Scene) -> Round:
    """A further picture in a later turn; the question may go back to the one before."""
    shown = scene(rng, rng.randint(1, 3))
    word, meant = ("first", first) if rng.random() < 0.3 else ("second", shown)
    kind = rng.choice(_PLAIN)
    thought = f"The {word} picture shows {_named(meant)}."
    asked = _about(kind, meant, f" in the {word} picture", thought)
    return replace(asked, kind="later picture", pictures=(shown,))


def _about_video(rng: random.Random, rounds: int) -> tuple[Round, ...]:
    """Four frames: the figure changes its colour with each."""
    still = scene(rng, 1)
    colours = rng.sample(list(COLOURS), 4)
    film = tuple(still.coloured(colour) for colour in colours)
    ends = [("start", film[0]), ("end", film[-1])]
    rng.shuffle(ends)
    made = []
    for word, shown in ends[:rounds]:
        kind = rng.choice(_PLAIN[:2])
        thought = f"At the {word} I see {_named(shown)}."
        made.append(replace(_about(kind, shown, f" at the {word}", thought), kind="video"))
    return (replace(made[0], film=film), *made[1:])


def _about(kind: Kind, shown: Scene, where: str, thought: str) -> Round:
    match kind:
        case "colour":
            return Round(kind, f"What colour is the figure{where}?", thought, shown.colour)
        case "shape":
            return Round(kind, f"What shape is the figure{where}?", thought, shown.shape)
        case "count":
            return Round(kind, f"How many figures are there{where}?", thought, str(shown.count))
        case _:
            box = _box(shown)
            steps = [round(side / _STEP) * _STEP for side in box]
            answer = "<|begin_of_box|>[{},{},{},{}]<|end_of_box|>".format(*steps)
            return Round("box", f"Where is the figure{where}?", thought, answer, box)


def _named(shown: Scene) -> str:
    if shown.count == 1:
        return f"1 {shown.colour} {shown.shape}"
    plural = "es" if shown.shape == "cross" else "s"
    return f"{shown.count} {shown.colour} {shown.shape}{plural}"


def _box(shown: Scene) -> tuple[float, ...]:
    left, top, right, bottom = shown.boxes[0]
    across, down = 1000 / shown.width, 1000 / shown.height
    return (left * across, top * down, right * across, bottom * down)
