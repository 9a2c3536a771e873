"""Where each token of a conversation stands in time, rows and columns; pure arithmetic, knows no
tokens and no pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch

Grid = tuple[int, int, int]


def positions(length: int, spans: Sequence[tuple[int, Grid]], merge: int) -> torch.Tensor:
    """Position ids int64 [3, T] of `length` tokens, as transformers' `get_rope_index` has them.

    `spans` are the pictures in order, each as the index of its first token and its grid (t, h, w)
    in patches, of which `merge` a side become one token. Text counts up in all three; a picture
    spreads from where the text left off, and the text goes on behind its longer side. A video is
    one span for each of its temporal groups, with t = 1.

    Raises ValueError where spans overlap or don't fit.
    """
    ids = torch.empty(3, length, dtype=torch.int64)
    place = position = 0
    for start, grid in spans:
        if start < place:
            raise ValueError(f"the picture at {start} begins before {place}")
        position += _text(ids[:, place:start], position)
        place = start + _picture(ids[:, start:], grid, position, merge)
        position += max(grid[1:]) // merge
    _text(ids[:, place:], position)
    return ids


def _text(ids: torch.Tensor, position: int) -> int:  # ids: [3, T], written to
    ids.copy_(torch.arange(position, position + ids.shape[1]).expand(3, -1))
    return ids.shape[1]


def _picture(ids: torch.Tensor, grid: Grid, position: int, merge: int) -> int:
    """Writes a picture's ids to the beginning of `ids` [3, T]; gives how many they are."""
    times, rows, columns = grid[0], grid[1] // merge, grid[2] // merge
    count = times * rows * columns
    if count > ids.shape[1]:
        raise ValueError(f"a picture of {count} tokens does not fit {ids.shape[1]}")
    shaped = torch.unflatten(ids[:, :count], 1, (times, rows, columns))
    shaped[0] = torch.arange(position, position + times)[:, None, None]
    shaped[1] = torch.arange(position, position + rows)[:, None]
    shaped[2] = torch.arange(position, position + columns)
    return count
