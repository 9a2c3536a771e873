from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import KINDS, oracle, save, write
from safetensors.torch import load_file
from tokenisers import numbers

from app.engine.local.glm import config
from app.engine.local.glm.load import open_network
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.state import GlmState
from app.engine.local.network import Prompt

ROW = "glm4_moe-mtp"
COUNT = 64
MARKS = numbers(KINDS[ROW])
QUESTION = [MARKS["[gMASK]"], MARKS["<sop>"], *b"What is this thing called love?"]


def opened(folder: Path) -> GlmNetwork:
    return open_network(
        folder, config.read(folder), device=torch.device("cpu"), dtype=torch.float32
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("mtp") / ROW, ROW)


@pytest.fixture(scope="module")
def network(folder: Path) -> GlmNetwork:
    return opened(folder)


@pytest.fixture(scope="module")
def sure(tmp_path_factory: pytest.TempPathFactory) -> GlmNetwork:
    """A model that goes by the last token only, with a guessing layer that does the same."""
    folder = write(tmp_path_factory.mktemp("sure") / ROW, ROW)
    tensors = held(folder)
    for name in tensors:
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            tensors[name] = torch.zeros_like(tensors[name])
    own = "model.layers.3"
    hidden = len(tensors["model.norm.weight"])
    both = torch.cat([torch.eye(hidden), torch.zeros(hidden, hidden)], 1)
    tensors[f"{own}.eh_proj.weight"] = both.bfloat16()
    tensors[f"{own}.enorm.weight"] = torch.ones(hidden).bfloat16()
    tensors[f"{own}.shared_head.norm.weight"] = tensors["model.norm.weight"].clone()
    save(folder, tensors)
    return opened(folder)


def held(folder: Path) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
    return tensors


def prompt_of(tokens: Sequence[int]) -> Prompt:
    return Prompt("", tuple(tokens), tuple(tokens))


def plainly(network: GlmNetwork, tokens: Sequence[int], count: int = COUNT) -> list[int]:
    """The likeliest tokens behind `tokens`, one by one."""
    state = network.begin()
    last = network.read(state, prompt_of(tokens), 10_000)
    written: list[int] = []
    while len(written) < count:
        written.append(int(last.argmax()))
        last = network.step(state, written[-1:])[-1]
    return written


def guessing(
    network: GlmNetwork,
    state: GlmState,
    tokens: Sequence[int],
    count: int = COUNT,
    *,
    part: int = 10_000,
) -> tuple[list[int], int, int]:
    """The same with guesses, as generation takes them; and how many were made, and right."""
    while state.length < len(tokens):
        last = network.read(state, prompt_of(tokens), part)
    drafter = network.drafter(state)
    assert drafter is not None
    written, made, right = [int(last.argmax())], 0, 0
    while len(written) < count:
        guesses = list(drafter.propose(written))
        made += len(guesses)
        chosen = network.step(state, [written[-1], *guesses]).argmax(-1).tolist()
        for place, token in enumerate(chosen):
            written.append(token)
            if place == len(guesses) or guesses[place] != token:
                break
            right += 1
        state.keep(len(tokens) + len(written) - 1)
    return written[:count], made, right


def test_guesses_never_change_what_is_written(network: GlmNetwork) -> None:
    written, made, _ = guessing(network, network.begin(), QUESTION)
    assert written == plainly(network, QUESTION)
    assert made > COUNT // 2


def test_a_layer_that_knows_better_is_believed(sure: GlmNetwork) -> None:
    written, made, right = guessing(sure, sure.begin(), QUESTION)
    assert written == plainly(sure, QUESTION)
    assert right >= made - 1 >= COUNT // 2 - 2  # the very last guess may go over the end


@pytest.mark.parametrize("part", [1, 5])
def test_a_prompt_read_in_parts_is_guessed_from_alike(network: GlmNetwork, part: int) -> None:
    whole = guessing(network, network.begin(), QUESTION)
    assert guessing(network, network.begin(), QUESTION, part=part) == whole


def test_a_conversation_that_was_wound_back_is_guessed_again(
    network: GlmNetwork, sure: GlmNetwork
) -> None:
    for each in (network, sure):
        state = each.begin()
        guessing(each, state, QUESTION)
        other = [*QUESTION[:12], *b"other question"]
        assert state.keep(12)
        written, made, right = guessing(each, state, other)
        assert written == plainly(each, other)
        assert each is network or right >= made - 1 > 0


def test_a_conversation_goes_on_with_what_was_guessed_before(sure: GlmNetwork) -> None:
    state = sure.begin()
    tokens = list(QUESTION)
    for question in (b"", b"and then?", b"really?"):
        tokens += question
        written, made, right = guessing(sure, state, tokens, 16)
        assert written == plainly(sure, tokens, 16)
        assert right >= made - 1 > 0
        tokens += written


def test_a_copy_is_guessed_from_too(network: GlmNetwork) -> None:
    state = network.begin()
    network.read(state, prompt_of(QUESTION), 10_000)
    copied = state.copy(len(QUESTION) - 4)
    whole = guessing(network, network.begin(), QUESTION)
    written, made, _ = guessing(network, copied, QUESTION)
    assert (written, made) == (whole[0], whole[1])
    assert guessing(network, network.begin(), QUESTION) == whole


def test_a_long_answer_without_guesses_is_not_held_back_for_them(network: GlmNetwork) -> None:
    state = network.begin()
    network.read(state, prompt_of(QUESTION), 10_000)
    for _ in range(300):
        network.step(state, [40])
    assert state.trail is not None
    assert len(state.trail.tokens) <= 256
    drafter = network.drafter(state)
    assert drafter is not None
    assert len(drafter.propose([40])) == 1


def test_a_checkpoint_without_the_layer_has_nothing_to_guess_with(tmp_path: Path) -> None:
    folder = write(tmp_path / ROW, ROW)
    save(folder, {k: v for k, v in held(folder).items() if not k.startswith("model.layers.3.")})
    network = opened(folder)
    assert network.drafter(network.begin()) is None


def test_a_guess_is_that_of_transformers(tmp_path: Path) -> None:
    layers = pytest.importorskip("transformers.modeling_layers")
    caches = pytest.importorskip("transformers.cache_utils")
    if not hasattr(layers, "MtpModel"):
        pytest.skip("this transformers has no multi-token prediction")
    # it takes a guessing layer's kind from the first layer's
    folder = write(tmp_path / ROW, ROW, text={"first_k_dense_replace": 0})
    network, stock = opened(folder), oracle(folder)
    stock._keys_to_ignore_on_load_unexpected = [r"model\.layers\.3.*"]  # it knows 46 and 92 only
    guesser = layers.MtpModel.from_pretrained(stock, device_map={"": "cpu"}).eval()
    state = network.begin()
    network.read(state, prompt_of(QUESTION), 10_000)
    drafter = network.drafter(state)
    assert drafter is not None
    for token in range(40, 60):
        ours = drafter.propose([token])
        assert list(ours) == _stock_guess(stock, guesser, caches, [*QUESTION, token])


def _stock_guess(stock: Any, guesser: Any, caches: Any, tokens: list[int]) -> list[int]:
    with torch.no_grad():
        said = stock.model(torch.tensor([tokens[:-1]]))
        found, _, _ = guesser(
            input_ids=torch.tensor([tokens[1:]]),
            last_hidden_states=said.last_hidden_state,
            attention_mask=None,
            position_ids=torch.arange(1, len(tokens))[None],
            mtp_cache=caches.MtpCache(config=stock.config.get_mtp_config()),
        )
    guesses: list[int] = found[0].tolist()
    return guesses
