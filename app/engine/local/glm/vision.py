"""The GLM vision tower: patches of pictures → embeddings that stand among the tokens'. Knows no
files, no pictures' bytes and no language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch.nn import functional
from torch.nn.functional import scaled_dot_product_attention

from app.engine.local.glm.config import VisionConfig
from app.engine.local.glm.text import Gated, Norm, read_gated
from app.engine.local.weights.linear import Linear
from app.engine.local.weights.opened import Weights

BASE = "model.visual"

Size = tuple[int, int]  # height and width of a picture, in patches


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the patches of several pictures stand, all in a row: the cosine and sine [P, D] of each
    one's turn, and how many patches each picture has."""

    cos: torch.Tensor
    sin: torch.Tensor
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Attention within each picture, then a gated network."""

    before: Norm
    join: Linear  # queries, keys and values at once
    out: Linear
    between: Norm
    network: Gated
    heads: int

    def __call__(self, x: torch.Tensor, layout: Layout) -> torch.Tensor:  # x: [P, H]
        x = x + self.out(self._mixed(self.before(x), layout))
        return x + self.network(self.between(x))

    def _mixed(self, x: torch.Tensor, layout: Layout) -> torch.Tensor:
        joined = torch.unflatten(self.join(x), -1, (3, self.heads, -1))
        query, key, value = joined.unbind(1)  # [P, N, D]
        query, key = _turned(query, layout), _turned(key, layout)
        parts: list[torch.Tensor] = []
        place = 0
        for length, alike in groupby(layout.lengths):  # pictures of one size are one batch
            shape, end = (-1, length), place + length * len(list(alike))
            runs = (tensor[place:end] for tensor in (query, key, value))
            q, k, v = (torch.unflatten(run, 0, shape).transpose(1, 2) for run in runs)
            mixed = scaled_dot_product_attention(q, k, v)  # [B, N, L, D]
            parts.append(mixed.transpose(1, 2).flatten(2).flatten(0, 1))
            place = end
        return torch.cat(parts)


def _turned(x: torch.Tensor, layout: Layout) -> torch.Tensor:  # [P, N, D], in 32 bits
    one, other = x.float().chunk(2, -1)
    cos, sin = layout.cos[:, None], layout.sin[:, None]  # [P, 1, D/2]
    return torch.cat((one * cos - other * sin, other * cos + one * sin), -1).to(x.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Merger:
    """From the tower's width into the language model's."""

    join: Linear
    scale: torch.Tensor
    shift: torch.Tensor
    network: Gated

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        x = self.join(x)
        x = functional.layer_norm(x, x.shape[-1:], self.scale, self.shift)  # eps 1e-5
        return self.network(functional.gelu(x))


class Tower:
    """The whole tower."""

    def __init__(self, weights: Weights, config: VisionConfig, dtype: torch.dtype) -> None:
        def tensor(name: str) -> torch.Tensor:
            return weights.tensor(f"{BASE}.{name}", dtype)

        self.config = config
        # windows that don't overlap: the convolutions are products of whole windows
        self._patch = (
            tensor("patch_embed.proj.weight").flatten(1),
            tensor("patch_embed.proj.bias"),
        )
        self._down = (tensor("downsample.weight").flatten(1), tensor("downsample.bias"))
        table = tensor("embeddings.position_embedding.weight")  # [S * S, H]
        side = int(len(table) ** 0.5)
        self._places = table.float().view(1, side, side, -1).permute(0, 3, 1, 2)  # [1, H, S, S]
        self._start = Norm(tensor("post_conv_layernorm.weight"), config.eps)
        self._end = Norm(tensor("post_layernorm.weight"), config.eps)
        self._blocks = [_block(weights, config, number, dtype) for number in range(config.depth)]
        self._merger = Merger(
            weights.linear(f"{BASE}.merger.proj"),
            tensor("merger.post_projection_norm.weight"),
            tensor("merger.post_projection_norm.bias"),
            read_gated(weights, f"{BASE}.merger"),
        )
        width = config.hidden // config.heads // 2  # of the two halves, rows and columns
        steps = torch.arange(0, width, 2, dtype=torch.float32, device=table.device)
        self._speeds = 1.0 / config.theta ** (steps / width)

    @property
    def device(self) -> torch.device:
        return self._places.device

    def embed(self, patches: torch.Tensor, sizes: Sequence[Size]) -> torch.Tensor:
        """`patches` [P, C * F * p * p], all pictures' in a row and in the family's order, with the
        size of each → embeddings [P / merge², out], in the same order."""
        weight, bias = self._patch
        x = self._start(functional.linear(patches.to(weight.dtype), weight, bias))
        cells = [self._cells(size) for size in sizes]
        x = x + torch.cat([self._place(c, s) for c, s in zip(cells, sizes, strict=True)])
        layout = self._layout(torch.cat(cells), sizes)
        for block in self._blocks:
            x = block(x, layout)
        return self._merger(self._merged(self._end(x)))

    def _merged(self, x: torch.Tensor) -> torch.Tensor:  # [P, H] → [P / merge², out]
        weight, bias = self._down
        windows = torch.unflatten(x, 0, (-1, self.config.merge**2)).transpose(1, 2).flatten(1)
        return functional.linear(windows, weight, bias)

    def _cells(self, size: Size) -> torch.Tensor:
        """Row and column [P, 2] of each patch: windows of merge x merge, row by row."""
        merge = self.config.merge
        rows, columns = (torch.arange(side, device=self.device) for side in size)
        cells = torch.cartesian_prod(rows, columns)
        windows = cells.view(size[0] // merge, merge, size[1] // merge, merge, 2)
        return windows.transpose(1, 2).reshape(-1, 2)

    def _place(self, cells: torch.Tensor, size: Size) -> torch.Tensor:
        """The table of positions, stretched over a picture: [P, H]."""
        height, width = size
        rows, columns = cells.float().unbind(1)
        across, down = (columns + 0.5) / width * 2 - 1, (rows + 0.5) / height * 2 - 1
        spots = torch.stack((across, down), -1)[None, :, None]  # [1, P, 1, 2]
        stretched = functional.grid_sample(
            self._places, spots, mode="bicubic", padding_mode="border", align_corners=False
        )
        return stretched[0, :, :, 0].T.to(self._patch[0].dtype)

    def _layout(self, cells: torch.Tensor, sizes: Sequence[Size]) -> Layout:
        angles = (cells[..., None] * self._speeds).flatten(1)  # rows' and columns': [P, D/2]
        return Layout(angles.cos(), angles.sin(), tuple(h * w for h, w in sizes))


def _block(weights: Weights, config: VisionConfig, number: int, dtype: torch.dtype) -> Block:
    name = f"{BASE}.blocks.{number}"
    return Block(
        before=Norm(weights.tensor(f"{name}.norm1.weight", dtype), config.eps),
        join=weights.linear(f"{name}.attn.qkv"),
        out=weights.linear(f"{name}.attn.proj"),
        between=Norm(weights.tensor(f"{name}.norm2.weight", dtype), config.eps),
        network=read_gated(weights, f"{name}.mlp"),
        heads=config.heads,
    )
