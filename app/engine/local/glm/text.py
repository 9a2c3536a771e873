"""The GLM language model: tokens' embeddings → what follows them. Knows no pictures, no prompts and
no files; its weights come as layers that know how to multiply.

Several ranks share out the heads of attention and the width of every network (Megatron-LM,
arXiv:1909.08053): attention and networks give partial results, which a layer sums over its group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch.nn import functional

from app.engine.local.glm.attention import Pass, Turns, attend, placed
from app.engine.local.glm.config import ExpertsConfig, TextConfig, check_gpus
from app.engine.local.glm.fused import added, gated
from app.engine.local.glm.pieces import Pieces
from app.engine.local.glm.state import GlmState, Keys
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.weights.experts import Experts
from app.engine.local.weights.linear import Layered, Linear, Plain, beside
from app.engine.local.weights.opened import Weights
from app.engine.local.weights.share import Cut, Share, part_of, take

Stream: TypeAlias = tuple[torch.Tensor, torch.Tensor]  # x [T, H], and a norm of it

BASE = "model.language_model"
_ACROSS: tuple[Cut, Cut] = ("rows", "columns")  # of a network's outer layers, and of its inner one


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """Root mean square norm (arXiv:1910.07467), reckoned in 32 bits."""

    weight: torch.Tensor
    eps: float

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """Grouped-query attention with turned queries and keys; `project` gives N queries, K keys and
    K values side by side."""

    project: Layered
    out: Linear
    query_norm: Norm | None
    key_norm: Norm | None
    width: int  # of a head
    key_heads: int  # K, of this rank

    def __call__(self, x: torch.Tensor, this: Pass, keys: Keys) -> torch.Tensor:  # x: [T, H]
        return self.out(self.mixed(self.heads(x), this, keys))

    def heads(self, x: torch.Tensor) -> torch.Tensor:
        """x [T, H] → queries, keys and values side by side, [T, (N + 2K) * D]."""
        return self._normed(torch.unflatten(self.project(x), -1, (-1, self.width))).flatten(1)

    def mixed(self, heads: torch.Tensor, this: Pass, keys: Keys) -> torch.Tensor:
        """What the heads see of all that was read, themselves included, [T, N * D]."""
        apart = torch.unflatten(heads, -1, (-1, self.width))  # [T, N + 2K, D]
        query, all_keys, all_values = placed(apart, this, keys, self.key_heads)
        return attend(query, all_keys, all_values, this.seen)

    def _normed(self, heads: torch.Tensor) -> torch.Tensor:
        if self.query_norm is None or self.key_norm is None:
            return heads
        ends = -2 * self.key_heads, -self.key_heads
        query, key, value = heads.tensor_split(ends, 1)
        return torch.cat((self.query_norm(query), self.key_norm(key), value), 1)


@dataclass(frozen=True, slots=True, eq=False)
class Gated:
    """SwiGLU (arXiv:2002.05202); `gate_up` gives both halves side by side, the gate first."""

    gate_up: Layered
    down: Linear

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(gated(self.gate_up(x)))


@dataclass(frozen=True, slots=True, eq=False)
class Router:
    """Which experts answer for a token, and with what weight (DeepSeek-V3, arXiv:2412.19437): the
    choice heeds the bias, the weights don't. All of it in 32 bits."""

    weight: torch.Tensor  # [E, H]
    bias: torch.Tensor  # [E]
    config: ExpertsConfig

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x [T, H] → experts [T, C], weights [T, C]."""
        config = self.config
        scores = functional.linear(x.float(), self.weight).sigmoid()  # [T, E]
        chosen = self._allowed(scores + self.bias).topk(config.chosen, -1, sorted=False).indices
        weights = scores.gather(1, chosen)
        if config.normalised:
            weights = weights / (weights.sum(-1, keepdim=True) + 1e-20)
        return chosen, weights * config.scale

    def _allowed(self, scores: torch.Tensor) -> torch.Tensor:
        """The scores, out of the question in all groups but the best by their two best experts."""
        groups = self.config.groups
        if groups == self.config.kept:
            return scores
        grouped = torch.unflatten(scores, -1, (groups, -1))  # [T, G, E/G]
        best = grouped.topk(2, -1).values.sum(-1).topk(self.config.kept, -1, sorted=False).indices
        shut = torch.ones_like(grouped[..., 0], dtype=torch.bool).scatter(1, best, False)
        return grouped.masked_fill(shut[..., None], float("-inf")).flatten(1)


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Experts, some of them for each token, and one that answers for all."""

    router: Router
    experts: Experts
    shared: Gated | None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:  # [T, H]
        chosen, weights = self.router(x)
        mixed = self.experts(x, chosen, weights)
        return mixed if self.shared is None else mixed + self.shared(x)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer; the dense models have two norms more. The same x on every rank of the group."""

    before: Norm
    attention: Attention
    after: Norm | None
    between: Norm
    network: Callable[[torch.Tensor], torch.Tensor]
    end: Norm | None
    group: Group = ALONE

    def __call__(self, stream: Stream, this: Pass, keys: Keys, *, behind: Norm) -> Stream:
        """From x and `before` of it to what comes of x, and the norm of that `behind` the layer."""
        x, normed = stream
        x, thought = self.think(x, self.group.sum(self.attention(normed, this, keys)))
        return self.add(x, self.group.sum(thought), behind=behind)

    def think(self, x: torch.Tensor, seen: torch.Tensor) -> Stream:
        """x with what attention gave, all ranks' together, and what the network makes of that."""
        x, normed = _added(x, seen, self.after, self.between)
        return x, self.network(normed)

    def add(self, x: torch.Tensor, thought: torch.Tensor, *, behind: Norm) -> Stream:
        """x with what the network gave, all ranks' together, and the norm of it `behind`."""
        return _added(x, thought, self.end, behind)


