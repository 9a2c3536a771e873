"""The GLM language model: tokens' embeddings → what follows them. Knows no pictures, no prompts and
no files; its weights come as layers that know how to multiply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from app.engine.local.glm.attention import Pass, Turns, attend, turn
from app.engine.local.glm.config import ExpertsConfig, TextConfig
from app.engine.local.glm.state import GlmState, Keys
from app.engine.local.weights.experts import Experts
from app.engine.local.weights.linear import Layered, Linear, Plain, beside
from app.engine.local.weights.opened import Weights

BASE = "model.language_model"


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
    key_heads: int  # K

    def __call__(self, x: torch.Tensor, this: Pass, keys: Keys) -> torch.Tensor:  # x: [T, H]
        heads = torch.unflatten(self.project(x), -1, (-1, self.width))  # [T, N + 2K, D]
        turned = turn(self._normed(heads[:, : -self.key_heads]), this)  # [T, N + K, D]
        query, key = turned[:, : -self.key_heads], turned[:, -self.key_heads :]
        value = heads[:, -self.key_heads :]
        all_keys, all_values = keys.put(key.transpose(0, 1), value.transpose(0, 1), this.start)
        return self.out(attend(query, all_keys, all_values, this.seen))

    def _normed(self, heads: torch.Tensor) -> torch.Tensor:
        if self.query_norm is None or self.key_norm is None:
            return heads
        query, key = heads[:, : -self.key_heads], heads[:, -self.key_heads :]
        return torch.cat((self.query_norm(query), self.key_norm(key)), 1)


@dataclass(frozen=True, slots=True, eq=False)
class Gated:
    """SwiGLU (arXiv:2002.05202); `gate_up` gives both halves side by side, the gate first."""

    gate_up: Layered
    down: Linear

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        gate, up = self.gate_up(x).chunk(2, -1)
        return self.down(functional.silu(gate) * up)


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
    """One layer; the dense models have two norms more."""

    before: Norm
    attention: Attention
    after: Norm | None
    between: Norm
    network: Callable[[torch.Tensor], torch.Tensor]
    end: Norm | None

    def __call__(self, x: torch.Tensor, this: Pass, keys: Keys) -> torch.Tensor:  # x: [T, H]
        seen = self.attention(self.before(x), this, keys)
        x = x + (seen if self.after is None else self.after(seen))
        thought = self.network(self.between(x))
        return x + (thought if self.end is None else self.end(thought))


class LanguageModel:
    """All layers. Prefill and decode are apart, for they want different kernels."""

    def __init__(self, weights: Weights, config: TextConfig, dtype: torch.dtype) -> None:
        self.config = config
        self.table = weights.tensor(f"{BASE}.embed_tokens.weight", dtype)  # [V, H]
        self.turns = Turns(config.rope, config.width, self.table.device)
        self.layers = [
            read_layer(weights, config, number, dtype) for number in range(config.layers)
        ]
        self.norm = Norm(weights.tensor(f"{BASE}.norm.weight", dtype), config.eps)
        self.head = _head(weights, self.table, config)

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
        return self.head(outputs).float()

    def _through(self, x: torch.Tensor, this: Pass, state: GlmState) -> torch.Tensor:
        for layer, keys in zip(self.layers, state.layers, strict=True):
            x = layer(x, this, keys)
        return self.norm(x)


def _head(weights: Weights, table: torch.Tensor, config: TextConfig) -> Linear:
    """The checkpoint's own; the embedding table where it has none and says that they are one."""
    own = any(name.startswith("lm_head.") for name in weights.names)
    return Plain(table) if config.tied and not own else weights.linear("lm_head")


def read_layer(weights: Weights, config: TextConfig, number: int, dtype: torch.dtype) -> Layer:
    """The layer `number`, as the checkpoint names its parts."""
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
    )


def read_gated(weights: Weights, name: str) -> Gated:
    gate, up, down = (weights.linear(f"{name}.{part}_proj") for part in ("gate", "up", "down"))
    return Gated(beside(gate, up), down)


def _attention(weights: Weights, name: str, config: TextConfig, dtype: torch.dtype) -> Attention:
    def norm(part: str) -> Norm | None:
        if not config.query_norm:
            return None
        return Norm(weights.tensor(f"{name}.{part}_norm.weight", dtype), config.eps)

    return Attention(
        project=beside(*(weights.linear(f"{name}.{part}_proj") for part in "qkv")),
        out=weights.linear(f"{name}.o_proj"),
        query_norm=norm("q"),
        key_norm=norm("k"),
        width=config.width,
        key_heads=config.key_heads,
    )


def _network(weights: Weights, name: str, config: TextConfig, number: int) -> Gated | Mixture:
    experts = config.experts
    if experts is not None and number >= experts.first:
        return _mixture(weights, name, experts)
    if config.sandwich:
        return Gated(weights.linear(f"{name}.gate_up_proj"), weights.linear(f"{name}.down_proj"))
    return read_gated(weights, name)


def _mixture(weights: Weights, name: str, config: ExpertsConfig) -> Mixture:
    gate = f"{name}.gate"
    return Mixture(
        router=Router(
            weights.tensor(f"{gate}.weight", torch.float32),
            weights.tensor(f"{gate}.e_score_correction_bias", torch.float32),
            config,
        ),
        experts=weights.experts(f"{name}.experts", config.count),
        shared=read_gated(weights, f"{name}.shared_experts") if config.shared else None,
    )
