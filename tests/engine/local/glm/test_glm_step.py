"""One token by the fused kernels weighs what the reference weighs: through Triton's interpreter
where there is no GPU, through the captured graph where there is one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from checkpoints import write
from quantise import fp8, packed

from app.engine.local.glm import config
from app.engine.local.glm.load import open_network
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.step import Step
from app.engine.local.network import Prompt
from app.engine.local.sampler import Choice, Drawing

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TEXT = tuple(range(40, 77))
SAID = (44, 90, 41) if DEVICE.type == "cpu" else (44, 90, 41, 60, 60)  # the interpreter is slow
NEAR = 2e-3  # kernels may multiply in half precision, and add in single
FORMS: dict[str, Callable[[Path, Path], object] | None] = {
    "plain": None,
    "fp8": fp8,
    "packed": partial(packed, group=32),
}
CASES = [("glm4v_moe", "plain"), ("glm4v_moe", "fp8"), ("glm4v", "fp8"), ("glm4v", "packed")]


def opened(
    home: Path, row: str, form: str, *, dtype: torch.dtype = torch.float32, **text: object
) -> GlmNetwork:
    text["num_hidden_layers"] = 2
    if row != "glm4v":
        text["moe_intermediate_size"] = 48  # rows of whole 16 bytes
    folder = write(home / "plain", row, text=text)
    if make := FORMS[form]:
        folder = home / form
        make(home / "plain", folder)
    said = config.read(folder)
    return open_network(folder, said, device=DEVICE, dtype=dtype)


def stepped(network: GlmNetwork) -> Step:
    step = Step.open(network.text)
    assert step is not None
    return step


@pytest.mark.parametrize(("row", "form"), CASES)
@torch.inference_mode()
def test_it_weighs_what_the_reference_weighs(tmp_path: Path, row: str, form: str) -> None:
    network = opened(tmp_path, row, form)
    network.stepper = None
    here, there = network.begin(), network.begin()
    for state in (here, there):
        network.read(state, Prompt("", TEXT, TEXT), len(TEXT))
    step = stepped(network)
    for token in SAID:
        right = network.step(there, (token,))[0]
        ours = step.logits(here, token)
        assert here.length == there.length
        assert (ours - right).norm() < NEAR * right.norm()


@torch.inference_mode()
def test_it_goes_on_by_itself(tmp_path: Path) -> None:
    network = opened(tmp_path, "glm4v_moe", "plain")
    network.stepper = None
    here, there = network.begin(), network.begin()
    for state in (here, there):
        network.read(state, Prompt("", TEXT, TEXT), len(TEXT))
    network.stepper = stepped(network)
    chain = network.chain(here, SAID[0], Drawing(Choice(), 3))
    assert chain is not None
    told = [chain.next() for _ in range(4)]
    network.stepper = None
    token, right = SAID[0], []
    for _ in range(3):
        token = int(network.step(there, (token,))[0].argmax())
        right.append(token)
    assert told == [*right, None]


def test_a_choice_by_groups_is_left_to_the_reference(tmp_path: Path) -> None:
    assert Step.open(opened(tmp_path, "glm4_moe", "plain").text) is None


@torch.inference_mode()
def test_queries_and_keys_are_normed_where_the_model_says_so(tmp_path: Path) -> None:
    network = opened(tmp_path, "glm4_moe", "plain", n_group=1, topk_group=1)
    network.stepper = None
    here, there = network.begin(), network.begin()
    for state in (here, there):
        network.read(state, Prompt("", TEXT, TEXT), len(TEXT))
    step = stepped(network)
    for token in SAID:
        right = network.step(there, (token,))[0]
        assert (step.logits(here, token) - right).norm() < NEAR * right.norm()