def _added(x: torch.Tensor, y: torch.Tensor, first: Norm | None, then: Norm) -> Stream:
    """x + y, or the `first` norm of y, and the norm of that sum which is read next."""
    inner = None if first is None else (first.weight, first.eps)
    return added(x, y, then.weight, then.eps, first=inner)


class LanguageModel:
    """All layers. Prefill and decode are apart, for they want different kernels.

    On several ranks each has a share of every layer; all of them are asked the same, in the same
    order. The embeddings are whole on each.
    """

    def __init__(
        self, weights: Weights, config: TextConfig, dtype: torch.dtype, group: Group = ALONE
    ) -> None:
        """`weights` were opened with the share of this rank.

        Raises EngineFault("unsupported") for a number of ranks that doesn't divide the heads.
        """
        check_gpus(config, group.count)
        self.config = config
        self.group = group
        self.table = weights.tensor(f"{BASE}.embed_tokens.weight", dtype)  # [V, H]
        self.turns = Turns(config.rope, config.width, self.table.device)
        self.layers = [
            read_layer(weights, config, number, dtype, group) for number in range(config.layers)
        ]
        self.norm = Norm(weights.tensor(f"{BASE}.norm.weight", dtype), config.eps)
        self.head = _head(weights, self.table, config)
        self.pieces: Pieces | None = None

    @property
    def key_heads(self) -> int:
        """Those whose keys and values this rank keeps."""
        return self.config.key_heads_of(self.group.count)

    def capture(self) -> None:
        """Have short prompts read in captured pieces from now on; called by all ranks. For layers
        that have kernels for all they do."""
        pieces = Pieces(self)
        pieces.capture()
        self.pieces = pieces

    def embed(self, tokens: Sequence[int]) -> torch.Tensor:
        """[T, H]"""
        return self.table[torch.tensor(tokens, device=self.table.device)]

    def prefill(self, x: torch.Tensor, positions: torch.Tensor, state: GlmState) -> torch.Tensor:
        """Read embeddings [T, H] at `positions` [3, T], on the CPU, behind what `state` holds;
        gives the outputs [T, H]. `state.length` is left for the caller to raise."""
        placed = positions.to(self.table.device, non_blocking=True)
        return self._through(x, self.turns.passing(state.length, placed, x.dtype), state)

    def decode(self, tokens: Sequence[int], state: GlmState) -> torch.Tensor:
        """Read tokens of text behind what `state` holds; gives the outputs [T, H]. `state.length`
        is left for the caller to raise."""
        x = self.embed(tokens)
        first = state.length + state.shift
        positions = torch.arange(first, first + len(tokens), device=x.device)
        return self._through(x, self.turns.passing(state.length, positions, x.dtype), state)

    def logits(self, outputs: torch.Tensor) -> torch.Tensor:
        """[..., H] → [..., V] in 32 bits."""
        own = self.head(outputs)
        if self.group.count == 1:
            return own.float()
        lacking = Share(count=self.group.count).each(self.config.words) - own.shape[-1]
        own = functional.pad(own, (0, lacking)) if lacking else own
        return self.group.gather(own, -1)[..., : self.config.words].float()

    def _through(self, x: torch.Tensor, this: Pass, state: GlmState) -> torch.Tensor:
        if self.pieces is not None and self.pieces.take(len(x)):
            return self.pieces.through(x, this, state)
        stream = x, self.layers[0].before(x)
        behind = [*(layer.before for layer in self.layers[1:]), self.norm]
        for layer, keys, norm in zip(self.layers, state.layers, behind, strict=True):
            stream = layer(stream, this, keys, behind=norm)
        return stream[1]


