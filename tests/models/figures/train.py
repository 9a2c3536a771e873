"""Trains the figures' model on a CPU and writes its folder:

    cd tests && ../.venv/bin/python -m models.figures.train [FOLDER]

First the tower learns what stands in each cell of a picture, then the whole model learns to talk
about pictures. At the end it answers questions about fresh pictures; the share of right answers
is printed by the kind of question.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from models.figures.cells import Head
from models.figures.draw import COLOURS, Scene, scene
from models.figures.exam import examine
from models.figures.lesson import Batch, Lesson, batch, lesson, seen
from models.figures.network import EXPERTS, WIDTH, beginner, configuration, write_model
from models.figures.talk import KINDS, talk
from models.figures.words import Words, write_words
from torch import nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
_ALONE = 0.6  # of the steps of the whole model, in which the tower rests
_POOL = 8  # batches that are sorted by length together
_OFTEN = (2, 3, 4, 5, 3, 2, 4)  # how often each kind of question is asked


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", nargs="?", type=Path, default=HERE / "checkpoint")
    asked.add_argument("--look", type=int, default=2500, help="steps of the tower alone")
    asked.add_argument("--talk", type=int, default=1740, help="steps of the whole model")
    asked.add_argument("--threads", type=int, default=min(os.cpu_count() or 2, 12))
    asked.add_argument("--seed", type=int, default=1)
    said = asked.parse_args()
    torch.set_num_threads(said.threads)
    torch.manual_seed(said.seed)
    words = write_words(said.folder)
    config = configuration(words)
    model, head = beginner(config), Head(WIDTH)
    print(f"{sum(weight.numel() for weight in model.parameters()):,} parameters", flush=True)
    started = time.monotonic()
    look(model, head, said.look, random.Random(said.seed))
    learn(model, head, words, said.talk, random.Random(said.seed + 1))
    write_model(said.folder, config, model.state_dict())
    spent = time.monotonic() - started
    print(f"trained in {spent:.0f} s ({time.process_time():.0f} s of processor)", flush=True)
    for name, share in examine(said.folder, words, random.Random(said.seed + 2)).items():
        print(f"{name:40} {share:.1%}")


def look(model: Any, head: Head, steps: int, rng: random.Random) -> None:
    """The tower alone: what stands in each cell."""
    tower = model.model.visual
    weights = [*tower.parameters(), *head.parameters()]
    course = _Course([(weights, 4e-3)], steps)
    for _ in range(steps):
        first = [scene(rng, rng.randint(1, 4)) for _ in range(32)]
        patches, grids, cells = seen([_maybe_changing(one, rng) for one in first])
        course.step(head.loss(tower(patches, grid_thw=grids).pooler_output, cells))


def _maybe_changing(one: Scene, rng: random.Random) -> tuple[Scene, ...]:
    """A picture, or now and then two frames that differ in the figures' colour."""
    return (one, one.coloured(rng.choice(list(COLOURS)))) if rng.random() < 0.2 else (one,)


def learn(model: Any, head: Head, words: Words, steps: int, rng: random.Random) -> None:
    """The whole model: talks, and the cells still a little, so that the tower forgets nothing."""
    tower = [*model.model.visual.parameters(), *head.parameters()]
    rest = [*model.model.language_model.parameters(), *model.lm_head.parameters()]
    course = _Course([(tower, 1e-3), (rest, 3e-3)], steps)
    balance = _Balance(model)
    batches = _batches(words, rng)
    for step in range(steps):
        taught = next(batches)
        with torch.set_grad_enabled(step >= steps * _ALONE):
            features = model.model.visual(taught.patches, grid_thw=taught.grids).pooler_output
        loss = _loss(model, taught, features)
        course.step(loss + 0.02 * head.loss(features, taught.cells), loss)
        balance.step()


def _loss(model: Any, taught: Batch, features: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the tokens to learn; `features` is the tower's output [cells, width]."""
    text = model.model.language_model
    places = (taught.tokens == model.config.image_token_id)[..., None]
    embedded = text.embed_tokens(taught.tokens).masked_scatter(places, features)
    # what fills a row up stands behind the lesson, so that the causal mask hides it
    hidden = text(
        inputs_embeds=embedded, position_ids=taught.positions, use_cache=False
    ).last_hidden_state
    wanted = taught.labels[:, 1:]
    learned = wanted >= 0
    logits = model.lm_head(hidden[:, :-1][learned])
    return functional.cross_entropy(logits, wanted[learned])


def _batches(words: Words, rng: random.Random, size: int = 32) -> Iterator[Batch]:
    """Batches of lessons of about one length."""
    while True:
        pool = sorted((_lesson(words, rng) for _ in range(size * _POOL)), key=_length)
        cut = [pool[at : at + size] for at in range(0, len(pool), size)]
        rng.shuffle(cut)
        for lessons in cut:
            yield batch(lessons)


def _lesson(words: Words, rng: random.Random) -> Lesson:
    kind = rng.choices(KINDS, _OFTEN)[0]
    rounds = talk(rng, kind, rng.randint(1, 3))
    return lesson(words, rounds, rng, thinks=rng.random() < 0.6, cut=rng.random() < 0.15)


def _length(made: Lesson) -> int:
    return len(made.tokens)


class _Course:
    """AdamW with a warm start and a slow end; says now and then how it goes."""

    def __init__(self, groups: list[tuple[list[nn.Parameter], float]], steps: int) -> None:
        self._weights = [weight for weights, _ in groups for weight in weights]
        parts = [
            {
                "params": [weight for weight in weights if (weight.ndim > 1) == matrix],
                "lr": rate,
                "weight_decay": 0.01 if matrix else 0.0,
            }
            for weights, rate in groups
            for matrix in (True, False)
        ]
        self._optimizer = torch.optim.AdamW(parts, betas=(0.9, 0.98), fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda at: min((at + 1) / 50, 1) * _slope(at / steps)
        )
        self._losses: list[float] = []
        self._started = time.monotonic()

    def step(self, loss: torch.Tensor, told: torch.Tensor | None = None) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._losses.append((loss if told is None else told).item())
        if len(self._losses) % 100 == 0:
            mean = sum(self._losses[-100:]) / 100
            spent = time.monotonic() - self._started
            print(f"step {len(self._losses):5}  loss {mean:.4f}  {spent:4.0f} s", flush=True)


def _slope(done: float) -> float:
    """The share of the learning rate when `done` of the steps are made: half a cosine."""
    return 0.01 + 0.99 * math.cos(math.pi / 2 * done) ** 2


class _Balance:
    """Keeps the experts equally busy through the router's bias (arXiv 2408.15664)."""

    def __init__(self, model: Any) -> None:
        self._gates = [
            layer.mlp.gate
            for layer in model.model.language_model.layers
            if hasattr(layer.mlp, "gate")
        ]
        self._load: dict[int, torch.Tensor] = {}
        for place, gate in enumerate(self._gates):
            gate.register_forward_hook(lambda _, __, out, at=place: self._count(at, out[2]))

    def _count(self, place: int, chosen: torch.Tensor) -> None:
        self._load[place] = torch.bincount(chosen.flatten(), minlength=EXPERTS).float()

    def step(self) -> None:
        for place, load in self._load.items():
            bias = self._gates[place].e_score_correction_bias
            bias += 0.001 * torch.sign(load.mean() - load)


if __name__ == "__main__":
    main()
