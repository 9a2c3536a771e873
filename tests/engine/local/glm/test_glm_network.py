from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import KINDS, oracle, save, write
from conversations import Film, Part, Picture, Writer
from safetensors.torch import load_file
from tokenisers import numbers

from app.engine.local.glm import config
from app.engine.local.glm.load import open_network
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.prompt import GlmPrompt
from app.engine.local.glm.state import GlmState
from app.engine.local.network import Prompt

CLOSE = 1e-4  # of two logits in 32 bits; they are up to 5
COUNT = 64  # tokens written in a test


@dataclass(frozen=True)
class Row:
    """One small checkpoint: our network, and the stock model."""

    folder: Path
    network: GlmNetwork
    stock: Any
    marks: dict[str, int]

    def writer(self) -> Writer:
        return Writer(self.marks, self.folder)


def opened(folder: Path, row: str) -> Row:
    network = open_network(
        folder, config.read(folder), device=torch.device("cpu"), dtype=torch.float32
    )
    return Row(folder, network, oracle(folder), numbers(KINDS[row]))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Row]:
    made: dict[str, Row] = {}

    def row(name: str) -> Row:
        if name not in made:
            made[name] = opened(write(tmp_path_factory.mktemp(name) / name, name), name)
        return made[name]

    return row


def written(
    network: GlmNetwork, state: GlmState, prompt: Prompt, *, part: int = 10_000, count: int = COUNT
) -> tuple[list[int], torch.Tensor]:
    """The likeliest tokens behind a prompt that is read `part` tokens at a time, and the logits
    [T, V] that they were chosen by."""
    while state.length < len(prompt.tokens):
        last = network.read(state, prompt, part)
    rows = [last]
    tokens = [int(last.argmax())]
    while len(tokens) < count:
        rows.append(network.step(state, tokens[-1:])[-1])
        tokens.append(int(rows[-1].argmax()))
    return tokens, torch.stack(rows)