def _head(weights: Weights, table: torch.Tensor, config: TextConfig) -> Linear:
    """The checkpoint's own; the embedding table where it has none and says that they are one. Its
    rows are shared out, on the last ranks fewer where they don't divide."""
    share = replace(weights.share, even=False)
    if config.tied and not any(name.startswith("lm_head.") for name in weights.names):
        part = part_of("the head", tuple(table.shape), "rows", share)
        return Plain(take(table, part.slab()))
    return weights.linear("lm_head", "rows", share=share)


def read_layer(
    weights: Weights, config: TextConfig, number: int, dtype: torch.dtype, group: Group = ALONE
) -> Layer:
    """The layer `number`, as the checkpoint names its parts; this rank's share of it."""
    name = f"{BASE}.layers.{number}"

    def norm(part: str) -> Norm:
        return Norm(weights.tensor(f"{name}.{part}.weight", dtype), config.eps)

    return Layer(
        before=norm("input_layernorm"),
        attention=_attention(weights, f"{name}.self_attn", config, dtype),
        after=norm("post_self_attn_layernorm") if config.sandwich else None,
        between=norm("post_attention_layernorm"),
        network=_network(weights, f"{name}.mlp", config, number),
        end=norm("post_mlp_layernorm") if config.sandwich else None,
        group=group,
    )


def read_gated(weights: Weights, name: str, *, shared: bool = False) -> Gated:
    """Whole, or this rank's share where it is `shared` out."""
    outer, inner = _ACROSS if shared else (None, None)
    gate, up = (weights.linear(f"{name}.{part}_proj", outer) for part in ("gate", "up"))
    return Gated(beside(gate, up), weights.linear(f"{name}.down_proj", inner))


def _attention(weights: Weights, name: str, config: TextConfig, dtype: torch.dtype) -> Attention:
    def norm(part: str) -> Norm | None:
        if not config.query_norm:
            return None
        return Norm(weights.tensor(f"{name}.{part}_norm.weight", dtype), config.eps)

    keys = _key_share(config, weights.share)
    return Attention(
        project=beside(
            weights.linear(f"{name}.q_proj", "rows"),
            *(weights.linear(f"{name}.{part}_proj", "rows", share=keys) for part in "kv"),
        ),
        out=weights.linear(f"{name}.o_proj", "columns"),
        query_norm=norm("q"),
        key_norm=norm("k"),
        width=config.width,
        key_heads=config.key_heads_of(weights.share.count),
    )


def _key_share(config: TextConfig, share: Share) -> Share:
    """Where there are more ranks than key heads, several keep the same one."""
    count = min(config.key_heads, share.count)
    return Share(share.index * count // share.count, count)


def _network(weights: Weights, name: str, config: TextConfig, number: int) -> Gated | Mixture:
    experts = config.experts
    if experts is not None and number >= experts.first:
        return _mixture(weights, name, experts)
    if config.sandwich:
        outer, inner = _ACROSS
        gate_up = weights.linear(f"{name}.gate_up_proj", outer, parts=2)
        return Gated(gate_up, weights.linear(f"{name}.down_proj", inner))
    return read_gated(weights, name, shared=True)


def _mixture(weights: Weights, name: str, config: ExpertsConfig) -> Mixture:
    gate, shared = f"{name}.gate", f"{name}.shared_experts"
    return Mixture(
        router=Router(
            weights.tensor(f"{gate}.weight", torch.float32),
            weights.tensor(f"{gate}.e_score_correction_bias", torch.float32),
            config,
        ),
        experts=weights.experts(f"{name}.experts", config.count),
        shared=read_gated(weights, shared, shared=True) if config.shared else None,
    )
