from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import checkpoints
import pytest
import quantise
import torch

from app.engine.local.glm.config import read
from app.engine.local.glm.load import open_network
from app.engine.local.room import free_bytes
from app.engine.local.weights.estimate import Estimate, context_for, estimate
from app.engine.local.weights.opened import Weights
from app.engine.local.weights.share import Share
from app.vocabulary import EngineFault

CPU = torch.device("cpu")
GIGABYTE = 2**30


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write(tmp_path_factory.mktemp("plain") / "glm4v_moe", "glm4v_moe")


def _held(folder: Path, dtype: torch.dtype) -> int:
    """Bytes of everything that a network of this folder asks for."""
    with Weights.open(folder, device=CPU, dtype=dtype, say=lambda *_: None) as weights:
        experts = [f"model.language_model.layers.{layer}.mlp.experts" for layer in (1, 2)]
        held = sum(weights.experts(prefix, 8).bytes for prefix in experts)
        layers, others = set(), set()
        for name in weights.names:
            prefix, _, kind = name.rpartition(".")
            if prefix.startswith(tuple(experts)):
                continue
            is_layer = prefix.endswith(("_proj", "qkv")) or kind not in ("weight", "bias")
            (layers if is_layer else others).add(prefix if is_layer else name)
        layers = {layer for layer in layers if not layer.endswith("mlp.gate")}
        others |= {f"{gate}.mlp.gate.e_score_correction_bias" for gate in _gates()}
        held += sum(weights.linear(layer).bytes for layer in layers)
        tensors = [weights.tensor(name) for name in others]
        return held + sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _gates() -> list[str]:
    return [f"model.language_model.layers.{layer}" for layer in (1, 2)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_weights_are_reckoned_as_they_will_be_held(plain: Path, dtype: torch.dtype) -> None:
    assert estimate(plain, dtype=dtype).weights == _held(plain, dtype)


def test_quantised_weights_stay_as_small_as_in_their_file(plain: Path, tmp_path: Path) -> None:
    folder = quantise.fp8(plain, tmp_path / "fp8")
    assert estimate(folder, dtype=torch.bfloat16).weights == _held(folder, torch.bfloat16)


def test_weights_that_will_be_unpacked_are_reckoned_so(plain: Path, tmp_path: Path) -> None:
    whole = estimate(plain, dtype=torch.bfloat16).weights
    for number, quantiser in enumerate((quantise.fp8, quantise.fp8_block)):
        folder = quantiser(plain, tmp_path / str(number))
        unpacked = estimate(folder, dtype=torch.bfloat16, keeps=False).weights
        assert whole <= unpacked <= whole * 1.1
        assert estimate(folder, dtype=torch.bfloat16).weights < whole * 0.8


@pytest.mark.parametrize("row", ["glm4v_moe", "glm4v", "glm4_moe"])
def test_a_token_is_reckoned_as_the_network_keeps_it(tmp_path: Path, row: str) -> None:
    folder = checkpoints.write(tmp_path / row, row)
    network = open_network(folder, read(folder), device=CPU, dtype=torch.float32)
    assert estimate(folder, dtype=torch.float32).token == network.token_bytes


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("quantiser", [None, quantise.fp8, quantise.fp8_block], ids=str)
def test_each_rank_is_reckoned_with_its_share(
    plain: Path, tmp_path: Path, ranks: int, quantiser: Callable[[Path, Path], Path] | None
) -> None:
    folder = plain if quantiser is None else quantiser(plain, tmp_path / "small")
    found = estimate(folder, dtype=torch.float32, ranks=ranks)
    held = _share(folder, ranks)
    assert found.weights == pytest.approx(held, rel=0.03)
    assert found.weights < estimate(folder, dtype=torch.float32).weights
    network_token = 2 * 3 * max(2 // ranks, 1) * 24 * 4  # layers, key heads, width, float32
    assert found.token == network_token


def _share(folder: Path, ranks: int) -> int:
    """Bytes that one of so many ranks holds."""
    share = Share(1, ranks)
    with Weights.open(
        folder, device=CPU, dtype=torch.float32, say=lambda *_: None, share=share
    ) as weights:
        held, done = 0, set[str]()
        for name in sorted(weights.names):
            prefix = name.rpartition(".")[0]
            if ".experts." in name:
                prefix = prefix.split(".experts.")[0] + ".experts"
            if prefix in done:
                continue
            if ".experts" in prefix:
                held += weights.experts(prefix, 8).bytes
            elif "visual" not in prefix and prefix.endswith(("_proj", "lm_head")):
                keys = Share(1 * min(ranks, 2) // ranks, min(ranks, 2))
                inner = prefix.endswith(("o_proj", "down_proj"))
                kept = keys if prefix.endswith(("k_proj", "v_proj")) else share
                held += weights.linear(prefix, "columns" if inner else "rows", share=kept).bytes
            else:
                tensor = weights.tensor(name)
                held += tensor.numel() * tensor.element_size()
                continue
            done.add(prefix)
        return held


def test_a_conversation_and_a_picture_cost_more_than_weights(plain: Path) -> None:
    found = estimate(plain, dtype=torch.float32)
    assert found.working > 0
    assert found.total(100) == found.weights + found.working + 100 * found.token
    assert found.longest(found.total(100)) == 100
    assert found.longest(found.weights) == 0


def test_the_numbers_of_the_real_models_are_right(tmp_path: Path) -> None:
    """GLM-4.5V keeps 188,416 bytes a token in bfloat16, GLM-4.1V-9B 40,960."""
    checkpoints.save(tmp_path, {"a": torch.zeros(1), "b": torch.zeros(1), "c": torch.zeros(1)})
    large = {"num_hidden_layers": 46, "num_attention_heads": 96, "num_key_value_heads": 8}
    small = {"num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 2}
    shapes = {"hidden_size": 4096, "intermediate_size": 10944, "vocab_size": 151552}
    experts = {"num_experts_per_tok": 8, "moe_intermediate_size": 1408, "head_dim": 128}
    tower = {"hidden_size": 1536, "patch_size": 14, "intermediate_size": 10944}
    for text, token in ((large | experts, 188_416), (small, 40_960)):
        said = {"text_config": shapes | text, "vision_config": tower}
        (tmp_path / "config.json").write_text(json.dumps(said))
        found = estimate(tmp_path, dtype=torch.bfloat16)
        assert found.token == token
        assert 0.5 * GIGABYTE < found.working < 2.5 * GIGABYTE


def test_a_folder_that_says_nothing_of_itself_still_has_weights(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, {"a": torch.zeros(3), "b": torch.zeros(3), "c": torch.zeros(3)})
    assert estimate(tmp_path, dtype=torch.float32).weights == 36


# --- against what is free ---------------------------------------------------------------------


def test_a_small_model_gets_all_of_its_context() -> None:
    small = Estimate(weights=10**6, token=100, working=10**6)
    assert context_for("m", small, CPU, most=8192) == 8192
    assert context_for("m", small, CPU, most=8192, asked=1000) == 1000
    assert context_for("m", small, CPU, most=8192, asked=100_000) == 8192


def test_a_context_shrinks_to_what_is_free() -> None:
    free = free_bytes(CPU)
    large = Estimate(weights=free // 4, token=free // 10_000, working=free // 4)
    assert 4000 < context_for("m", large, CPU, most=65536) < 6000


def test_a_model_that_keeps_nothing_of_a_token_gets_all_of_its_context() -> None:
    assert context_for("m", Estimate(1, 0, 1), CPU, most=4096) == 4096


def test_a_model_that_does_not_fit_is_refused_with_the_numbers() -> None:
    huge = Estimate(weights=107 * 2**40, token=188_416, working=GIGABYTE)
    with pytest.raises(EngineFault) as caught:
        context_for("GLM-4.5V", huge, CPU, most=65536)
    message = caught.value.message
    assert caught.value.kind == "out_of_memory"
    assert "“GLM-4.5V” needs 109569 GB of memory (109568 GB for its weights, 0.36 GB" in message
    assert "for a context of 2048 tokens, 1.0 GB to work with)" in message
    assert "free; close other programs, or choose a smaller model." in message


def test_a_context_that_does_not_fit_is_refused_with_one_that_does() -> None:
    free = free_bytes(CPU)
    found = Estimate(weights=free // 4, token=free // 10_000, working=0)
    with pytest.raises(EngineFault, match=r"ask for a context of \d{4} tokens") as caught:
        context_for("m", found, CPU, most=65536, asked=60_000)
    assert caught.value.kind == "out_of_memory"


def test_several_gpus_are_told_of_what_each_of_them_lacks() -> None:
    huge = Estimate(weights=2**45, token=47_104, working=GIGABYTE)
    with pytest.raises(EngineFault, match="and each of 4 ranks has") as caught:
        context_for("m", huge, CPU, most=65536, ranks=4)
    assert caught.value.kind == "out_of_memory"


def test_ranks_on_one_computer_share_its_memory() -> None:
    free = free_bytes(CPU)
    found = Estimate(weights=0, token=free // 40_000, working=0)
    assert 8_000 < context_for("m", found, CPU, most=65536, ranks=4) < 12_000