def by_stock(row: Row, writer: Writer, *, count: int = COUNT) -> tuple[list[int], torch.Tensor]:
    said = row.stock.generate(
        **writer.stock(),
        max_new_tokens=count,
        min_new_tokens=count,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    return said.sequences[0, len(writer.tokens) :].tolist(), torch.stack(said.logits)[:, 0]


def same(ours: tuple[list[int], torch.Tensor], theirs: tuple[list[int], torch.Tensor]) -> bool:
    torch.testing.assert_close(ours[1], theirs[1], atol=CLOSE, rtol=0)
    return ours[0] == theirs[0]


TEXT = ("What is this thing called, love?",)
PICTURE = (Picture(150, 90, 5), "Name it.")
PICTURES = (Picture(90, 300, 1), "and", Picture(200, 56, 2), Picture(130, 130, 3), "Compare.")
FILM = (Film(6, 100, 150, 1), "What happens?")
MIXED = ("See", Picture(80, 120, 4), Film(4, 90, 90, 5), "then", Picture(60, 200, 6), "why?")


@pytest.mark.parametrize(
    "parts",
    [TEXT, PICTURE, PICTURES, FILM, MIXED],
    ids=["text", "picture", "three pictures", "video", "pictures and video"],
)
@pytest.mark.parametrize("name", ["glm4v_moe", "glm4v"])
def test_a_seeing_model_writes_what_transformers_writes(
    rows: Callable[[str], Row], name: str, parts: tuple[Part, ...]
) -> None:
    row = rows(name)
    writer = row.writer().say(*parts)
    ours = written(row.network, row.network.begin(), writer.prompt())
    assert same(ours, by_stock(row, writer))


@pytest.mark.parametrize("name", ["glm4_moe", "glm4_moe-mtp"])
def test_a_reading_model_writes_what_transformers_writes(
    rows: Callable[[str], Row], name: str
) -> None:
    row = rows(name)
    writer = row.writer().say(*TEXT)
    prompt = Prompt("", tuple(writer.tokens), tuple(writer.tokens))
    ours = written(row.network, row.network.begin(), prompt)
    assert same(ours, by_stock(row, writer))


@pytest.mark.parametrize("part", [1, 7, 64])
def test_a_prompt_read_in_parts_is_the_same_as_read_at_once(
    rows: Callable[[str], Row], part: int
) -> None:
    row = rows("glm4v_moe")
    prompt = row.writer().say(*MIXED).prompt()
    whole = written(row.network, row.network.begin(), prompt, count=8)
    assert same(written(row.network, row.network.begin(), prompt, part=part, count=8), whole)


@pytest.mark.parametrize("name", ["glm4v_moe", "glm4v"])
def test_five_turns_over_kept_memory_are_what_transformers_writes_of_the_whole(
    rows: Callable[[str], Row], name: str
) -> None:
    row = rows(name)
    writer, state = row.writer(), row.network.begin()
    turns: Sequence[tuple[Part, ...]] = [PICTURE, TEXT, MIXED, FILM, ("And now?",)]
    for turn in turns:
        prompt = writer.say(*turn).prompt()
        ours = written(row.network, state, prompt, count=24)
        assert same(ours, by_stock(row, writer, count=24))
        writer.answer(ours[0])
        assert state.length == len(writer.tokens) - 1  # the last token written is not yet read


def test_a_conversation_wound_back_into_a_picture_goes_on_with_another_one(
    rows: Callable[[str], Row],
) -> None:
    row = rows("glm4v_moe")
    state = row.network.begin()
    written(row.network, state, row.writer().say("See", Picture(80, 160, 1), "?").prompt(), count=4)
    prompt = row.writer().say("See", Picture(80, 160, 2), Film(2, 60, 90), "?").prompt()
    assert state.keep(prompt.sights[0].start)
    ours = written(row.network, state, prompt, count=8)
    assert same(ours, written(row.network, row.network.begin(), prompt, count=8))


def test_a_conversation_cut_in_the_middle_of_a_picture_reads_the_rest_of_it(
    rows: Callable[[str], Row],
) -> None:
    row = rows("glm4v_moe")
    prompt = row.writer().say(*PICTURES).prompt()
    state = row.network.begin()
    whole = written(row.network, state, prompt, count=8)
    assert state.keep(prompt.sights[1].start + 3)
    assert same(written(row.network, state, prompt, count=8), whole)


def test_a_copy_goes_its_own_way(rows: Callable[[str], Row]) -> None:
    row = rows("glm4v_moe")
    one = row.writer().say(*PICTURE).prompt()
    state = row.network.begin()
    before = written(row.network, state, one, count=8)
    other = state.copy(len(one.tokens) - 5)
    assert other.length == len(one.tokens) - 5
    changed = GlmPrompt("", (*one.tokens[:-5], *b"no!!!"), one.keys, one.positions, one.sights)
    of_copy = written(row.network, other, changed, count=8)
    assert same(of_copy, written(row.network, row.network.begin(), changed, count=8))
    state.keep(len(one.tokens) - 1)
    assert same(written(row.network, state, one, count=8), before)


def test_guesses_that_were_wrong_leave_no_trace(rows: Callable[[str], Row]) -> None:
    row = rows("glm4v_moe")
    prompt = row.writer().say(*PICTURE).prompt()
    state = row.network.begin()
    right = written(row.network, row.network.begin(), prompt, count=12)
    row.network.read(state, prompt, 10_000)
    for done in range(0, 12, 2):
        guess = (*right[0][done : done + 2], 33, 34)  # two that are right, two that are wrong
        rows_read = row.network.step(state, guess)
        assert int(rows_read[0].argmax()) == right[0][done + 1]
        state.keep(len(prompt.tokens) + done + 2)
    assert state.length == len(prompt.tokens) + 12
    after = row.network.step(state, (35,))
    clean = row.network.begin()
    row.network.read(clean, prompt, 10_000)
    row.network.step(clean, right[0])
    torch.testing.assert_close(after, row.network.step(clean, (35,)), atol=CLOSE, rtol=0)


def test_a_picture_goes_through_the_tower_once(rows: Callable[[str], Row]) -> None:
    row = rows("glm4v_moe")
    network = open_network(
        row.folder, config.read(row.folder), device=torch.device("cpu"), dtype=torch.float32
    )
    gallery = network.gallery
    assert gallery is not None
    writer = row.writer().say(Picture(90, 90, 7), Picture(90, 90, 7), Film(4, 60, 90, 7))
    written(network, network.begin(), writer.prompt(), part=5, count=1)
    assert gallery.runs == 3
    written(network, network.begin(), writer.say("and?", Picture(70, 90)).prompt(), count=1)
    assert gallery.runs == 4


def test_pictures_over_the_limit_are_forgotten_and_seen_again(rows: Callable[[str], Row]) -> None:
    row = rows("glm4v_moe")
    network = open_network(
        row.folder,
        config.read(row.folder),
        device=torch.device("cpu"),
        dtype=torch.float32,
        gallery_bytes=10_000,
    )
    assert network.gallery is not None
    prompt = row.writer().say(*PICTURES).prompt()
    ours = written(network, network.begin(), prompt, part=16, count=4)
    assert same(ours, written(row.network, row.network.begin(), prompt, count=4))
    assert network.gallery.bytes <= 10_000
    assert network.gallery.runs > 3


def test_memory_is_reported_and_bounded(rows: Callable[[str], Row]) -> None:
    network = rows("glm4v_moe").network
    state = network.begin()
    assert (state.length, state.bytes) == (0, 0)
    network.read(state, rows("glm4v_moe").writer().say(*TEXT).prompt(), 10_000)
    needed = state.length * network.token_bytes
    assert needed <= state.bytes <= needed + 512 * network.token_bytes
    assert network.token_bytes == 2 * 3 * 2 * 24 * 4  # layers, key heads, width, float32


def test_a_model_of_the_kind_glm46v_is_read_as_transformers_reads_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "glm46v", "glm4v")
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    said |= {"model_type": "glm46v", "architectures": ["Glm46VForConditionalGeneration"]}
    said["vision_config"]["model_type"] = "glm4v_vision"
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")
    row = opened(folder, "glm4v")
    writer = row.writer().say(*PICTURES)
    ours = written(row.network, row.network.begin(), writer.prompt(), count=16)
    assert same(ours, by_stock(row, writer, count=16))


