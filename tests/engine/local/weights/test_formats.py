"""Whole small models of the GLM family in every format, beside the plain float32 twin in stock
transformers: the same numbers have to come out as the same words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import quantise
import torch

from app.engine.local.glm.config import read
from app.engine.local.glm.load import open_network
from app.engine.local.glm.network import GlmNetwork

PROMPT = list(b"Name the shapes in the picture, from left to right, and their colours.")
LENGTH = 64  # tokens written

Quantiser = Callable[[Path, Path], Path]
CASES: dict[str, tuple[str, Quantiser]] = {
    "glm4v_moe, fp8": ("glm4v_moe", quantise.fp8),
    "glm4v_moe, fp8 by blocks": ("glm4v_moe", quantise.fp8_block),
    "glm4v_moe, fp8 by small blocks": ("glm4v_moe", partial(quantise.fp8_block, size=(64, 48))),
    "glm4v_moe, awq": ("glm4v_moe", partial(quantise.awq, group=8)),
    "glm4v_moe, packed": ("glm4v_moe", partial(quantise.packed, group=8)),
    "glm4v, awq": ("glm4v", quantise.awq),
    "glm4v, packed with zeros": ("glm4v", partial(quantise.packed, group=32, symmetric=False)),
    "glm4v, fp8": ("glm4v", quantise.fp8),
    "glm4_moe, fp8": ("glm4_moe", quantise.fp8),
    "glm4_moe with a guessing layer, fp8": ("glm4_moe-mtp", quantise.fp8),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("plain")
    rows = sorted({row for row, _ in CASES.values()})
    return {row: checkpoints.write(home / row, row, seed=4) for row in rows}


def _open(folder: Path, dtype: torch.dtype = torch.float32) -> GlmNetwork:
    return open_network(folder, read(folder), device=torch.device("cpu"), dtype=dtype)


def _greedy(network: GlmNetwork) -> list[int]:
    state = network.begin()
    written: list[int] = []
    logits = network.step(state, PROMPT)[-1]
    while len(written) < LENGTH:
        written.append(int(logits.argmax()))
        logits = network.step(state, written[-1:])[-1]
    return written


def _stock(model: Any, tokens: list[int]) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = model(input_ids=torch.tensor([tokens])).logits[0]
    return logits


@pytest.mark.parametrize(("row", "quantiser"), CASES.values(), ids=CASES.keys())
def test_a_quantised_model_says_what_its_plain_twin_says(
    plain: dict[str, Path], tmp_path: Path, row: str, quantiser: Quantiser
) -> None:
    folder = quantiser(plain[row], tmp_path / "small")
    stock = checkpoints.oracle(quantise.dequantised(folder, tmp_path / "twin"))
    network = _open(folder)
    written = _greedy(network)
    true = _stock(stock, PROMPT + written)
    # each token is the one that the twin would have written behind those before it
    assert written == true[len(PROMPT) - 1 : -1].argmax(-1).tolist()
    assert len(set(written)) > 8, "a model that repeats itself shows little"
    logits = network.step(network.begin(), PROMPT + written)
    torch.testing.assert_close(logits, true, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("row", "quantiser"), list(CASES.values())[:6:2], ids=list(CASES)[:6:2])
def test_bfloat16_stays_close_to_the_twin(
    plain: dict[str, Path], tmp_path: Path, row: str, quantiser: Quantiser
) -> None:
    folder = quantiser(plain[row], tmp_path / "small")
    twin = quantise.dequantised(folder, tmp_path / "twin")
    exact, rounded = _open(folder), _open(folder, torch.bfloat16)
    true = exact.step(exact.begin(), PROMPT)
    ours = _distance(rounded.step(rounded.begin(), PROMPT), true)
    theirs = _distance(_stock(checkpoints.oracle(twin, torch.bfloat16), PROMPT), true)
    assert ours <= theirs * 1.3  # no further from the truth than stock bfloat16


def _distance(logits: torch.Tensor, true: torch.Tensor) -> float:
    """Of most tokens: rounding sends a few to another expert, in any implementation."""
    return float((logits.float() - true).pow(2).mean(1).sqrt().median())
