from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import linear

from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed
from app.engine.local.weights.linear import Added, Linear, Plain, beside, joined

Made = tuple[Linear, torch.Tensor]  # a layer, and its weights as float64


def _fp8(*shape: int) -> torch.Tensor:
    """Every E4M3 number occurs, the smallest and the largest too, but for its two NaNs."""
    bits = torch.randint(0, 256, shape, dtype=torch.uint8)
    bits[bits & 127 == 127] = 0
    return bits.view(torch.float8_e4m3fn)


def _words(steps: torch.Tensor, order: tuple[int, ...]) -> torch.Tensor:
    """4-bit steps [R, C] in words [R, C / 8]; `order[k]` is the column of the k-th lowest bits."""
    words = torch.zeros(steps.shape[0], steps.shape[1] // 8, dtype=torch.int64)
    for place, column in enumerate(order):
        words |= steps[:, column::8].long() << (4 * place)
    return (words - (words >= 2**31) * 2**32).int()


def _plain(rows: int, columns: int) -> Made:
    weight = torch.randn(rows, columns)
    return Plain(weight), weight.double()


def _channel(rows: int, columns: int) -> Made:
    weight, scale = _fp8(rows, columns), torch.rand(rows, 1) / 300
    return Fp8Channel(weight, scale), weight.double() * scale


def _block(rows: int, columns: int) -> Made:
    weight = _fp8(rows, columns)
    scale = torch.rand(-(-rows // 128), -(-columns // 128)) / 300
    spread = scale.repeat_interleave(128, 0)[:rows].repeat_interleave(128, 1)[:, :columns]
    return Fp8Block(weight, scale, (128, 128), rows), weight.double() * spread


def _awq(rows: int, columns: int, group: int) -> Made:
    steps = torch.randint(0, 16, (columns, rows))
    zeros = torch.randint(0, 16, (columns // group, rows))
    scales = (torch.rand(columns // group, rows) / 8).half()
    order = (0, 2, 4, 6, 1, 3, 5, 7)
    true = (steps - zeros.repeat_interleave(group, 0)).double() * scales.repeat_interleave(group, 0)
    return Awq(_words(steps, order), _words(zeros, order), scales), true.T


def _packed(rows: int, columns: int, group: int, *, symmetric: bool = True) -> Made:
    groups = -(-columns // group)
    steps = torch.randint(0, 16, (rows, columns))
    zero = torch.full((rows, groups), 8) if symmetric else torch.randint(0, 16, (rows, groups))
    scale = (torch.rand(rows, groups) / 8).bfloat16()
    filled = torch.nn.functional.pad(steps, (0, -columns % 8))
    spread = [part.repeat_interleave(group, 1)[:, :columns] for part in (zero, scale)]
    held = None if symmetric else zero.to(torch.uint8)
    words = _words(filled, (0, 1, 2, 3, 4, 5, 6, 7))
    layer = Packed(words, scale, held, columns, group)
    return layer, (steps - spread[0]).double() * spread[1]


MAKERS: dict[str, Callable[[], Made]] = {
    "plain": lambda: _plain(37, 53),
    "fp8 by rows": lambda: _channel(300, 77),
    "fp8 by blocks": lambda: _block(256, 384),
    "fp8 by blocks, the last ones partial": lambda: _block(5 * 128 + 56, 200),
    "fp8 in less than one block": lambda: _block(72, 24),
    "awq": lambda: _awq(264, 256, 128),
    "awq in small groups": lambda: _awq(72, 96, 24),
    "awq in one group": lambda: _awq(8, 40, 40),
    "packed": lambda: _packed(131, 256, 128),
    "packed with zeros": lambda: _packed(131, 96, 32, symmetric=False),
    "packed, the last group and the last word partial": lambda: _packed(9, 77, 32),
    "packed by rows": lambda: _packed(20, 61, 61, symmetric=False),
}
FORMATS = pytest.mark.parametrize("made", MAKERS.values(), ids=MAKERS.keys())


@FORMATS
@pytest.mark.parametrize("shape", [(1,), (3,), (2, 5)], ids=str)
def test_a_layer_does_what_its_numbers_say(
    made: Callable[[], Made], shape: tuple[int, ...]
) -> None:
    layer, weight = made()
    bias = torch.randn(len(weight))
    x = torch.randn(*shape, weight.shape[1])
    y = layer.with_bias(bias)(x)
    true = linear(x.double(), weight, bias.double())
    assert y.dtype is torch.float32 and y.shape == true.shape
    torch.testing.assert_close(y.double(), true, rtol=1e-5, atol=1e-4)


@FORMATS
def test_a_layer_knows_its_numbers_and_its_shape(made: Callable[[], Made]) -> None:
    layer, weight = made()
    assert (layer.out_features, layer.in_features) == weight.shape
    torch.testing.assert_close(layer.dense(torch.float32).double(), weight, rtol=1e-6, atol=0)


@FORMATS
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_a_layer_works_in_the_numbers_of_its_input(
    made: Callable[[], Made], dtype: torch.dtype
) -> None:
    layer, weight = made()
    x = torch.randn(4, weight.shape[1]).to(dtype)
    y = layer(x) if not isinstance(layer, Plain) else Plain(layer.weight.to(dtype))(x)
    true = x.double() @ weight.T
    assert y.dtype is dtype
    assert (y.double() - true).abs().max() <= true.abs().max() * 0.02


@FORMATS
def test_a_layer_stays_as_small_as_it_was_in_its_file(made: Callable[[], Made]) -> None:
    layer, weight = made()
    kept = layer.tensors().values()
    assert layer.bytes == sum(tensor.numel() * tensor.element_size() for tensor in kept)
    widths = {Plain: 4.0, Fp8Channel: 1.4, Fp8Block: 1.01, Awq: 0.8, Packed: 0.9}
    assert layer.bytes <= weight.numel() * widths[type(layer)]
    assert layer.with_bias(torch.zeros(6)).bytes == layer.bytes + 24


def test_a_large_layer_is_worked_off_in_rows() -> None:
    layer, weight = _channel(5000, 1100)  # 22 MB as float32, 2 MB at a time
    x = torch.randn(2, 1100)
    true = (x.double() @ weight.T).float()
    torch.testing.assert_close(layer(x), true, rtol=1e-5, atol=1e-3)


def test_an_8_bit_weight_may_be_of_the_other_kind() -> None:
    weight = torch.randn(20, 30).to(torch.float8_e5m2)
    x = torch.randn(3, 30)
    torch.testing.assert_close(
        Fp8Channel(weight, torch.full((20, 1), 0.5))(x), x @ weight.float().T / 2
    )


@FORMATS
def test_a_low_rank_change_lies_over_any_layer(made: Callable[[], Made]) -> None:
    layer, weight = made()
    rows, columns = weight.shape
    down, up, bias = torch.randn(4, columns), torch.randn(rows, 4), torch.randn(rows)
    changed = Added(layer.with_bias(bias), down, up)
    x = torch.randn(3, columns)
    true = linear(x.double(), weight + up.double() @ down.double(), bias.double())
    torch.testing.assert_close(changed(x).double(), true, rtol=1e-5, atol=1e-4)
    assert changed.bytes == layer.bytes + 4 * (4 * columns + 4 * rows + rows)
    assert (changed.out_features, changed.in_features) == (rows, columns)


def test_weights_are_never_changed_by_use() -> None:
    layer, _ = _channel(40, 24)
    assert isinstance(layer, Fp8Channel)
    before = layer.weight.view(torch.uint8).clone()
    layer(torch.randn(2, 24))
    layer.dense(torch.float16).fill_(0)
    assert torch.equal(layer.weight.view(torch.uint8), before)


# --- several that read the same -----------------------------------------------------------------

SIZES = {
    "plain": lambda rows: _plain(rows, 53),
    "fp8 by rows": lambda rows: _channel(rows, 77),
    "fp8 by blocks": lambda rows: _block(rows, 200),
    "awq": lambda rows: _awq(rows, 96, 24),
    "packed": lambda rows: _packed(rows, 96, 32),
    "packed with zeros": lambda rows: _packed(rows, 96, 32, symmetric=False),
}
KINDS = pytest.mark.parametrize("make", SIZES.values(), ids=SIZES.keys())


@KINDS
@pytest.mark.parametrize("rows", [(256, 128, 72), (72, 72), (8,)], ids=str)
def test_layers_of_one_kind_become_one(make: Callable[[int], Made], rows: tuple[int, ...]) -> None:
    layers, weights = zip(*(make(each) for each in rows), strict=True)
    one = joined(layers)
    assert type(one) is type(layers[0])
    torch.testing.assert_close(
        one.dense(torch.float32).double(), torch.cat(weights), rtol=1e-6, atol=0
    )
    x = torch.randn(3, one.in_features)
    side_by_side = torch.cat([layer(x) for layer in layers], -1)
    torch.testing.assert_close(one(x), side_by_side, rtol=1e-5, atol=1e-4)
    assert one.bytes == sum(layer.bytes for layer in layers)


@KINDS
def test_a_bias_that_one_lacks_is_nothing(make: Callable[[int], Made]) -> None:
    (first, _), (second, _) = make(128), make(16)
    bias = torch.randn(16)
    one = joined((first, second.with_bias(bias)))
    assert one is not None
    x = torch.randn(3, one.in_features)
    side_by_side = torch.cat((first(x), second(x) + bias), -1)
    torch.testing.assert_close(one(x), side_by_side, rtol=1e-5, atol=1e-4)


def test_blocks_that_would_not_begin_where_a_layer_does_stay_apart() -> None:
    layers = [_block(rows, 200)[0] for rows in (72, 128)]
    assert joined(layers) is None
    x = torch.randn(3, 200)
    assert torch.equal(beside(*layers)(x), torch.cat([layer(x) for layer in layers], -1))


def test_layers_of_several_kinds_stay_apart() -> None:
    plain, channel = _plain(24, 77)[0], _channel(24, 77)[0]
    short = Plain(torch.randn(24, 77).bfloat16())
    low = Added(plain, torch.randn(2, 77), torch.randn(24, 2))
    groups = [_packed(24, 96, group)[0] for group in (24, 32)]
    assert joined(groups) is None
    for other in (channel, short, low):
        assert joined((plain, other)) is None
        assert joined((other, plain)) is None
    x = torch.randn(3, 77)
    both = beside(plain, channel)(x)
    torch.testing.assert_close(both, torch.cat((plain(x), channel(x)), -1))


def test_low_rank_changes_stay_with_their_layers() -> None:
    layers = [Added(_plain(24, 77)[0], torch.randn(2, 77), torch.randn(24, 2)) for _ in range(2)]
    assert joined(layers) is None
