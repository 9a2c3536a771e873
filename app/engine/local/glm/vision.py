"""The GLM vision tower: patches of pictures → embeddings that stand among the tokens'. Knows no
files, no pictures' bytes and no language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from app.engine.local.glm.attention import mix, prepare
from app.engine.local.glm.config import VisionConfig
from app.engine.local.glm.fused import added, turned_halves
from app.engine.local.glm.places import Places
from app.engine.local.glm.spread import Lot, lot
from app.engine.local.glm.text import Gated, Norm, read_gated
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.weights.linear import Linear
from app.engine.local.weights.opened import Weights

BASE = "model.visual"

Size = tuple[int, int]  # height and width of a picture, in patches
Stream = tuple[torch.Tensor, torch.Tensor]  # [P, H] each: patches, and a norm of them


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What a rank reads: the cosine and sine [P, D/2] of the turn of each of its patches, and which
    of them it has of which picture."""

    cos: torch.Tensor
    sin: torch.Tensor
    lot: Lot


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Attention within each picture, then a gated network."""

    before: Norm
    join: Linear  # queries, keys and values at once
    out: Linear
    between: Norm
    network: Gated
    heads: int
    group: Group

    def __call__(self, stream: Stream, layout: Layout, *, behind: Norm) -> Stream:
        """From x and `before` of it to what comes of x, and the norm of that `behind` the block."""
        x, normed = stream
        seen = self.out(self._mixed(normed, layout))
        x, normed = added(x, seen, self.between.weight, self.between.eps)
        return added(x, self.network(normed), behind.weight, behind.eps)

    def _mixed(self, x: torch.Tensor, layout: Layout) -> torch.Tensor:
        joined = torch.unflatten(self.join(x), -1, (3, self.heads, -1))  # [P, 3, N, D]
        query, key = turned_halves(joined[:, :2], layout.cos, layout.sin).unbind(1)  # [P, N, D]
        value = joined[:, 2]
        others = self._gathered(key, value, layout.lot)
        parts: list[torch.Tensor] = []
        for piece in layout.lot.pieces:
            q, k, v = (tensor[piece.first : piece.last] for tensor in (query, key, value))
            if piece.spans and others is not None:
                k, v = _below([others[first:last] for first, last in piece.spans]).unbind(1)
            shape = (piece.pictures, -1)  # pictures of one size are one batch
            q, k, v = (torch.unflatten(run, 0, shape).transpose(1, 2) for run in (q, k, v))
            mixed = mix(q, k, v)  # [B, N, L, D]
            parts.append(mixed.transpose(1, 2).flatten(2).flatten(0, 1))
        return _below(parts) if parts else query.flatten(1)

    def _gathered(self, key: torch.Tensor, value: torch.Tensor, lot: Lot) -> torch.Tensor | None:
        """Keys and values [R * most, 2, N, D] of the pictures that ranks share."""
        if not lot.most:
            return None
        own = torch.stack((key, value), 1)
        sent = [own[first:last] for first, last in lot.sent]
        missing = lot.most - sum(map(len, sent))
        if missing:
            sent.append(own.new_zeros(missing, *own.shape[1:]))
        return self.group.gather(_below(sent))


def _below(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """One tensor of several; a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


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
    """The whole tower, the same on every rank of `group`; each embeds its share of the patches."""

    def __init__(
        self, weights: Weights, config: VisionConfig, dtype: torch.dtype, group: Group = ALONE
    ) -> None:
        def tensor(name: str) -> torch.Tensor:
            return weights.tensor(f"{BASE}.{name}", dtype)

        self.config = config
        self.group = group
        # windows that don't overlap: the convolutions are products of whole windows
        self._patch = (
            tensor("patch_embed.proj.weight").flatten(1),
            tensor("patch_embed.proj.bias"),
        )
        self._down = (tensor("downsample.weight").flatten(1), tensor("downsample.bias"))
        self._places = Places(tensor("embeddings.position_embedding.weight"))
        self._start = Norm(tensor("post_conv_layernorm.weight"), config.eps)
        self._end = Norm(tensor("post_layernorm.weight"), config.eps)
        self._blocks = [
            _block(weights, config, number, dtype, group) for number in range(config.depth)
        ]
        self._merger = Merger(
            weights.linear(f"{BASE}.merger.proj"),
            tensor("merger.post_projection_norm.weight"),
            tensor("merger.post_projection_norm.bias"),
            read_gated(weights, f"{BASE}.merger"),
        )
        width = config.hidden // config.heads // 2  # of the two halves, rows and columns
        steps = torch.arange(0, width, 2, dtype=torch.float32, device=self.device)
        self._speeds = 1.0 / config.theta ** (steps / width)

    @property
    def device(self) -> torch.device:
        return self._places.device

    @property
    def dtype(self) -> torch.dtype:
        return self._patch[0].dtype

    def lot(self, sizes: Sequence[Size]) -> Lot:
        """Which patches of pictures of these sizes are for this rank to embed."""
        lengths = [height * width for height, width in sizes]
        return lot(lengths, self.config.merge**2, self.group.rank, self.group.count)

    def embed(self, patches: torch.Tensor, sizes: Sequence[Size]) -> torch.Tensor:
        """`patches` [P, C * F * p * p], this rank's share of all pictures' in a row and in the
        family's order, with the size of each picture → embeddings [all patches / merge², out], in
        the same order and the same on every rank."""
        own = self.lot(sizes)
        weight, bias = self._patch
        x = self._start(functional.linear(patches.to(weight.dtype), weight, bias))
        sides = [sizes[part.picture] for part in own.parts]
        cells = [self._cells(s)[p.first : p.last] for s, p in zip(sides, own.parts, strict=True)]
        if cells:
            x = x + torch.cat([self._places.of(c, s) for c, s in zip(cells, sides, strict=True)])
        layout = self._layout(cells, own)
        stream = x, self._blocks[0].before(x)
        behind = [*(block.before for block in self._blocks[1:]), self._end]
        for block, norm in zip(self._blocks, behind, strict=True):
            stream = block(stream, layout, behind=norm)
        return self._together(self._merger(self._merged(stream[1])), own)

    def prepare(self) -> None:
        """Embed a picture of nothing, on every rank, so that what a GPU compiles is there before
        the first real one."""
        side = 2 * self.config.merge
        size = (side, side * self.group.count)
        width = self.config.patch**2 * self.config.frames * self.config.channels
        nothing = torch.zeros(self.lot([size]).length, width, dtype=self.dtype, device=self.device)
        self.embed(nothing, [size])
        prepare(self.config.hidden // self.config.heads, self.dtype, self.device)

    def _together(self, x: torch.Tensor, own: Lot) -> torch.Tensor:
        """All ranks' embeddings: all shares but the last ones are equal."""
        if self.group.count == 1:
            return x
        window = self.config.merge**2
        filled = functional.pad(x, (0, 0, 0, own.padded // window - len(x)))
        return self.group.gather(filled)[: own.total // window]

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

    def _layout(self, cells: list[torch.Tensor], own: Lot) -> Layout:
        placed = torch.cat(cells) if cells else torch.empty(0, 2, device=self.device)
        angles = (placed[..., None] * self._speeds).flatten(1)  # rows' and columns': [P, D/2]
        return Layout(angles.cos(), angles.sin(), own)


def _block(
    weights: Weights, config: VisionConfig, number: int, dtype: torch.dtype, group: Group
) -> Block:
    name = f"{BASE}.blocks.{number}"
    return Block(
        before=Norm(weights.tensor(f"{name}.norm1.weight", dtype), config.eps),
        join=weights.linear(f"{name}.attn.qkv"),
        out=weights.linear(f"{name}.attn.proj"),
        between=Norm(weights.tensor(f"{name}.norm2.weight", dtype), config.eps),
        network=read_gated(weights, f"{name}.mlp"),
        heads=config.heads,
        group=group,
    )