def test_positions_written_in_the_newer_form_are_read(tmp_path: Path) -> None:
    newer = {
        "rope_scaling": None,
        "rope_theta": None,
        "partial_rotary_factor": None,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 500000.0,
            "partial_rotary_factor": 0.5,
            "mrope_section": [1, 2, 3],
        },
    }
    folder = write(tmp_path / "newer", "glm4v_moe", text=newer)
    row = opened(folder, "glm4v_moe")
    writer = row.writer().say(*PICTURE)
    ours = written(row.network, row.network.begin(), writer.prompt(), count=16)
    assert same(ours, by_stock(row, writer, count=16))
    assert config.read(folder).text.rope.theta == 500000.0


def test_a_head_that_is_the_embedding_table_is_used(tmp_path: Path) -> None:
    folder = write(tmp_path / "tied", "glm4_moe", text={"tie_word_embeddings": True})
    tensors = {k: v for file in folder.glob("*.safetensors") for k, v in load_file(file).items()}
    save(folder, {name: tensors[name] for name in tensors if name != "lm_head.weight"})
    row = opened(folder, "glm4_moe")
    writer = row.writer().say(*TEXT)
    prompt = Prompt("", tuple(writer.tokens), tuple(writer.tokens))
    ours = written(row.network, row.network.begin(), prompt, count=8)
    assert same(ours, by_stock(row, writer, count=8))


@pytest.mark.parametrize("name", ["glm4v_moe", "glm4v"])
def test_16_bit_numbers_come_as_close_as_they_can(rows: Callable[[str], Row], name: str) -> None:
    row = rows(name)
    short = open_network(
        row.folder, config.read(row.folder), device=torch.device("cpu"), dtype=torch.bfloat16
    )
    prompt = row.writer().say(*PICTURES).prompt()
    full = row.network.read(row.network.begin(), prompt, 10_000)
    rounded = short.read(short.begin(), prompt, 10_000)
    assert rounded.dtype == torch.float32
    assert torch.corrcoef(torch.stack([full, rounded]))[0, 1] > 0.98
