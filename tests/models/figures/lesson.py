"""Talks about figures as a model learns them: tokens, positions, pixels, and which tokens it should
have written. Knows no network."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import torch
from models.figures.cells import Cells, cells
from models.figures.draw import Scene, picture
from models.figures.talk import Round
from models.figures.words import Words
from PIL import Image

PATCH, MERGE = 14, 2
LEAST, MOST = 2 * 56 * 56, 2 * 168 * 168  # pixels, a picture counted as two frames
MEAN = (0.48145466, 0.4578275, 0.40821073)
SPREAD = (0.26862954, 0.26130258, 0.27577711)
_SKIP = -100  # torch's mark for "not to be learned"

Grid = tuple[int, int]


@dataclass(slots=True)
class Lesson:
    """One talk: a token, its three positions and what should be learned there; its pictures."""

    tokens: list[int] = field(default_factory=list)
    positions: list[tuple[int, int, int]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    shown: list[tuple[Scene, ...]] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    next: int = 0

    def put(self, token: int) -> None:
        self.tokens.append(token)
        self.positions.append((self.next, self.next, self.next))
        self.next += 1

    def see(self, mark: int, grid: Grid) -> None:
        """The placeholders of a picture, as transformers' `get_rope_index` counts them."""
        rows, columns = grid[0] // MERGE, grid[1] // MERGE
        at = self.next
        self.tokens += [mark] * (rows * columns)
        self.positions += [(at, at + y, at + x) for y in range(rows) for x in range(columns)]
        self.next += max(rows, columns)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Lessons side by side, filled up on the right: tokens [B, T], positions [3, B, T], labels
    [B, T]; patches [N, 1176] and grids [P, 3] of all pictures."""

    tokens: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor
    patches: torch.Tensor
    grids: torch.Tensor
    cells: Cells


def lesson(
    words: Words, rounds: tuple[Round, ...], rng: random.Random, *, thinks: bool, cut: bool
) -> Lesson:
    """The talk with its answers. Thoughts are learned in the last round only: the template drops
    older ones. `cut` breaks the last thought off somewhere, as a budget does."""
    text = words.written(rounds, thinks=thinks, answered=True)
    if cut and thinks:
        before, rest = text.rsplit("<think>", 1)
        thought, after = rest.split("</think>")
        kept = thought.split(" ")[: rng.randrange(len(thought.split(" ")))]
        text = f"{before}<think>{' '.join(kept)}</think>{after}"
    made = laid_out(words, rounds, text, seconds=rng.randint(1, 4))
    made.labels = _labels(words, made.tokens, thinks, cut)
    return made


def laid_out(words: Words, rounds: tuple[Round, ...], text: str, seconds: int) -> Lesson:
    """`text` as tokens, its pictures and videos spread out. `seconds` lie between two groups of
    a video's frames."""
    made = Lesson()
    for asked in rounds:
        made.shown += [(scene,) for scene in asked.pictures]
        made.shown += [asked.film[at : at + 2] for at in range(0, len(asked.film), 2)]
    made.grids = [grid(frames[0].width, frames[0].height) for frames in made.shown]
    left, mark = iter(made.grids), words.marks["<|image|>"]
    groups = len(rounds[0].film) // 2
    for token in words.encode(text):
        if token == mark:
            made.see(mark, next(left))
        elif token == words.marks["<|video|>"]:
            for group in range(groups):
                made.put(words.marks["<|begin_of_image|>"])
                made.see(mark, next(left))
                made.put(words.marks["<|end_of_image|>"])
                for digit in words.encode(str(group * seconds)):
                    made.put(digit)
        else:
            made.put(token)
    return made


def batch(lessons: list[Lesson]) -> Batch:
    longest = max(len(made.tokens) for made in lessons)
    tokens = torch.zeros(len(lessons), longest, dtype=torch.long)
    positions = torch.zeros(3, len(lessons), longest, dtype=torch.long)
    labels = torch.full((len(lessons), longest), _SKIP)
    for row, made in enumerate(lessons):
        count = len(made.tokens)
        tokens[row, :count] = torch.tensor(made.tokens)
        positions[:, row, :count] = torch.tensor(made.positions).T
        labels[row, :count] = torch.tensor(made.labels)
    shown = [frames for made in lessons for frames in made.shown]
    patches, grids, truth = seen(shown)
    return Batch(tokens, positions, labels, patches, grids, truth)


def seen(shown: list[tuple[Scene, ...]]) -> tuple[torch.Tensor, torch.Tensor, Cells]:
    """Patches [N, 1176] and grids [P, 3] of pictures of one frame or two, and their cells."""
    grids = [grid(frames[0].width, frames[0].height) for frames in shown]
    pixels = np.concatenate([_patches(*pair) for pair in zip(shown, grids, strict=True)])
    normal = torch.from_numpy(pixels).float().unflatten(1, (3, -1)) / 255
    normal.sub_(torch.tensor(MEAN)[:, None]).div_(torch.tensor(SPREAD)[:, None])
    return normal.flatten(1), torch.tensor([(1, *size) for size in grids]), cells(shown, grids)


def grid(width: int, height: int) -> Grid:
    """The rows and columns of patches of a picture of this size, which no limit touches."""
    cell = PATCH * MERGE
    return round(height / cell) * MERGE, round(width / cell) * MERGE


def _patches(frames: tuple[Scene, ...], size: Grid) -> np.ndarray:
    """uint8 [rows * columns, 3 * 2 * 14 * 14] as Glm4vImageProcessor orders them; a picture alone
    stands for both frames."""
    rows, columns = size
    made = []
    for scene in frames:
        image = picture(scene).resize((columns * PATCH, rows * PATCH), Image.Resampling.BICUBIC)
        made.append(np.asarray(image))
    both = np.stack((made[0], made[-1]))  # [2, H, W, 3]
    cut = both.reshape(2, rows // 2, 2, PATCH, columns // 2, 2, PATCH, 3)
    return cut.transpose(1, 4, 2, 5, 7, 0, 3, 6).reshape(rows * columns, -1)


def _labels(words: Words, tokens: list[int], thinks: bool, cut: bool) -> list[int]:
    """What the model writes itself: not the questions, not the empty thoughts that the template
    writes, not the end of a thought that a budget closed."""
    marks = words.marks
    labels = [_SKIP] * len(tokens)
    starts = [at for at, token in enumerate(tokens) if token == marks["<|assistant|>"]]
    for start in starts:
        end = tokens.index(marks["<|user|>"], start)
        closed = tokens.index(marks["</think>"], start)
        own = start + 1 if thinks and start == starts[-1] else closed + 1
        labels[own : end + 1] = tokens[own : end + 1]
        if cut and start == starts[-1]:
            labels[closed] = _SKIP
    return labels
