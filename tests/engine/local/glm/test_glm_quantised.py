from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import quantise
import torch
from checkpoints import KINDS, oracle, write
from conversations import Film, Picture, Writer
from tokenisers import numbers

from app.engine.local.glm import config
from app.engine.local.glm.load import open_network
from app.engine.local.network import Prompt

Quantise = Callable[[Path, Path], Path]

CLOSE = 1e-4  # weight-only: the numbers are those of the plain twin, added up in another order
COUNT = 64


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ("glm4v_moe", quantise.fp8),
        ("glm4v_moe", quantise.fp8_block),  # no dimension is a multiple of 128
        ("glm4v_moe", lambda folder, target: quantise.packed(folder, target, group=8)),
        ("glm4v", quantise.fp8),
        ("glm4v", quantise.awq),
        ("glm4v", quantise.packed),
        ("glm4_moe", quantise.fp8),
        ("glm4_moe-mtp", quantise.fp8),
    ],
    ids=["moe-fp8", "moe-block", "moe-int4", "fp8", "awq", "int4", "text-fp8", "mtp-fp8"],
)
def test_a_quantised_model_writes_what_its_plain_twin_writes(
    tmp_path: Path, row: str, form: Quantise
) -> None:
    folder = form(write(tmp_path / "plain", row), tmp_path / "small")
    stock = oracle(quantise.dequantised(folder, tmp_path / "twin"))
    network = open_network(
        folder, config.read(folder), device=torch.device("cpu"), dtype=torch.float32
    )
    writer = Writer(numbers(KINDS[row]), folder)
    prompt: Prompt
    if row.startswith("glm4v"):
        seen = Picture(90, 300, 1), "and", Film(2, 60, 90, 2), "Compare."
        prompt = writer.say(*seen).prompt()
    else:
        tokens = tuple(writer.say("What is this?").tokens)
        prompt = Prompt("", tokens, tokens)
    state = network.begin()
    rows = [network.read(state, prompt, 10_000)]
    while len(rows) < COUNT:
        rows.append(network.step(state, [int(rows[-1].argmax())])[-1])
    said = stock.generate(
        **writer.stock(),
        max_new_tokens=COUNT,
        min_new_tokens=COUNT,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    theirs = torch.stack(said.logits)[:, 0]
    torch.testing.assert_close(torch.stack(rows), theirs, atol=CLOSE, rtol=0)
    written = said.sequences[0, len(prompt.tokens) :]
    assert torch.equal(torch.stack(rows).argmax(-1), written)
