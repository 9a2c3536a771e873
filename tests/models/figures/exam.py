"""Asks the stock transformers model of a folder about fresh pictures. Knows no training."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from checkpoints import oracle
from models.figures.lesson import Lesson, laid_out, seen
from models.figures.talk import KINDS, Round, is_right, talk
from models.figures.words import Words

_BATCH = 48


def examine(folder: Path, words: Words, rng: random.Random, count: int = 144) -> dict[str, float]:
    """The share of right answers by kind of question, with and without thinking."""
    model = oracle(folder)
    found = {}
    for thinks in (True, False):
        for kind in KINDS:
            talks = [talk(rng, kind, rng.randint(1, 3)) for _ in range(count)]
            right = sum(
                _right(model, words, talks[at : at + _BATCH], thinks)
                for at in range(0, count, _BATCH)
            )
            name = f"{kind}, {'thinking' if thinks else 'at once'}"
            found[name] = right / count
    return found


def _right(model: Any, words: Words, talks: list[tuple[Round, ...]], thinks: bool) -> int:
    lessons = [
        laid_out(words, rounds, words.written(rounds, thinks=thinks, answered=False), seconds=2)
        for rounds in talks
    ]
    said = _generate(model, words, lessons)
    return sum(
        is_right(rounds[-1], text.split("</think>")[-1])
        for rounds, text in zip(talks, said, strict=True)
    )


def _generate(model: Any, words: Words, lessons: list[Lesson]) -> list[str]:
    longest = max(len(made.tokens) for made in lessons)
    tokens = torch.full((len(lessons), longest), words.marks["<|endoftext|>"])
    for row, made in enumerate(lessons):
        tokens[row, longest - len(made.tokens) :] = torch.tensor(made.tokens)
    patches, grids, _ = seen([frames for made in lessons for frames in made.shown])
    written = model.generate(
        input_ids=tokens,
        attention_mask=(tokens != words.marks["<|endoftext|>"]).long(),
        # a video's groups are pictures to the model, apart from how they are counted
        mm_token_type_ids=(tokens == words.marks["<|image|>"]).long(),
        pixel_values=patches,
        image_grid_thw=grids,
        max_new_tokens=48,
        do_sample=False,
    )
    end = words.marks["<|user|>"]
    texts = []
    for row in written[:, longest:].tolist():
        texts.append(words.decode(row[: row.index(end)] if end in row else row))
    return texts
