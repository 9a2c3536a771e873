"""A short prompt's way through the layers, on a GPU in pieces that are captured once and replayed,
for a few numbers of tokens. Launched one by one, the forty kernels of a layer take a processor
longer to tell than a GPU to do. Attention stays outside, for what it reads is of another length
each time, and so do the sums over ranks: a graph that holds them outlives a rank that is lost.
Knows no prompt and no weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from app.engine.local.glm.attention import Pass
from app.engine.local.glm.state import GlmState

if TYPE_CHECKING:  # the layers' owner owns this
    from app.engine.local.glm.text import LanguageModel

# Tokens; what lies between is filled up. A prompt of more keeps a GPU busy for longer than it takes
# to launch.
SIZES = (16, 32, 64, 128, 192, 256, 384, 512)

Kind = Literal["begin", "seen", "think"]
_KINDS: tuple[Kind, ...] = ("begin", "seen", "think")


class Pieces:
    """Buffers that never move and, on a GPU, the graphs over them: for each size three a layer, and
    one behind the last."""

    def __init__(self, text: LanguageModel) -> None:
        self._text = text
        config, table = text.config, text.table
        heads = config.heads // text.group.count * config.width
        both = heads + 2 * text.key_heads * config.width

        def rows(width: int) -> torch.Tensor:
            return torch.zeros(SIZES[-1], width, dtype=table.dtype, device=table.device)

        self._x, self._part, self._out = (rows(config.hidden) for _ in range(3))
        self._heads, self._mixed = rows(both), rows(heads)
        last = len(text.layers)
        self._order = [
            *((kind, layer) for layer in range(last) for kind in _KINDS),
            ("begin", last),
        ]
        self._graphs: dict[tuple[int, str, int], torch.cuda.CUDAGraph] = {}

    @torch.inference_mode()
    def capture(self) -> None:
        """Have all pieces captured. What they launch was compiled before, or is now: each size is
        run once."""
        if not self._x.is_cuda:
            return
        here = torch.cuda.current_stream()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        pool = torch.cuda.graph_pool_handle()
        for size in SIZES:
            for kind, layer in self._order:
                self._piece(size, kind, layer)
        aside.wait_stream(here)
        with torch.cuda.stream(aside):  # one for all, or each would keep memory of its own
            for size in SIZES:
                for kind, layer in self._order:
                    self._graphs[size, kind, layer] = self._captured(size, kind, layer, pool)
        here.wait_stream(aside)

    def _captured(self, size: int, kind: Kind, layer: int, pool: Any) -> torch.cuda.CUDAGraph:
        """Not by `torch.cuda.graph`: it empties caches first, which takes longer than all else."""
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            self._piece(size, kind, layer)
        finally:
            graph.capture_end()
        return graph

    def take(self, count: int) -> bool:
        """Whether so many tokens go this way."""
        return 1 < count <= SIZES[-1]

    def through(self, x: torch.Tensor, this: Pass, state: GlmState) -> torch.Tensor:
        """The embeddings [T, H] through all layers and the norm behind them, [T, H]."""
        count, group = len(x), self._text.group
        size = next(size for size in SIZES if size >= count)
        part = self._part[:size]
        self._x[:count] = x
        for buffer in (self._x, self._mixed):
            buffer[count:size] = 0  # or what a longer prompt left would choose experts, too
        for number, (layer, keys) in enumerate(zip(self._text.layers, state.layers, strict=True)):
            self._play(size, "begin", number)
            self._mixed[:count] = layer.attention.mixed(self._heads[:count], this, keys)
            self._play(size, "seen", number)
            group.sum(part)
            self._play(size, "think", number)
            group.sum(part)
        self._play(size, "begin", len(self._text.layers))
        return self._out[:count].clone()

    def _play(self, size: int, kind: Kind, layer: int) -> None:
        graph = self._graphs.get((size, kind, layer))
        if graph is None:
            self._piece(size, kind, layer)
        else:
            graph.replay()

    def _piece(self, size: int, kind: Kind, number: int) -> None:
        """Over the first `size` rows of the buffers, `kind` of layer `number`."""
        x, part, layers = self._x[:size], self._part[:size], self._text.layers
        if kind == "begin":
            self._begin(size, number)
        elif kind == "seen":
            part.copy_(layers[number].attention.out(self._mixed[:size]))
        else:
            summed, thought = layers[number].think(x, part)
            x.copy_(summed)
            part.copy_(thought)

    def _begin(self, size: int, number: int) -> None:
        """Add what the layer before has thought, and give the heads of this one; behind the last,
        its norm."""
        x, layers = self._x[:size], self._text.layers
        last = number == len(layers)
        behind = self._text.norm if last else layers[number].before
        if number == 0:
            normed = behind(x)
        else:
            summed, normed = layers[number - 1].add(x, self._part[:size], behind=behind)
            x.copy_(summed)
        if last:
            self._out[:size] = normed
        else:
            self._heads[:size] = layers[number].attention.heads(normed)
