from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import quantise
import torch
from safetensors.torch import save_file
from tuned import FILE, LAYER, SIMPLE, TOKENS, WARNINGS, Tuned, logits_of, rewrite

from app.engine.local.generic.lora import apply
from app.engine.local.weights.linear import Added
from app.engine.local.weights.opened import Weights

pytestmark = [pytest.mark.filterwarnings(each) for each in WARNINGS]

CPU = torch.device("cpu")
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("plain")
    return {row: checkpoints.write(home / row, row) for row in ("glm4v_moe", "glm4v", "glm4_moe")}


def _open(folder: Path, adapter: Path) -> Weights:
    return Weights.open(
        folder, device=CPU, dtype=torch.float32, say=lambda *_: None, adapter=adapter
    )


def _same(logits: torch.Tensor, true: torch.Tensor) -> None:
    torch.testing.assert_close(logits, true, rtol=1e-5, atol=2e-5)


RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "all projections": ("glm4v_moe", {"target_modules": ALL}),
    "all linear layers": ("glm4v_moe", {"target_modules": "all-linear"}),
    "packed gates": ("glm4v", {"target_modules": ["gate_up_proj", "down_proj", "qkv"]}),
    "a regular expression": (
        "glm4v_moe",
        {"target_modules": r"model\.language_model.*\.[qv]_proj"},
    ),
    "a text model": ("glm4_moe", {"target_modules": ALL}),
    "rsLoRA": ("glm4v", {"target_modules": ["q_proj"], "use_rslora": True}),
    "patterns": (
        "glm4v",
        {
            "target_modules": ["q_proj", "down_proj"],
            "rank_pattern": {"down_proj": 2, r"layers\.1\.self_attn\.q_proj": 3},
            "alpha_pattern": {r".*\.0\.self_attn\.q_proj": 9},
        },
    ),
    "a saved head": ("glm4v", {"target_modules": ["v_proj"], "modules_to_save": ["lm_head"]}),
    "a head": ("glm4v", {"target_modules": ["lm_head", "o_proj"]}),
    "embeddings": ("glm4v", {"target_modules": ["embed_tokens", "q_proj"]}),
    "patches": ("glm4v", {"target_modules": r".*(patch_embed\.proj|downsample|merger\.proj)"}),
    "merged experts": (
        "glm4v_moe",
        {
            "target_modules": ["q_proj"],
            "target_parameters": ["experts.gate_up_proj", "experts.down_proj", "mlp.gate.weight"],
            "alpha_pattern": {r"experts\.down_proj": 11},
        },
    ),
    "one parameter of the experts": (
        "glm4_moe",
        {"target_modules": [], "target_parameters": ["experts.down_proj"]},
    ),
}


