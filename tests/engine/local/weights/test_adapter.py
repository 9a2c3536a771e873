"""Adapters that can't be used: refused with the same words by the GLM networks and by the stock
ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import quantise
import torch
from safetensors.torch import save_file
from torch import nn
from tuned import FILE, LAYER, SIMPLE, WARNINGS, Tensors, Tuned, logits_of, rewrite

from app.engine.local.generic.lora import apply
from app.vocabulary import EngineFault

pytestmark = [pytest.mark.filterwarnings(each) for each in WARNINGS]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("plain")
    return {row: checkpoints.write(home / row, row) for row in ("glm4v_moe", "glm4v")}


@pytest.fixture
def simple(folders: dict[str, Path], tmp_path: Path) -> Tuned:
    return Tuned(folders["glm4v_moe"], tmp_path / "simple", **SIMPLE)


def _refused(tuned: Tuned, words: str) -> EngineFault:
    """Both paths refuse it with the same words."""
    for way in (
        lambda: logits_of(tuned.folder, tuned.adapter),
        lambda: apply(checkpoints.oracle(tuned.folder), tuned.adapter),
    ):
        with pytest.raises(EngineFault, match=words) as caught:
            way()
    return caught.value


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "DoRA": ({"use_dora": True}, "is a DoRA adapter"),
    "biases": ({"bias": "all"}, r"changes the base model's biases \(bias: all\)"),
    "LoRA's biases": ({"bias": "lora_only"}, "bias: lora_only"),
    "another method": ({"peft_type": "IA3"}, "is of the kind IA3"),
    "turned layers": ({"fan_in_fan_out": True}, "fan_in_fan_out"),
    "PiSSA": ({"init_lora_weights": "pissa_niter_4"}, "changed base weights"),
    "single tokens": ({"trainable_token_indices": [1]}, "trains single tokens"),
    "repeated layers": ({"layer_replication": [[0, 2]]}, "repeats layers"),
    "another rank": ({"r": 8}, "has rank 4 for .*but another in its adapter_config.json"),
}


@pytest.mark.parametrize(("said", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_an_adapter_that_can_not_be_used_is_refused_with_the_reason(
    simple: Tuned, said: dict[str, Any], words: str
) -> None:
    file = simple.adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | said))
    assert _refused(simple, words).kind == "unsupported"


def test_an_adapter_for_another_model_is_refused(simple: Tuned, folders: dict[str, Path]) -> None:
    simple.folder = folders["glm4v"]
    fault = _refused(simple, r"“simple” is for another model: .*144\) here")
    assert fault.kind == "unsupported"


def test_a_module_that_the_model_lacks_is_named(simple: Tuned) -> None:
    rewrite(
        simple.adapter,
        lambda held: {name.replace("layers.1.", "layers.9."): t for name, t in held.items()},
    )
    _refused(simple, r"changes model\.language_model\.layers\.9\.self_attn\.q_proj, which this")


def test_a_saved_module_of_another_shape_is_refused(simple: Tuned) -> None:
    def longer(held: Tensors) -> Tensors:
        name = "base_model.model.model.visual.merger.proj.weight"
        return held | {name: torch.zeros(145, 144)}

    rewrite(simple.adapter, longer)
    _refused(simple, r"merger\.proj\.weight has \(144, 144\) there and \(145, 144\) here")


def test_merged_experts_of_another_size_are_refused(simple: Tuned) -> None:
    name = f"base_model.model.{LAYER}.mlp.experts"
    change = {f"{name}.lora_A.weight": torch.zeros(32, 99)}
    change |= {f"{name}.lora_B.weight": torch.zeros(144, 32)}
    rewrite(simple.adapter, lambda held: held | change)
    _refused(simple, r"mlp\.experts has .* and \(144, 99\) here")


@pytest.mark.parametrize(
    "extra",
    ["lora_magnitude_vector", "lora_B.bias", "token_adapter.trainable_tokens_delta"],
)
def test_a_tensor_that_plain_lora_has_not_is_refused(simple: Tuned, extra: str) -> None:
    name = f"base_model.model.{LAYER}.self_attn.q_proj.{extra}"
    rewrite(simple.adapter, lambda held: held | {name: torch.zeros(3)})
    _refused(simple, "which plain LoRA has not")


def test_half_of_a_change_is_a_damaged_adapter(simple: Tuned) -> None:
    name = f"base_model.model.{LAYER}.self_attn.q_proj.lora_B.weight"
    rewrite(simple.adapter, lambda held: {n: t for n, t in held.items() if n != name})
    assert _refused(simple, "has but half of the change").kind == "damaged"


def test_halves_that_do_not_fit_are_a_damaged_adapter(simple: Tuned) -> None:
    name = f"base_model.model.{LAYER}.self_attn.q_proj.lora_B.weight"
    rewrite(simple.adapter, lambda held: held | {name: torch.zeros(96, 5)})
    assert _refused(simple, "don't fit together").kind == "damaged"


def test_an_adapter_that_changes_nothing_is_damaged(simple: Tuned) -> None:
    rewrite(simple.adapter, lambda held: {})
    assert _refused(simple, "changes nothing").kind == "damaged"


def test_a_pickled_adapter_is_refused(simple: Tuned) -> None:
    (simple.adapter / FILE).rename(simple.adapter / "adapter_model.bin")
    assert _refused(simple, "is a Python pickle").kind == "unsupported"


def test_half_an_adapter_file_is_damaged(simple: Tuned) -> None:
    file = simple.adapter / FILE
    file.write_bytes(file.read_bytes()[:-100])
    assert _refused(simple, f"{FILE} .*is cut short").kind == "damaged"


def test_a_garbled_configuration_is_damaged(simple: Tuned) -> None:
    for text in ("", "[]", '{"r": "many", "lora_alpha": 3}', '{"r": 4}'):
        (simple.adapter / "adapter_config.json").write_text(text)
        assert _refused(simple, "adapter_config.json .*can't be understood").kind == "damaged"


def test_a_folder_without_an_adapter_is_said(simple: Tuned, tmp_path: Path) -> None:
    simple.adapter = tmp_path / "nothing"
    assert _refused(simple, "There is no LoRA adapter in").kind == "no_model"


def test_a_vision_tower_beside_the_adapter_is_not_forgotten(simple: Tuned) -> None:
    save_file({"a": torch.zeros(1)}, simple.adapter / "vit.safetensors")
    _refused(simple, "comes with a trained vision tower")


def test_embeddings_that_are_the_head_too_are_left_alone(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    tuned = Tuned(folders["glm4v"], tmp_path / "a", target_modules=["embed_tokens"])
    folder = tmp_path / "tied"
    shutil.copytree(tuned.folder, folder)
    held = quantise.tensors(folder)
    held.pop("lm_head.weight")
    checkpoints.save(folder, held)
    config = json.loads((folder / "config.json").read_text())
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = True
    (folder / "config.json").write_text(json.dumps(config))
    tuned.folder = folder
    _refused(tuned, "for its embeddings and its head alike")


def test_a_layer_that_is_quantised_elsewhere_can_not_be_merged(simple: Tuned) -> None:
    network = checkpoints.oracle(simple.folder)
    module = network.get_submodule(f"{LAYER}.self_attn.q_proj")
    module.weight = nn.Parameter(module.weight.to(torch.float8_e4m3fn), requires_grad=False)
    with pytest.raises(EngineFault, match="quantised in a way that can't be merged"):
        apply(network, simple.adapter)
