"""One token through all layers by fused kernels over buffers that never move, on a GPU captured
once as a graph and replayed for each token. Knows no prompt and no pictures; reads a state's keys
and values where they lie.

Every kernel that reads the stream x normalises it itself, so that a layer is seven launches on one
GPU; over several, each rank has a share of every layer's rows or columns and x is summed twice a
layer (Megatron-LM, arXiv:1909.08053).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeAlias

import torch

from app.engine.local.glm.config import TextConfig
from app.engine.local.glm.run import User
from app.engine.local.glm.state import GlmState
from app.engine.local.glm.text import Attention, Gated, LanguageModel, Layer, Mixture, Norm
from app.engine.local.kernels.attention import Norms, Parts, Spin, attend
from app.engine.local.kernels.embed import embed
from app.engine.local.kernels.exchange import Exchange
from app.engine.local.kernels.expertise import Expertise, expertise
from app.engine.local.kernels.experts import down, gate_up
from app.engine.local.kernels.launch import pdl
from app.engine.local.kernels.matvec import Matrix, matrix, matvec
from app.engine.local.kernels.norm import add_norm
from app.engine.local.kernels.reduce import all_reduce, gather
from app.engine.local.kernels.router import router_logits
from app.engine.local.kernels.sample import Draw, sample
from app.engine.local.sampler import Choice, Drawing
from app.engine.local.weights.linear import Linear

Write: TypeAlias = Callable[[torch.Tensor, torch.Tensor | None], None]  # out, what to add it to

_PLACES = 16  # numbers that follow a conversation on the device
_LENGTH, _POSITION, _ROOM, _STEP, _TOKEN = 0, 1, 2, 3, 8
_PROGRAMS = {"cuda": 132, "cpu": 4}  # of attention: one for each multiprocessor of an H100
_PATIENCE = 3.0  # seconds that a rank waits for the others within a step
_GREEDY = Drawing(Choice(), 1)


@dataclass(frozen=True, eq=False)
class Dense:
    """A gated network of every token."""

    gate_up: Matrix
    down: Matrix
    slots = 1

    @property
    def width(self) -> int:
        """Numbers between the two."""
        return self.gate_up.rows // 2


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A layer as the kernels read it."""

    layer: Layer
    project: Matrix
    norms: Norms | None
    out: Matrix
    network: Dense | Expertise


