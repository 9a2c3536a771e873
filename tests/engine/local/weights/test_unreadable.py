"""Checkpoints whose weights are whole, but can't be read: each is refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import quantise
import torch

from app.engine.local.weights.opened import Weights
from app.vocabulary import EngineFault

Tensors = dict[str, torch.Tensor]


def _open(folder: Path) -> Weights:
    cpu = torch.device("cpu")
    return Weights.open(folder, device=cpu, dtype=torch.float32, say=lambda *_: None)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write(tmp_path_factory.mktemp("plain") / "glm4v_moe", "glm4v_moe")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"quant_method": "gptq", "bits": 4}, "quantised by “gptq”"),
        ({"quant_method": "bitsandbytes"}, "quantised by “bitsandbytes”"),
        ({"quant_method": "awq", "bits": 4, "version": "gemv"}, "layout “gemv”"),
        ({"quant_method": "awq", "bits": 8, "version": "gemm"}, "with 8 bits"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"a": {"weights": {"num_bits": 8, "type": "int"}}},
            },
            "8-bit int numbers",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "sparsity_config": {"format": "sparse-24-bitmask"},
            },
            "stored sparsely",
        ),
        ({"quant_method": "compressed-tensors", "transform_config": {"a": 1}}, "rotations"),
    ],
    ids=str,
)
def test_a_quantisation_that_can_not_be_read_is_refused_by_name(
    plain: Path, tmp_path: Path, said: dict[str, Any], words: str
) -> None:
    checkpoints.save(tmp_path, quantise.tensors(plain))
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": said}))
    with pytest.raises(EngineFault, match=words) as caught:
        _open(tmp_path)
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize(
    "said",
    [
        "fp8",
        [1],
        {"quant_method": "fp8", "weight_block_size": [0, 128]},
        {"quant_method": "fp8", "weight_block_size": 128},
        {"quant_method": "compressed-tensors", "config_groups": [1]},
        {"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": 3}}},
    ],
    ids=str,
)
def test_a_quantisation_that_makes_no_sense_is_a_damaged_folder(
    plain: Path, tmp_path: Path, said: Any
) -> None:
    checkpoints.save(tmp_path, quantise.tensors(plain))
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": said}))
    with pytest.raises(EngineFault, match="nothing sensible of its quantisation") as caught:
        _open(tmp_path)
    assert caught.value.kind == "damaged"


_FP8 = torch.zeros(4, 4, dtype=torch.float8_e4m3fn)
_INT = torch.zeros(16, 2, dtype=torch.int32)
BAD_LAYERS: dict[str, tuple[Tensors, str, str]] = {
    "no weight at all": ({"b": _FP8}, "damaged", "no tensor a.weight"),
    "8 bits without scales": ({"a.weight": _FP8}, "damaged", "no tensor a.weight_scale"),
    "scales of another shape": (
        {"a.weight": _FP8, "a.weight_scale": torch.ones(3, 1)},
        "damaged",
        "don't cover its weights",
    ),
    "8-bit integers": (
        {"a.weight": torch.zeros(4, 4, dtype=torch.int8), "a.weight_scale": torch.ones(4, 1)},
        "unsupported",
        "kept as I8 numbers",
    ),
    "awq without zeros": (
        {"a.qweight": _INT, "a.scales": torch.ones(2, 16)},
        "damaged",
        "no tensor a.qzeros",
    ),
    "gptq": (
        {"a.qweight": _INT, "a.qzeros": _INT, "a.scales": torch.ones(1, 2)},
        "unsupported",
        "GPTQ",
    ),
    "packed in 8 bits": (
        {
            "a.weight_packed": _INT,
            "a.weight_scale": torch.ones(16, 1),
            "a.weight_shape": torch.tensor([16, 8]),
        },
        "unsupported",
        "another number of bits than 4",
    ),
    "packed in an order of its own": (
        {
            "a.weight_packed": _INT,
            "a.weight_scale": torch.ones(16, 1),
            "a.weight_shape": torch.tensor([16, 16]),
            "a.weight_g_idx": torch.zeros(16, dtype=torch.int32),
        },
        "unsupported",
        "in another way",
    ),
    "packed with too few scales": (
        {
            "a.weight_packed": _INT,
            "a.weight_scale": torch.ones(16, 3),
            "a.weight_shape": torch.tensor([16, 16]),
        },
        "damaged",
        "don't cover its weights",
    ),
}


@pytest.mark.parametrize(("held", "kind", "words"), BAD_LAYERS.values(), ids=BAD_LAYERS.keys())
def test_a_layer_that_can_not_be_read_is_refused_with_the_reason(
    tmp_path: Path, held: Tensors, kind: str, words: str
) -> None:
    checkpoints.save(tmp_path, held)
    with pytest.raises(EngineFault, match=words) as caught, _open(tmp_path) as weights:
        weights.linear("a")
    assert caught.value.kind == kind


def test_a_tensor_that_is_not_there_is_named(plain: Path) -> None:
    name = "model.language_model.missing"
    with pytest.raises(EngineFault, match=f"has no tensor {name}") as caught, _open(plain) as held:
        held.tensor(name)
    assert caught.value.kind == "damaged"
