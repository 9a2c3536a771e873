"""A short prompt read in pieces gives what the layers give one after the other: on a CPU over the
same buffers, on a GPU through the captured graphs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_glm_step import opened

from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.pieces import SIZES
from app.engine.local.network import Prompt

CUDA = torch.cuda.is_available()
NEAR = 2e-2 if CUDA else 1e-5  # halves there
LENGTHS = (2, 16, 17, 130, 512, 3)  # the longer before the shorter: nothing of them may stay


def read(network: GlmNetwork, tokens: tuple[int, ...], *, first: int) -> torch.Tensor:
    """The logits behind `first` tokens read for themselves and behind the rest, [2, V]."""
    state, prompt = network.begin(), Prompt("", tokens, tokens)
    parts = [network.read(state, prompt, first), network.read(state, prompt, len(tokens))]
    return torch.stack(parts)


@pytest.mark.parametrize(("row", "form"), [("glm4v_moe", "fp8"), ("glm4v", "plain")])
@torch.inference_mode()
def test_it_reads_what_the_layers_read(tmp_path: Path, row: str, form: str) -> None:
    dtype = torch.bfloat16 if CUDA else torch.float32
    network = opened(tmp_path, row, form, dtype=dtype)
    whole = [tuple(7 + number % 90 for number in range(5 + length)) for length in LENGTHS]
    network.text.pieces = None
    right = [read(network, tokens, first=5) for tokens in whole]
    network.text.capture()
    for tokens, wanted in zip(whole, right, strict=True):
        ours = read(network, tokens, first=5)
        assert (ours - wanted).norm() < NEAR * wanted.norm()


@torch.inference_mode()
def test_only_short_prompts_go_this_way(tmp_path: Path) -> None:
    network = opened(tmp_path, "glm4v", "plain")
    network.text.capture()
    pieces = network.text.pieces
    assert pieces is not None
    assert [pieces.take(count) for count in (1, 2, SIZES[-1], SIZES[-1] + 1)] == [
        False,
        True,
        True,
        False,
    ]
