from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import quantise
import torch
from torch.nn.functional import linear, silu

from app.engine.headers import contents
from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed
from app.engine.local.weights.linear import Linear, Plain
from app.engine.local.weights.opened import Weights
from app.vocabulary import EngineFault

CPU = torch.device("cpu")
LAYER = "model.language_model.layers.1"
EXPERTS = f"{LAYER}.mlp.experts"
Tensors = dict[str, torch.Tensor]


Opener = Callable[..., Weights]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens folders, and closes them after the test."""
    all_of_them: list[Weights] = []

    def open_one(folder: Path, dtype: torch.dtype = torch.float32) -> Weights:
        weights = Weights.open(folder, device=CPU, dtype=dtype, say=lambda *_: None)
        all_of_them.append(weights)
        return weights

    yield open_one
    for weights in all_of_them:
        weights.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write(tmp_path_factory.mktemp("plain") / "glm4v_moe", "glm4v_moe")


Quantiser = Callable[[Path, Path], Path]
QUANTISERS: dict[str, tuple[Quantiser, type[Linear]]] = {
    "fp8": (quantise.fp8, Fp8Channel),
    "fp8 with float32 scales": (
        lambda folder, target: quantise.fp8(folder, target, scales=torch.float32),
        Fp8Channel,
    ),
    "fp8 by blocks": (quantise.fp8_block, Fp8Block),
    "fp8 by small blocks": (
        lambda folder, target: quantise.fp8_block(folder, target, size=(48, 32)),
        Fp8Block,
    ),
    "awq": (lambda folder, target: quantise.awq(folder, target, group=8), Awq),
    "packed": (lambda folder, target: quantise.packed(folder, target, group=8), Packed),
    "packed with zeros": (
        lambda folder, target: quantise.packed(folder, target, group=8, symmetric=False),
        Packed,
    ),
}
FORMATS = pytest.mark.parametrize(("quantiser", "form"), QUANTISERS.values(), ids=QUANTISERS.keys())


def _by_hand(held: Tensors, x: torch.Tensor, chosen: torch.Tensor, share: torch.Tensor) -> Any:
    y = torch.zeros_like(x)
    for token, row in enumerate(chosen.tolist()):
        for place, expert in enumerate(row):
            gate, up, down = (
                held[f"{EXPERTS}.{expert}.{part}_proj.weight"] for part in ("gate", "up", "down")
            )
            inner = silu(gate @ x[token]) * (up @ x[token])
            y[token] += share[token, place] * (down @ inner)
    return y


def _asked() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chosen = torch.stack([torch.randperm(8)[:3] for _ in range(6)])
    return torch.randn(6, 144), chosen, torch.rand(6, 3)


@FORMATS
def test_a_quantised_folder_computes_what_its_plain_twin_does(
    opened: Opener, plain: Path, tmp_path: Path, quantiser: Quantiser, form: type[Linear]
) -> None:
    folder = quantiser(plain, tmp_path / "small")
    twin = quantise.tensors(quantise.dequantised(folder, tmp_path / "twin"))
    weights = opened(folder)
    forms = set()
    for name, weight in twin.items():
        if name.endswith("_proj.weight") and weight.dim() == 2:
            layer = weights.linear(name.removesuffix(".weight"))
            x = torch.randn(3, weight.shape[1])
            true = linear(x, weight, twin.get(name.replace(".weight", ".bias")))
            torch.testing.assert_close(layer(x), true, rtol=1e-4, atol=1e-4)
            if "language_model" in name:
                forms.add(type(layer))
    assert forms == {form}
    asked = _asked()
    true = _by_hand(twin, *asked)
    torch.testing.assert_close(weights.experts(EXPERTS, 8)(*asked), true, rtol=1e-4, atol=1e-4)


@FORMATS
def test_experts_take_no_more_memory_than_their_file(
    opened: Opener, plain: Path, tmp_path: Path, quantiser: Quantiser, form: type[Linear]
) -> None:
    folder = quantiser(plain, tmp_path / "small")
    held = contents(folder)
    on_disk = sum(header.bytes for name, header in held.items() if name.startswith(EXPERTS))
    experts = opened(folder).experts(EXPERTS, 8)
    assert isinstance(experts.gate_up, form)
    assert experts.bytes <= on_disk * 1.08  # scales as float32, zeros as bytes


@FORMATS
def test_a_quantised_weight_can_be_had_as_numbers(
    opened: Opener, plain: Path, tmp_path: Path, quantiser: Quantiser, form: type[Linear]
) -> None:
    folder = quantiser(plain, tmp_path / "small")
    twin = quantise.tensors(quantise.dequantised(folder, tmp_path / "twin"))
    name = f"{LAYER}.self_attn.o_proj.weight"
    torch.testing.assert_close(opened(folder).tensor(name), twin[name], rtol=1e-6, atol=1e-7)


def test_plain_tensors_take_the_numbers_that_are_asked_for(opened: Opener, plain: Path) -> None:
    weights = opened(plain, torch.float32)
    held = quantise.tensors(plain)
    name = "model.language_model.norm.weight"
    assert weights.tensor(name).equal(held[name].float())
    assert weights.tensor(name, torch.bfloat16).equal(held[name])
    layer = weights.linear(f"{LAYER}.self_attn.q_proj")
    assert isinstance(layer, Plain)
    assert layer.bias is not None
    assert (layer.weight.dtype, layer.bias.dtype) == (torch.float32, torch.float32)


def test_a_routers_bias_stays_exact(opened: Opener, plain: Path) -> None:
    name = f"{LAYER}.mlp.gate.e_score_correction_bias"
    bias = opened(plain, torch.bfloat16).tensor(name)
    assert bias.equal(quantise.tensors(plain)[name])
    assert bias.dtype is torch.float32


OLDER = {
    "before release 4.52": ("model.language_model.", "model.", "model.visual.", "visual."),
    "of a wrapped model": (
        "model.language_model.",
        "language_model.model.",
        "model.visual.",
        "visual.",
    ),
}


@pytest.mark.parametrize("style", OLDER.values(), ids=OLDER.keys())
def test_older_names_are_found_under_todays(
    opened: Opener, plain: Path, tmp_path: Path, style: tuple[str, str, str, str]
) -> None:
    held = quantise.tensors(plain)
    text, old_text, tower, old_tower = style
    renamed = {
        name.replace(text, old_text).replace(tower, old_tower): tensor
        for name, tensor in held.items()
    }
    assert not set(renamed) & {name for name in held if name.startswith("model.")}
    checkpoints.save(tmp_path, renamed)
    weights = opened(tmp_path)
    assert weights.names == set(held)
    for name in (f"{LAYER}.input_layernorm.weight", "model.visual.blocks.0.norm1.weight"):
        assert weights.tensor(name).equal(held[name].float())
    assert weights.experts(EXPERTS, 8).gate_up.shape == (8, 144, 144)


def test_a_model_that_only_reads_is_asked_by_either_name(opened: Opener, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "m", "glm4_moe")
    weights = opened(folder)
    assert "model.norm.weight" in weights.names
    long, short = "model.language_model.norm.weight", "model.norm.weight"
    assert weights.tensor(long).equal(weights.tensor(short))


# --- experts that lie otherwise ---------------------------------------------------------------


def _merge(held: Tensors) -> Tensors:
    """Experts as transformers 5 saves them: one tensor for all."""
    merged = {name: tensor for name, tensor in held.items() if f"{EXPERTS}." not in name}
    parts = {
        part: torch.stack([held[f"{EXPERTS}.{expert}.{part}_proj.weight"] for expert in range(8)])
        for part in ("gate", "up", "down")
    }
    merged[f"{EXPERTS}.gate_up_proj"] = torch.cat([parts["gate"], parts["up"]], 1)
    return merged | {f"{EXPERTS}.down_proj": parts["down"]}


def test_merged_experts_are_taken_as_they_are(opened: Opener, plain: Path, tmp_path: Path) -> None:
    held = quantise.tensors(plain)
    checkpoints.save(tmp_path, _merge(held))
    asked = _asked()
    true = _by_hand({name: tensor.float() for name, tensor in held.items()}, *asked)
    experts = opened(tmp_path).experts(EXPERTS, 8)
    torch.testing.assert_close(experts(*asked), true, rtol=1e-4, atol=1e-4)


def test_merged_experts_may_be_in_8_bits(opened: Opener, tmp_path: Path) -> None:
    weight = torch.randn(8, 200, 144).clamp(-4, 4).to(torch.float8_e4m3fn)
    grid = torch.rand(8, 2, 2)
    down = torch.randn(8, 144, 100)
    held = {
        f"{EXPERTS}.gate_up_proj": weight,
        f"{EXPERTS}.gate_up_proj_scale_inv": grid,
        f"{EXPERTS}.down_proj": down,
        "model.visual.x": torch.zeros(1),
    }
    checkpoints.save(tmp_path, held)
    experts = opened(tmp_path).experts(EXPERTS, 8)
    spread = grid.repeat_interleave(128, 1)[:, :200].repeat_interleave(128, 2)[..., :144]
    torch.testing.assert_close(experts.gate_up.dense(torch.float32), weight.float() * spread)
    assert isinstance(experts.gate_up, Fp8Block)


@pytest.mark.parametrize("left", ["down_proj", "up_proj", "3.gate_proj"])
def test_experts_of_mixed_formats_work(
    opened: Opener, plain: Path, tmp_path: Path, left: str
) -> None:
    folder = quantise.fp8(plain, tmp_path / "small")
    held, whole = quantise.tensors(folder), quantise.tensors(plain)
    for name in list(held):
        if name.startswith(EXPERTS) and f"{left}.weight" in name:
            held.pop(name.replace(".weight", ".weight_scale"), None)
            if name in whole:
                held[name] = whole[name]
    checkpoints.save(folder, held)
    twin = quantise.tensors(quantise.dequantised(folder, tmp_path / "twin"))
    asked = _asked()
    experts = opened(folder).experts(EXPERTS, 8)
    torch.testing.assert_close(experts(*asked), _by_hand(twin, *asked), rtol=1e-4, atol=1e-4)
    kept = isinstance(experts.gate_up, Fp8Channel), isinstance(experts.down, Fp8Channel)
    assert kept == ((True, False) if left == "down_proj" else (False, True))


@pytest.mark.parametrize("count", [7, 9])
def test_another_number_of_experts_is_said(opened: Opener, plain: Path, count: int) -> None:
    with pytest.raises(EngineFault, match=f"has 8 experts, where config.json says {count}"):
        opened(plain).experts(EXPERTS, count)


def test_scales_of_one_number_count_for_all_rows(opened: Opener, tmp_path: Path) -> None:
    weight = torch.randn(5, 7).to(torch.float8_e4m3fn)
    for scale in (torch.tensor(0.5), torch.tensor([0.5]), torch.full((5,), 0.5)):
        checkpoints.save(tmp_path, {"a.weight": weight, "a.weight_scale": scale, "b": scale})
        layer = opened(tmp_path).linear("a")
        assert isinstance(layer, Fp8Channel)
        assert layer.dense(torch.float32).equal(weight.float() / 2)


def test_zeros_that_are_not_packed_are_read_too(
    opened: Opener, plain: Path, tmp_path: Path
) -> None:
    """As earlier releases of compressed-tensors wrote them: 8-bit, counted from the middle."""
    folder = quantise.packed(plain, tmp_path / "small", group=8, symmetric=False)
    held = quantise.tensors(folder)
    name = f"{LAYER}.self_attn.o_proj"
    rows = held[f"{name}.weight_packed"].shape[0]
    true = opened(folder).tensor(f"{name}.weight")
    layer = opened(folder).linear(name)
    assert isinstance(layer, Packed)
    assert layer.zero is not None
    held[f"{name}.weight_zero_point"] = (layer.zero.to(torch.int16) - 8).to(torch.int8)
    assert held[f"{name}.weight_zero_point"].shape[0] == rows
    checkpoints.save(folder, held)
    assert opened(folder).tensor(f"{name}.weight").equal(true)


def test_progress_covers_the_whole_folder(plain: Path) -> None:
    said: list[float | None] = []
    weights = Weights.open(
        plain, device=CPU, dtype=torch.float32, say=lambda _, done, __: said.append(done)
    )
    for name in sorted(weights.names):
        weights.tensor(name)
    weights.close()
    assert said
    assert all(0 < (done or 0) <= 1 for done in said)
