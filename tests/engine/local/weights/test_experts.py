from __future__ import annotations

import weakref
from collections.abc import Iterator

import pytest
import torch
from torch.nn.functional import silu

from app.engine.local.weights.experts import Experts, stack
from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed
from app.engine.local.weights.linear import Added, Linear, Plain
from app.vocabulary import EngineFault

COUNT, WIDE, HIDDEN = 5, 136, 144  # no multiples of 128


def _word(*shape: int) -> torch.Tensor:
    return torch.randint(-(2**31), 2**31, shape, dtype=torch.int64).int()


def _fp8(*shape: int) -> torch.Tensor:
    return (torch.randn(shape) * 100).clamp(-448, 448).to(torch.float8_e4m3fn)


def _layer(kind: str, rows: int, columns: int) -> Linear:
    match kind:
        case "plain":
            return Plain(torch.randn(rows, columns) / 10)
        case "channel":
            return Fp8Channel(_fp8(rows, columns), torch.rand(rows, 1) / 500)
        case "block":
            grid = torch.rand(-(-rows // 128), -(-columns // 128)) / 500
            return Fp8Block(_fp8(rows, columns), grid, (128, 128), rows)
        case "awq":
            scales = (torch.rand(columns // 8, rows) / 50).half()
            return Awq(_word(columns, rows // 8), _word(columns // 8, rows // 8), scales)
        case "packed":
            zero = torch.randint(0, 16, (rows, columns // 8), dtype=torch.uint8)
            scale = torch.rand(rows, columns // 8).bfloat16() / 50
            return Packed(_word(rows, columns // 8), scale, zero, columns, 8)
    raise ValueError(kind)


KINDS = pytest.mark.parametrize("kind", ["plain", "channel", "block", "awq", "packed"])


class Case:
    """Some experts, stacked, and a loop over them as it is written in a book."""

    def __init__(self, kind: str) -> None:
        self.gates = [_layer(kind, WIDE, HIDDEN) for _ in range(COUNT)]
        self.ups = [_layer(kind, WIDE, HIDDEN) for _ in range(COUNT)]
        self.downs = [_layer(kind, HIDDEN, WIDE) for _ in range(COUNT)]
        self.experts = Experts(
            stack(zip(self.gates, self.ups, strict=True), COUNT),
            stack(((down,) for down in self.downs), COUNT),
        )

    def by_hand(self, x: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        y = torch.zeros(x.shape, dtype=torch.float64)
        for token, row in enumerate(chosen.tolist()):
            for place, expert in enumerate(row):
                gate, up, down = (
                    layers[expert].dense(torch.float32).double()
                    for layers in (self.gates, self.ups, self.downs)
                )
                inner = silu(gate @ x[token].double()) * (up @ x[token].double())
                y[token] += weights[token, place].double() * (down @ inner)
        return y


def _asked(tokens: int, each: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chosen = torch.stack([torch.randperm(COUNT)[:each] for _ in range(tokens)])
    return torch.randn(tokens, HIDDEN), chosen, torch.rand(tokens, each)


@KINDS
@pytest.mark.parametrize("tokens", [1, 2, 19])
def test_experts_do_what_a_loop_over_them_does(kind: str, tokens: int) -> None:
    case, asked = Case(kind), _asked(tokens)
    true = case.by_hand(*asked)
    torch.testing.assert_close(case.experts(*asked).double(), true, rtol=1e-4, atol=1e-4)


@KINDS
def test_gathered_experts_do_the_same_as_walked_ones(kind: str) -> None:
    case, (x, chosen, _) = Case(kind), _asked(12)
    gathered, walked = case.experts._gathered(x, chosen), case.experts._walked(x, chosen)
    torch.testing.assert_close(gathered, walked, rtol=1e-4, atol=1e-4)


@KINDS
def test_experts_keep_the_bytes_of_their_file(kind: str) -> None:
    case = Case(kind)
    single = [*case.gates, *case.ups, *case.downs]
    assert case.experts.bytes == sum(layer.bytes for layer in single)
    assert case.experts.gate_up.shape == (COUNT, 2 * WIDE, HIDDEN)
    assert case.experts.down.shape == (COUNT, HIDDEN, WIDE)


def test_a_token_that_is_sent_to_one_expert_only_gets_that_one() -> None:
    case = Case("channel")
    asked = (torch.randn(3, HIDDEN), torch.full((3, 1), 4), torch.ones(3, 1))
    true = case.by_hand(*asked)
    torch.testing.assert_close(case.experts(*asked).double(), true, rtol=1e-4, atol=1e-4)


def test_no_tokens_are_no_trouble() -> None:
    nothing = torch.empty(0, 2, dtype=torch.int64)
    y = Case("plain").experts(torch.empty(0, HIDDEN), nothing, torch.empty(0, 2))
    assert y.shape == (0, HIDDEN)


@pytest.mark.parametrize("kind", ["channel", "block", "packed"])
def test_experts_work_in_bfloat16(kind: str) -> None:
    case, (x, chosen, weights) = Case(kind), _asked(6)
    y, true = case.experts(x.bfloat16(), chosen, weights), case.by_hand(x, chosen, weights)
    assert y.dtype is torch.bfloat16
    assert (y.double() - true).abs().max() < true.abs().max() * 0.03


def test_the_same_question_gives_the_same_bits() -> None:
    case, asked = Case("channel"), _asked(19)
    assert torch.equal(case.experts(*asked), case.experts(*asked))


def test_a_low_rank_change_lies_over_a_stack_too() -> None:
    case, asked = Case("channel"), _asked(7)
    down, up = torch.randn(COUNT, 3, HIDDEN) / 10, torch.randn(COUNT, 2 * WIDE, 3) / 10
    changed = Experts(Added(case.experts.gate_up, down, up), case.experts.down)
    for expert in range(COUNT):
        change = up[expert] @ down[expert]
        for layers, part in ((case.gates, change[:WIDE]), (case.ups, change[WIDE:])):
            layers[expert] = Plain(layers[expert].dense(torch.float32) + part)
    true = case.by_hand(*asked)
    torch.testing.assert_close(changed(*asked).double(), true, rtol=1e-4, atol=1e-4)
    gathered, walked = (way(*asked[:2]) for way in (changed._gathered, changed._walked))
    torch.testing.assert_close(gathered, walked, rtol=1e-4, atol=1e-4)


def test_an_expert_of_another_shape_is_a_damaged_checkpoint() -> None:
    def layers() -> Iterator[tuple[Linear]]:
        for rows in (8, 8, 16):
            yield (Plain(torch.zeros(rows, 4)),)

    with pytest.raises(EngineFault, match="Expert 2 has another shape") as caught:
        stack(layers(), 3)
    assert caught.value.kind == "damaged"


def test_only_one_expert_is_in_memory_beside_the_stack() -> None:
    made: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def layers() -> Iterator[tuple[Linear]]:
        for _ in range(20):
            alive.append(sum(1 for each in made if each() is not None))
            weight = torch.zeros(4, 4)
            made.append(weakref.ref(weight))
            yield (Plain(weight),)

    stack(layers(), 20)
    assert max(alive) <= 2  # the first, and the one before
