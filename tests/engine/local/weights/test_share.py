"""What each of several ranks reads of a checkpoint: laid side by side it is the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import checkpoints
import pytest
import quantise
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn.functional import silu

from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed
from app.engine.local.weights.linear import Linear, Plain
from app.engine.local.weights.opened import Weights
from app.engine.local.weights.share import Part, Share, Slab, part_of, take
from app.vocabulary import EngineFault

CPU = torch.device("cpu")
LAYER = "model.language_model.layers.1"
EXPERTS = f"{LAYER}.mlp.experts"
WIDE = {"moe_intermediate_size": 96, "intermediate_size": 160, "hidden_size": 144}

Quantiser = Callable[[Path, Path], Path]


def _as_it_is(folder: Path, target: Path) -> Path:
    return folder


QUANTISERS: dict[str, tuple[Quantiser, type[Linear]]] = {
    "plain": (_as_it_is, Plain),
    "fp8 by rows": (quantise.fp8, Fp8Channel),
    "fp8 by blocks": (quantise.fp8_block, Fp8Block),
    "fp8 by small blocks": (
        lambda folder, target: quantise.fp8_block(folder, target, size=(24, 40)),
        Fp8Block,
    ),
    "awq": (lambda folder, target: quantise.awq(folder, target, group=16), Awq),
    "packed": (lambda folder, target: quantise.packed(folder, target, group=16), Packed),
    "packed with zeros": (
        lambda folder, target: quantise.packed(folder, target, group=8, symmetric=False),
        Packed,
    ),
}


@pytest.fixture(scope="module", params=QUANTISERS, ids=list(QUANTISERS))
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, type[Linear]]:
    """A folder in each format, and the kind of its layers."""
    folder = tmp_path_factory.mktemp("kept")
    quantiser, kind = QUANTISERS[request.param]
    plain = checkpoints.write(folder / "plain", "glm4v_moe", text=WIDE)
    return quantiser(plain, folder / "small"), kind


@contextmanager
def _opened(
    folder: Path, index: int = 0, count: int = 1, adapter: Path | None = None
) -> Iterator[Weights]:
    share = Share(index, count)
    with Weights.open(
        folder,
        device=CPU,
        dtype=torch.float32,
        say=lambda *_: None,
        share=share,
        adapter=adapter,
    ) as weights:
        yield weights


def _whole(folder: Path, name: str) -> Linear:
    with _opened(folder) as weights:
        return weights.linear(name)


def _numbers(layer: Linear) -> torch.Tensor:
    return layer.dense(torch.float32)


@pytest.mark.parametrize("count", [2, 4])
def test_the_rows_of_all_ranks_are_those_of_the_layer(
    kept: tuple[Path, type[Linear]], count: int
) -> None:
    folder, kind = kept
    name = f"{LAYER}.self_attn.q_proj"
    layers = []
    for rank in range(count):
        with _opened(folder, rank, count) as weights:
            layers.append(weights.linear(name, "rows"))
    whole = _whole(folder, name)
    assert {type(layer) for layer in layers} == {kind}
    assert torch.equal(torch.cat([_numbers(layer) for layer in layers]), _numbers(whole))
    x = torch.randn(3, whole.in_features)
    y = torch.cat([layer(x) for layer in layers], -1)  # with their biases
    torch.testing.assert_close(y, whole(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [2, 4])
def test_the_sum_over_all_ranks_is_what_the_layer_gives(
    kept: tuple[Path, type[Linear]], count: int
) -> None:
    folder, kind = kept
    name = f"{LAYER}.self_attn.o_proj"
    whole = _whole(folder, name)
    x = torch.randn(3, whole.in_features)
    layers = []
    for rank in range(count):
        with _opened(folder, rank, count) as weights:
            layers.append(weights.linear(name, "columns"))
    assert {type(layer) for layer in layers} == {kind}
    assert torch.equal(torch.cat([_numbers(layer) for layer in layers], -1), _numbers(whole))
    parts = x.chunk(count, -1)
    y = sum(layer(part) for layer, part in zip(layers, parts, strict=True))
    torch.testing.assert_close(y, whole(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [2, 4])
def test_experts_are_cut_one_by_one(kept: tuple[Path, type[Linear]], count: int) -> None:
    folder, kind = kept
    with _opened(folder) as weights:
        whole = weights.experts(EXPERTS, 8)
    shares = []
    for rank in range(count):
        with _opened(folder, rank, count) as weights:
            shares.append(weights.experts(EXPERTS, 8))
    assert {type(share.down) for share in shares} == {kind}
    assert all(share.gate_up.shape == (8, 192 // count, 144) for share in shares)
    halves = [_numbers(share.gate_up).chunk(2, 1) for share in shares]
    gate, up = (torch.cat(parts, 1) for parts in zip(*halves, strict=True))
    assert torch.equal(torch.cat((gate, up), 1), _numbers(whole.gate_up))
    down = torch.cat([_numbers(share.down) for share in shares], -1)
    assert torch.equal(down, _numbers(whole.down))
    asked = _asked()
    y = sum(share(*asked) for share in shares)
    torch.testing.assert_close(y, whole(*asked), rtol=1e-4, atol=1e-4)


def _asked() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chosen = torch.stack([torch.randperm(8)[:3] for _ in range(6)])
    return torch.randn(6, 144), chosen, torch.rand(6, 3)


@pytest.mark.parametrize("quantiser", [_as_it_is, quantise.fp8, quantise.fp8_block], ids=str)
def test_two_matrices_in_one_are_both_cut(quantiser: Quantiser, tmp_path: Path) -> None:
    plain = checkpoints.write(tmp_path / "plain", "glm4v", text={"intermediate_size": 88})
    folder = quantiser(plain, tmp_path / "small")
    whole = _whole(folder, f"{LAYER}.mlp.gate_up_proj")
    x, y = torch.randn(5, 128), torch.zeros(5, 128)
    gate, up = whole(x).chunk(2, -1)
    for rank in range(4):
        with _opened(folder, rank, 4) as weights:
            both = weights.linear(f"{LAYER}.mlp.gate_up_proj", "rows", parts=2)(x).chunk(2, -1)
            y += weights.linear(f"{LAYER}.mlp.down_proj", "columns")(silu(both[0]) * both[1])
    true = _whole(folder, f"{LAYER}.mlp.down_proj")(silu(gate) * up)
    torch.testing.assert_close(y, true, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ["plain", "blocks"])
def test_experts_that_were_merged_in_the_file_are_cut_too(form: str, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "plain", "glm4v_moe")
    held = quantise.tensors(folder)
    rows = [
        [held.pop(f"{EXPERTS}.{n}.{part}_proj.weight") for part in ("gate", "up", "down")]
        for n in range(8)
    ]
    merged = {
        "gate_up_proj": torch.stack([torch.cat(row[:2]) for row in rows]),  # [8, 144, 144]
        "down_proj": torch.stack([row[2] for row in rows]),  # [8, 144, 72]
    }
    for name, tensor in merged.items():
        held[f"{EXPERTS}.{name}"] = tensor
        if form == "blocks":
            held[f"{EXPERTS}.{name}"] = tensor.to(torch.float8_e4m3fn)
            grid = [-(-length // 128) for length in tensor.shape[1:]]
            held[f"{EXPERTS}.{name}_scale_inv"] = torch.rand(8, *grid)
    checkpoints.save(folder, held)
    with _opened(folder) as weights:
        whole = weights.experts(EXPERTS, 8)
    shares = []
    for rank in range(4):
        with _opened(folder, rank, 4) as weights:
            shares.append(weights.experts(EXPERTS, 8))
    asked = _asked()
    assert shares[0].gate_up.shape == (8, 36, 144)
    y = sum(share(*asked) for share in shares)
    torch.testing.assert_close(y, whole(*asked), rtol=1e-4, atol=1e-4)


def test_experts_in_several_formats_become_plain_parts(tmp_path: Path) -> None:
    plain = checkpoints.write(tmp_path / "plain", "glm4v_moe")
    folder = quantise.fp8(plain, tmp_path / "mixed")
    held = quantise.tensors(folder)
    name = f"{EXPERTS}.3.down_proj.weight"
    held[name] = quantise.tensors(plain)[name]
    del held[f"{name}_scale"]
    checkpoints.save(folder, held)
    with _opened(folder) as weights:
        whole = weights.experts(EXPERTS, 8).down
    parts = []
    for rank in range(2):
        with _opened(folder, rank, 2) as weights:
            parts.append(weights.experts(EXPERTS, 8).down)
    assert isinstance(parts[0], Plain)
    assert torch.equal(torch.cat([_numbers(part) for part in parts], -1), _numbers(whole))


def test_a_format_that_one_of_many_experts_is_in_can_forbid_a_cut(tmp_path: Path) -> None:
    plain = checkpoints.write(tmp_path / "plain", "glm4v_moe")  # 72 columns: 36 each
    held = quantise.tensors(plain)
    other = quantise.tensors(quantise.packed(plain, tmp_path / "packed", group=8))
    name = f"{EXPERTS}.5.down_proj.weight"
    del held[name]
    held |= {key: tensor for key, tensor in other.items() if key.startswith(f"{name}_")}
    checkpoints.save(plain, held)
    for rank in range(2):
        with (
            _opened(plain, rank, 2) as weights,
            pytest.raises(EngineFault, match=r"72 columns of .*\.5\.down_proj .* whole words"),
        ):
            weights.experts(EXPERTS, 8)


def test_merged_experts_without_their_scales_are_damaged(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "plain", "glm4v_moe")
    held = {
        f"{EXPERTS}.gate_up_proj": torch.zeros(8, 144, 144).to(torch.float8_e4m3fn),
        f"{EXPERTS}.down_proj": torch.zeros(8, 144, 72).to(torch.float8_e4m3fn),
        "model.visual.x": torch.zeros(1),
    }
    checkpoints.save(folder, held)
    with (
        _opened(folder) as weights,
        pytest.raises(EngineFault, match=r"no tensor .*gate_up_proj_scale_inv") as caught,
    ):
        weights.experts(EXPERTS, 8)
    assert caught.value.kind == "damaged"


# --- biases -----------------------------------------------------------------------------------


def test_the_bias_of_what_is_summed_is_the_first_ranks(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "plain", "glm4v_moe")
    held = quantise.tensors(folder)
    bias = held[f"{LAYER}.self_attn.o_proj.bias"] = torch.randn(144)
    checkpoints.save(folder, held)
    for rank in range(2):
        with _opened(folder, rank, 2) as weights:
            layer = weights.linear(f"{LAYER}.self_attn.o_proj", "columns")
        assert isinstance(layer, Plain)
        if rank == 0:
            assert layer.bias is not None
            assert torch.equal(layer.bias, bias)
        else:
            assert layer.bias is None


# --- with an adapter --------------------------------------------------------------------------


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """Changes of layers cut by rows, by columns, and of single experts; one tensor whole."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    said = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    sizes = {
        "self_attn.q_proj": (96, 144),
        "self_attn.o_proj": (144, 96),
        "mlp.experts.3.gate_proj": (96, 144),
        "mlp.experts.3.up_proj": (96, 144),
        "mlp.experts.2.down_proj": (144, 96),
    }
    held = {}
    for name, (out, columns) in sizes.items():
        prefix = f"base_model.model.{LAYER}.{name}"
        held[f"{prefix}.lora_A.weight"] = torch.randn(4, columns) / 8
        held[f"{prefix}.lora_B.weight"] = torch.randn(out, 4) / 8
    held[f"base_model.model.{LAYER}.self_attn.v_proj.weight"] = torch.randn(48, 144)
    save_file(held, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize("quantiser", [_as_it_is, quantise.fp8], ids=["plain", "fp8"])
def test_an_adapter_is_cut_as_what_it_changes(
    quantiser: Quantiser, adapter: Path, tmp_path: Path
) -> None:
    plain = checkpoints.write(tmp_path / "plain", "glm4v_moe", text=WIDE)
    folder = quantiser(plain, tmp_path / "small")
    asked, x = _asked(), torch.randn(3, 144)
    named = {part: f"{LAYER}.self_attn.{part}_proj" for part in "qvo"}
    with _opened(folder, adapter=adapter) as weights:
        mixed = weights.experts(EXPERTS, 8)(*asked)
        query, value, out = (weights.linear(named[part]) for part in "qvo")
    rows, values, sums, experts = [], [], [], []
    for rank, part in enumerate(query(x).chunk(4, -1)):
        with _opened(folder, rank, 4, adapter) as weights:
            rows.append(weights.linear(named["q"], "rows")(x))
            values.append(weights.linear(named["v"], "rows")(x))
            sums.append(weights.linear(named["o"], "columns")(part))
            experts.append(weights.experts(EXPERTS, 8)(*asked))
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(torch.cat(rows, -1), query(x), **close)
    torch.testing.assert_close(torch.cat(values, -1), value(x), **close)
    torch.testing.assert_close(sum(sums), out(query(x)), **close)
    torch.testing.assert_close(sum(experts), mixed, **close)


# --- what can't be cut ------------------------------------------------------------------------


def test_a_layer_that_does_not_divide_is_refused_on_every_rank(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "plain", "glm4v_moe")
    for rank in range(5):
        with _opened(folder, rank, 5) as weights:
            with pytest.raises(EngineFault, match=r"among 5 GPUs: the 96 columns of") as caught:
                weights.linear(f"{LAYER}.self_attn.o_proj", "columns")
            with pytest.raises(EngineFault, match=r"72 rows of .*_proj don't make 5 equal"):
                weights.experts(EXPERTS, 8)
        assert caught.value.kind == "unsupported"


@pytest.mark.parametrize(
    ("quantiser", "name", "cut"),
    [
        (quantise.awq, "self_attn.q_proj", "rows"),
        (quantise.packed, "self_attn.o_proj", "columns"),
    ],
    ids=["awq", "packed"],
)
def test_no_word_of_packed_steps_is_cut(
    quantiser: Callable[..., Path], name: str, cut: str, tmp_path: Path
) -> None:
    plain = checkpoints.write(tmp_path / "plain", "glm4v_moe", text={"head_dim": 24})
    folder = quantiser(plain, tmp_path / "small", group=8)
    for rank in range(8):  # 96 rows or columns: 12 each
        with (
            _opened(folder, rank, 8) as weights,
            pytest.raises(EngineFault, match="don't make 8 equal parts of whole words of 8; ask"),
        ):
            weights.linear(f"{LAYER}.{name}", "rows" if cut == "rows" else "columns")


# --- arithmetic -------------------------------------------------------------------------------


@given(st.integers(0, 5000), st.integers(1, 9))
def test_uneven_shares_lie_side_by_side_and_make_the_whole(length: int, count: int) -> None:
    shares = [Share(index, count, even=False) for index in range(count)]
    runs = [run for share in shares for run in share.runs(length)]
    assert [place for run in runs for place in range(run.start, run.stop)] == list(range(length))
    assert all(run.stop - run.start <= shares[0].each(length) for run in runs)
    assert all(share.fits(length) for share in shares)


@given(
    st.integers(1, 8), st.sampled_from([1, 2, 3]), st.integers(1, 5), st.sampled_from([8, 24, 128])
)
def test_blocks_become_no_smaller_than_they_must(
    count: int, parts: int, each: int, size: int
) -> None:
    length = count * parts * each * 4
    for index in range(count):
        part = part_of("a", (length, 7), "rows", Share(index, count), parts=parts)
        unit = part.unit("rows", size)
        assert size % unit == 0
        assert all(run.start % unit == 0 and run.stop % unit == 0 for run in part.runs)
        assert part.unit("columns", size) == size


def test_one_share_of_one_is_all_of_it() -> None:
    assert part_of("a", (4, 5), "rows", Share()) == Part()
    assert Part().slab() is None
    x = torch.randn(4, 5)
    assert take(x, None) is x


@pytest.mark.parametrize("dtype", [torch.float32, torch.float8_e4m3fn, torch.int32], ids=str)
def test_several_runs_are_laid_side_by_side(dtype: torch.dtype) -> None:
    x = (torch.randn(3, 10, 4) * 9).to(dtype)
    cut = take(x, Slab(-2, (slice(1, 3), slice(6, 9))))
    assert torch.equal(cut.float(), x.float()[:, [1, 2, 6, 7, 8]])
    assert cut.dtype is dtype