class Step:
    """The buffers and the graph; one for a model, used by one conversation at a time."""

    def __init__(
        self, text: LanguageModel, stages: list[Stage], head: Matrix, exchange: Exchange | None
    ) -> None:
        self._text, self._stages, self._head = text, stages, head
        self._group, self._exchange = text.group, exchange
        config, device = text.config, text.table.device
        self._heads, self._key_heads = config.heads // text.group.count, text.key_heads
        self._spin = Spin.of(text.turns)
        self._splits = max(_PROGRAMS[device.type] // self._key_heads, 1)
        self._draw = Draw.of(config.words, device)
        self._make_buffers(config, device)
        self.user: User | None = None  # whose token the buffers hold, when it will go on
        self._graph: torch.cuda.CUDAGraph | None = None

    @classmethod
    def open(cls, text: LanguageModel) -> Self | None:
        """None where a layer is of a kind that has no kernel."""
        head = matrix(text.head)
        stages = [_stage(layer) for layer in text.layers]
        whole = [stage for stage in stages if stage is not None]
        if head is None or len(whole) < len(stages):
            return None
        if head.rows * text.group.count != text.config.words:
            return None
        exchange = None
        if text.group.count > 1:
            exchange = Exchange.open(text.group, text.config.hidden, head.rows)
        step = cls(text, whole, head, exchange)
        step.prepare()
        return step

    def _make_buffers(self, config: TextConfig, device: torch.device) -> None:
        def floats(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.float32, device=device)

        dtype, width = self._text.table.dtype, config.width
        self._x = torch.zeros(config.hidden, dtype=dtype, device=device)
        self._y = floats(config.hidden)
        self._qkv = floats((self._heads + 2 * self._key_heads) * width)
        self._parts = Parts.of(self._heads, width, self._splits, device)
        self._seen = torch.zeros(self._heads * width, dtype=dtype, device=device)
        networks = [stage.network for stage in self._stages]
        inner = max(network.slots * network.width for network in networks)
        self._inner = torch.zeros(inner, dtype=dtype, device=device)
        experts = config.experts.count if config.experts else 0
        self._scores = floats(experts)
        self._share = floats(self._head.rows)  # of the logits
        whole = self._group.count * self._head.rows
        self._logits = self._share if self._group.count == 1 else floats(whole)
        self._table = torch.zeros(config.layers, 2, dtype=torch.int64, device=device)
        self._place = torch.zeros(_PLACES, dtype=torch.int64, device=device)
        self._token = self._place[_TOKEN : _TOKEN + 1]
        self._shown: torch.Tensor | None = None

    def prepare(self) -> None:
        """Compile the kernels and, on a GPU, capture them; over a cache of its own."""
        like = torch.zeros(
            self._key_heads, 4, self._text.config.width, dtype=self._x.dtype, device=self._x.device
        )
        self._table.fill_(like.data_ptr())
        self._place.zero_()
        self._place[_ROOM] = like.shape[1]
        self._draw.set(_GREEDY)
        self._pass()
        if self._x.is_cuda:
            torch.cuda.synchronize(self._x.device)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._pass()
            torch.cuda.synchronize(self._x.device)
        if self._exchange is not None:  # all ranks are ready now
            self._exchange.wait_at_most(_PATIENCE)

    # --- what a conversation asks for ---------------------------------------------------------

    def logits(self, state: GlmState, token: int) -> torch.Tensor:
        """Read a token; what may follow it, [V]."""
        self.show(None, state, token, _GREEDY)
        self.launch(state)
        return self._logits.clone()

    def show(self, user: User | None, state: GlmState, token: int, drawing: Drawing) -> None:
        """Make `user`'s the conversation that the buffers are about: the next launch reads `token`
        and chooses what follows as `drawing` says. Who used them before has got what was due."""
        before, self.user = self.user, None
        if before is not None:
            before.give_way()
        self.user = user
        self._draw.set(drawing)
        numbers = [0] * _PLACES
        table, numbers[_ROOM] = state.table(state.length + 1)
        numbers[_LENGTH], numbers[_POSITION] = state.length, state.length + state.shift
        numbers[_TOKEN] = token
        self._where(table)
        self._place.copy_(_sent(numbers, self._place), non_blocking=True)

    def release(self, user: User) -> None:
        """`user` won't go on."""
        if self.user is user:
            self.user = None

    def launch(self, state: GlmState) -> None:
        """Read the token that the buffers hold and put the next in its place."""
        table, room = state.table(state.length + 1)
        if table is not self._shown:  # the buffers of the state have grown
            self._where(table)
            self._place[_ROOM].fill_(room)
        if self._graph is None:
            self._pass()
        else:
            self._graph.replay()
        state.length += 1

    def written(self, number: int) -> int | None:
        """The token that launch `number` since `show` chose, once it is done; None where it could
        not choose."""
        return self._draw.written(number)

    @property
    def device(self) -> torch.device:
        return self._x.device

    @property
    def failed(self) -> bool:
        """Whether a rank waited in vain for another."""
        return self._exchange is not None and self._exchange.failed

    def _where(self, table: torch.Tensor) -> None:
        self._table.copy_(table, non_blocking=True)
        self._shown = table

    # --- the launches ---------------------------------------------------------------------------

    def _pass(self) -> None:
        x, early = self._x, pdl(self._x)
        self._sums = 0
        embed(self._text.table, self._token, x, pdl=False)
        for number, stage in enumerate(self._stages):
            self._see(stage, number)
            self._think(stage)
        norm = _given(self._text.norm)
        matvec(x, self._head, self._share, norm=norm, pdl=early)
        if self._exchange is not None:
            gather(self._share, self._logits, self._exchange, pdl=early)
        elif self._group.count > 1:
            self._logits.copy_(self._group.gather(self._share))
        sample(self._logits, self._token, self._place, self._draw, pdl=early)

    def _see(self, stage: Stage, number: int) -> None:
        attention, early = stage.layer.attention, pdl(self._x)
        before = _given(stage.layer.before)
        matvec(self._x, stage.project, self._qkv, norm=before, pdl=early)
        attend(
            self._qkv,
            self._table,
            number,
            self._place,
            self._spin,
            self._parts,
            self._seen,
            heads=self._heads,
            key_heads=self._key_heads,
            width=attention.width,
            norms=stage.norms,
            splits=self._splits,
            pdl=early,
        )

        def write(out: torch.Tensor, onto: torch.Tensor | None) -> None:
            matvec(self._seen, stage.out, out, residual=onto, pdl=early)

        self._add(write, stage.layer.after)

    def _think(self, stage: Stage) -> None:
        norm, early = _given(stage.layer.between), pdl(self._x)
        if isinstance(network := stage.network, Dense):
            inner = self._inner[: network.width]
            matvec(self._x, network.gate_up, inner, norm=norm, gated=True, pdl=early)

            def write(out: torch.Tensor, onto: torch.Tensor | None) -> None:
                matvec(inner, network.down, out, residual=onto, pdl=early)

        else:
            slots = self._inner[: network.slots * network.width].view(network.slots, -1)
            router_logits(self._x, norm, network, self._scores, pdl=early)
            gate_up(self._x, norm, self._scores, network, slots, pdl=early)

            def write(out: torch.Tensor, onto: torch.Tensor | None) -> None:
                down(slots, self._scores, network, out, residual=onto, pdl=early)

        self._add(write, stage.layer.end)

    def _add(self, write: Write, norm: Norm | None) -> None:
        """Add to x what `write` gives, summed over the ranks, normed where there is a norm."""
        x, y, early = self._x, self._y, pdl(self._x)
        if self._group.count == 1 and norm is None:
            write(x, x)
            return
        write(y, None)
        if self._exchange is not None:
            target, onto = (x, x) if norm is None else (y, None)
            all_reduce(y, target, onto, self._exchange, self._sums % 2, pdl=early)
            self._sums += 1
        elif self._group.count > 1:
            self._group.sum(y)
            if norm is None:
                x.add_(y)
        if norm is not None:
            add_norm(x, y, norm.weight, norm.eps, pdl=early)


def _stage(layer: Layer) -> Stage | None:
    project, out = _matrix(layer.attention.project), _matrix(layer.attention.out)
    network = layer.network
    inside: Dense | Expertise | None = None
    if isinstance(network, Mixture):
        inside = expertise(network)
    elif isinstance(network, Gated):
        inside = _dense(network)
    if project is None or out is None or inside is None:
        return None
    return Stage(layer, project, _norms(layer.attention), out, inside)


def _norms(attention: Attention) -> Norms | None:
    query, key = attention.query_norm, attention.key_norm
    if query is None or key is None:
        return None
    return query.weight, key.weight, query.eps


def _dense(network: Gated) -> Dense | None:
    joined, narrowed = _matrix(network.gate_up), _matrix(network.down)
    if joined is None or narrowed is None:
        return None
    return Dense(joined, narrowed)


def _matrix(layer: object) -> Matrix | None:
    return matrix(layer) if isinstance(layer, Linear) else None


def _given(norm: Norm) -> tuple[torch.Tensor, float]:
    return norm.weight, norm.eps


def _sent(numbers: list[int], like: torch.Tensor) -> torch.Tensor:
    """Numbers on their way to a device, where a copy need not be waited for."""
    tensor = torch.tensor(numbers, dtype=torch.int64)
    return tensor.pin_memory() if like.is_cuda else tensor