@pytest.fixture(params=RECIPES.values(), ids=RECIPES.keys(), scope="module")
def tuned(
    request: pytest.FixtureRequest,
    folders: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Tuned:
    row, config = request.param
    return Tuned(folders[row], tmp_path_factory.mktemp("adapter") / "tuned", **config)


def test_our_network_with_an_adapter_answers_as_peft(tuned: Tuned) -> None:
    _same(logits_of(tuned.folder, tuned.adapter), tuned.logits)


def test_a_stock_network_with_a_merged_adapter_answers_as_peft(tuned: Tuned) -> None:
    network = checkpoints.oracle(tuned.folder)
    apply(network, tuned.adapter)
    state = network.state_dict()
    assert state.keys() == tuned.state.keys()
    for name, weight in state.items():
        torch.testing.assert_close(weight, tuned.state[name], rtol=1e-5, atol=1e-6, msg=name)
    with torch.no_grad():
        _same(network(input_ids=torch.tensor([TOKENS])).logits[0], tuned.logits)


def test_every_weight_is_as_peft_merges_it(tuned: Tuned) -> None:
    """The vision tower's too, which text does not show."""
    with _open(tuned.folder, tuned.adapter) as weights:
        for name in weights.names & tuned.state.keys():
            torch.testing.assert_close(
                weights.tensor(name), tuned.state[name].float(), rtol=1e-5, atol=1e-6, msg=name
            )


# --- over quantised weights -------------------------------------------------------------------

QUANTISERS: dict[str, Callable[[Path, Path], Path]] = {
    "fp8": quantise.fp8,
    "fp8 by blocks": quantise.fp8_block,
    "awq": lambda folder, target: quantise.awq(folder, target, group=8),
    "packed": lambda folder, target: quantise.packed(folder, target, group=8),
}


@pytest.mark.parametrize("quantiser", QUANTISERS.values(), ids=QUANTISERS.keys())
def test_an_adapter_lies_over_quantised_weights(
    folders: dict[str, Path], tmp_path: Path, quantiser: Callable[[Path, Path], Path]
) -> None:
    folder = quantiser(folders["glm4v_moe"], tmp_path / "small")
    twin = quantise.dequantised(folder, tmp_path / "twin")
    parameters = ["experts.gate_up_proj", "experts.down_proj"]
    tuned = Tuned(twin, tmp_path / "a", target_modules=ALL, target_parameters=parameters)
    _same(logits_of(folder, tuned.adapter), tuned.logits)
    with _open(folder, tuned.adapter) as weights:
        assert isinstance(weights.linear(f"{LAYER}.self_attn.q_proj"), Added)
        assert isinstance(weights.experts(f"{LAYER}.mlp.experts", 8).down, Added)


def test_a_saved_module_takes_the_place_of_a_quantised_one(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = quantise.fp8(folders["glm4v"], tmp_path / "small")
    twin = quantise.dequantised(folder, tmp_path / "twin")
    config = {"target_modules": ["q_proj"], "modules_to_save": ["o_proj"]}
    tuned = Tuned(twin, tmp_path / "a", **config)
    _same(logits_of(folder, tuned.adapter), tuned.logits)


# --- adapters as earlier releases wrote them --------------------------------------------------


@pytest.fixture
def simple(folders: dict[str, Path], tmp_path: Path) -> Tuned:
    return Tuned(folders["glm4v_moe"], tmp_path / "simple", **SIMPLE)


def test_older_names_of_modules_are_understood(simple: Tuned) -> None:
    rewrite(
        simple.adapter,
        lambda held: {
            name.replace("model.language_model.", "model.").replace("model.visual.", "visual."): t
            for name, t in held.items()
        },
    )
    _same(logits_of(simple.folder, simple.adapter), simple.logits)
    network = checkpoints.oracle(simple.folder)
    apply(network, simple.adapter)
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(weight, simple.state[name], rtol=1e-5, atol=1e-6)


def test_names_of_adapters_in_the_keys_are_understood(simple: Tuned) -> None:
    def older(name: str) -> str:
        name = re.sub(r"lora_([AB])\.weight", r"lora_\1.default.weight", name)
        return name.replace("merger.proj.", "merger.proj.modules_to_save.default.")

    rewrite(simple.adapter, lambda held: {older(name): t for name, t in held.items()})
    _same(logits_of(simple.folder, simple.adapter), simple.logits)


@pytest.mark.parametrize("quantised", [False, True], ids=["plain", "fp8"])
def test_single_experts_may_be_changed(
    folders: dict[str, Path], tmp_path: Path, quantised: bool
) -> None:
    """As adapters have them that were trained on transformers 4, where each was a module."""
    folder = folders["glm4v_moe"]
    if quantised:
        folder = quantise.fp8(folder, tmp_path / "small")
    twin = quantise.dequantised(folder, tmp_path / "twin") if quantised else folder
    held, change = quantise.tensors(twin), {}
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 2, "rank_pattern": {"5.up_proj": 3}}
    for layer, rank in (
        ("experts.0.gate_proj", 4),
        ("experts.5.up_proj", 3),
        ("experts.5.gate_proj", 4),
        ("experts.7.down_proj", 4),
        ("shared_experts.up_proj", 4),
    ):
        name = f"{LAYER}.mlp.{layer}"
        rows, columns = held[f"{name}.weight"].shape
        down, up = torch.randn(rank, columns) / 3, torch.randn(rows, rank) / 3
        change |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
        held[f"{name}.weight"] = held[f"{name}.weight"].float() + up @ down * (2 / rank)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    save_file({f"base_model.model.{name}": t for name, t in change.items()}, adapter / FILE)
    changed = tmp_path / "changed"
    shutil.copytree(twin, changed)
    checkpoints.save(changed, {name: tensor.float() for name, tensor in held.items()})
    true = logits_of(changed, None)
    _same(logits_of(folder, adapter), true)
    network = checkpoints.oracle(twin)
    apply(network, adapter)  # there the experts are merged
    with torch.no_grad():
        _same(network(input_ids=torch.tensor([TOKENS])).logits[0], true)
