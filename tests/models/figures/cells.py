"""The tower's first lessons: what it should see in each cell of a picture (a merged patch of 28 x
28 pixels). A small head that is thrown away afterwards reads the tower's output. Knows no text.

A tower that learns from the words of answers alone needs many hours; told what stands in each
cell, it needs minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from models.figures.draw import COLOURS, SHAPES, Scene, ink
from PIL import Image
from torch import nn
from torch.nn import functional

_CELL = 28
_DOTS = 7  # a side of the drawn ink in one cell
_COLOURS = list(COLOURS)
_NONE = -1
# nothing or a shape; colour in the first and in the second frame; the four sides of its box in
# twentieths of the picture; how many figures the picture has; the ink
_PARTS = (1 + len(SHAPES), len(COLOURS), len(COLOURS), 21, 21, 21, 21, 4)
_WEIGHTS = (2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
_INK_WEIGHT = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The truth about the cells of some pictures: `facts` int64 [N, 8], `ink` [N, 49] in 0..1."""

    facts: torch.Tensor
    ink: torch.Tensor


class Head(nn.Module):
    """Reads each cell of the tower's output [N, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = nn.Linear(width, sum(_PARTS) + _DOTS * _DOTS)

    def loss(self, seen: torch.Tensor, cells: Cells) -> torch.Tensor:
        *parts, dots = self.read(seen).split([*_PARTS, _DOTS * _DOTS], dim=-1)
        total = _INK_WEIGHT * functional.binary_cross_entropy_with_logits(dots, cells.ink)
        for place, (part, weight) in enumerate(zip(parts, _WEIGHTS, strict=True)):
            known = cells.facts[:, place]
            total = total + weight * functional.cross_entropy(part, known, ignore_index=_NONE)
        return total


def cells(shown: list[tuple[Scene, ...]], grids: list[tuple[int, int]]) -> Cells:
    """`shown` holds one frame or two a picture; `grids` the (rows, columns) of its patches."""
    facts, dots = [], []
    for frames, (rows, columns) in zip(shown, grids, strict=True):
        facts.append(_facts(frames, rows // 2, columns // 2))
        dots.append(_ink(frames[0], rows // 2, columns // 2))
    return Cells(torch.from_numpy(np.concatenate(facts)), torch.from_numpy(np.concatenate(dots)))


def _facts(frames: tuple[Scene, ...], rows: int, columns: int) -> np.ndarray:
    first, last = frames[0], frames[-1]
    boxes = np.array(first.boxes, np.float64)  # [F, 4]
    sides = np.array([first.width, first.height] * 2, np.float64)
    scaled = boxes / sides * np.array([columns, rows] * 2)  # in cells
    left, top = np.arange(columns)[:, None], np.arange(rows)[:, None]
    width = np.minimum(scaled[:, 2], left + 1) - np.maximum(scaled[:, 0], left)  # [C, F]
    height = np.minimum(scaled[:, 3], top + 1) - np.maximum(scaled[:, 1], top)  # [R, F]
    area = height.clip(0)[:, None] * width.clip(0)[None]  # [R, C, F]
    figure = area.argmax(-1).reshape(-1)
    filled = area.max(-1).reshape(-1) > 0.12
    facts = np.full((rows * columns, len(_PARTS)), _NONE, np.int64)
    facts[:, 0] = np.where(filled, 1 + SHAPES.index(first.shape), 0)
    facts[filled, 1] = _COLOURS.index(first.colour)
    facts[filled, 2] = _COLOURS.index(last.colour)
    facts[filled, 3:7] = np.rint(boxes / sides * 20).astype(np.int64)[figure[filled]]
    facts[:, 7] = first.count - 1
    return facts


def _ink(scene: Scene, rows: int, columns: int) -> np.ndarray:
    small = ink(scene).resize((columns * _DOTS, rows * _DOTS), Image.Resampling.BOX)
    dots = np.asarray(small, np.float32).reshape(rows, _DOTS, columns, _DOTS) / 255
    return dots.transpose(0, 2, 1, 3).reshape(rows * columns, _DOTS * _DOTS)
