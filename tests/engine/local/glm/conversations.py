"""Conversations with random pictures and videos, as our GLM networks read them and as the stock
transformers model does. A library for the tests beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

from app.engine.local.glm.look import Look, read_look
from app.engine.local.glm.pixels import fitted, fitted_film, patches
from app.engine.local.glm.positions import positions
from app.engine.local.glm.prompt import GlmPrompt, Shown, Sight


@dataclass(frozen=True)
class Picture:
    """Noise of `height` x `width`, the same for the same seed."""

    height: int
    width: int
    seed: int = 0

    def pixels(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        coarse = rng.integers(0, 256, (self.height // 7 + 1, self.width // 7 + 1, 3), np.uint8)
        return np.kron(coarse, np.ones((7, 7, 1), np.uint8))[: self.height, : self.width].copy()


@dataclass(frozen=True)
class Film:
    """`frames` pictures of one size, an even number; two make a temporal group."""

    frames: int
    height: int
    width: int
    seed: int = 0

    def pictures(self) -> list[Picture]:
        return [Picture(self.height, self.width, self.seed * 100 + n) for n in range(self.frames)]


Part = str | Picture | Film
Marks = dict[str, int]


class Writer:
    """Writes one conversation, part by part."""

    def __init__(self, marks: Marks, folder: Path) -> None:
        self._marks = marks
        self._look = read_look(folder) if "<|image|>" in marks else Look()
        self.tokens: list[int] = [marks["[gMASK]"], marks["<sop>"]]
        self.kinds: list[int] = [0, 0]  # 1 for a picture's tokens, 2 for a video's
        self.sights: list[Sight] = []
        self.pictures: list[np.ndarray] = []
        self.grids: list[tuple[int, int, int]] = []  # of the videos

    def say(self, *parts: Part) -> Writer:
        self._text("<|user|>", "\n")
        for part in parts:
            match part:
                case str():
                    self._text(part)
                case Picture():
                    self._picture(part)
                case Film():
                    self._film(part)
        return self._text("<|assistant|>")

    def answer(self, tokens: Sequence[int]) -> Writer:
        self.tokens += tokens
        self.kinds += [0] * len(tokens)
        return self

    def prompt(self) -> GlmPrompt:
        spans = [(sight.start, sight.grid) for sight in self.sights]
        ids = positions(len(self.tokens), spans, self._look.merge)
        tokens = tuple(self.tokens)
        return GlmPrompt("", tokens, tokens, ids, tuple(self.sights))

    def stock(self) -> dict[str, Any]:
        """What the stock model's `generate` takes.

        WORKAROUND transformers 5.23 refuses pictures beside a video, for it counts the tokens of
        both for each; the groups of a video are pictures to it in all else, so they go as such.
        """
        ids = torch.tensor([self.tokens])
        said: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if not self.sights:
            return said
        if self.pictures and self.grids:
            said["mm_token_type_ids"] = torch.tensor([self.kinds], dtype=torch.int32).clamp(max=1)
            said["image_grid_thw"] = torch.tensor([sight.grid for sight in self.sights])
            said["pixel_values"] = self._seen(self.sights)
        elif self.grids:
            said |= self.counted() | {"pixel_values_videos": self._seen(self.sights)}
        else:
            said |= self.counted() | {"pixel_values": self._seen(self.sights)}
        return said

    def counted(self) -> dict[str, Any]:
        """What the stock model's `get_rope_index` takes beside the tokens."""
        said: dict[str, Any] = {"mm_token_type_ids": torch.tensor([self.kinds], dtype=torch.int32)}
        if self.pictures:
            grids = [sight.grid for sight in self.sights if len(sight.frames) == 1]
            said["image_grid_thw"] = torch.tensor(grids)
        if self.grids:
            said["video_grid_thw"] = torch.tensor(self.grids)
        return said

    def _seen(self, sights: list[Sight]) -> torch.Tensor:
        """Pictures as the stock processor cuts them up; videos as ours does, for the stock one
        needs torchvision."""
        budget = {"shortest_edge": self._look.least, "longest_edge": self._look.most}
        stock = Glm4vImageProcessorPil(size=budget)
        parts = [
            stock(sight.frames[0].pixels, return_tensors="pt")["pixel_values"]
            if len(sight.frames) == 1
            else patches(sight, self._look, "cpu")
            for sight in sights
        ]
        return torch.cat(parts)

    def _text(self, *texts: str) -> Writer:
        for text in texts:
            self.answer([self._marks[text]] if text in self._marks else list(text.encode()))
        return self

    def _picture(self, picture: Picture) -> None:
        pixels = picture.pixels()
        self.pictures.append(pixels)
        self._sight([pixels], fitted(pixels.shape[:2], self._look, "A picture"), 1, str(picture))

    def _film(self, film: Film) -> None:
        self._text("<|begin_of_video|>")
        size = fitted_film((film.height, film.width), film.frames, self._look, "A video")
        frames = [picture.pixels() for picture in film.pictures()]
        for group in range(0, film.frames, 2):
            self._sight(frames[group : group + 2], size, 2, f"{film} {group}")
            self._text(str(group // 2))
        self._text("<|end_of_video|>")
        _, high, wide = self.sights[-1].grid
        self.grids.append((film.frames // 2, high, wide))

    def _sight(self, frames: list[np.ndarray], size: tuple[int, int], kind: int, key: str) -> None:
        grid = (1, size[0] // self._look.patch, size[1] // self._look.patch)
        count = grid[1] * grid[2] // self._look.merge**2
        self._text("<|begin_of_image|>")
        shown = tuple(Shown(b"", pixels, size) for pixels in frames)
        self.sights.append(Sight(len(self.tokens), grid, key, shown))
        self.tokens += [self._marks["<|image|>"]] * count
        self.kinds += [kind] * count
        self._text("<|end_of_image|>")
