"""Every row once more on a GPU: in 32 bits against the stock model on the CPU, in bfloat16 beside
the stock model on the same GPU. Without one there is nothing to see here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch
from checkpoints import KINDS, oracle, write
from conversations import Film, Part, Picture, Writer
from quantise import awq, dequantised, fp8, fp8_block, packed
from tokenisers import numbers

from app.engine.local.glm import config
from app.engine.local.glm.load import open_network
from app.engine.local.network import Network, Prompt

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

GPU = torch.device("cuda", 0)
COUNT = 64  # tokens

ASKED: dict[str, tuple[Part, ...]] = {
    "text": ("What is this thing called, love?",),
    "a picture": (Picture(150, 90, 5), "Name it."),
    "three pictures": (Picture(90, 300, 1), "and", Picture(200, 56, 2), Picture(130, 130, 3)),
    "a video": (Film(6, 100, 150, 1), "What happens?"),
    "both": ("See", Picture(80, 120, 4), Film(4, 90, 90, 5), "then", Picture(60, 200, 6), "why?"),
}
SEEING = [(name, asked) for name in ("glm4v_moe", "glm4v") for asked in ASKED]
READING = [(name, "text") for name in ("glm4_moe", "glm4_moe-mtp")]
FORMS: dict[str, Callable[[Path, Path], object]] = {
    "fp8": fp8,
    "fp8-block": fp8_block,
    "awq": partial(awq, group=8),
    "packed": partial(packed, group=8),
}


@dataclass(frozen=True)
class Row:
    """A checkpoint, and what the stock model on the CPU in 32 bits writes and weighs."""

    folder: Path
    name: str
    plain: Path  # the same weights as plain numbers

    def prompt(self, asked: str) -> Writer:
        return Writer(numbers(KINDS[self.name]), self.folder).say(*ASKED[asked])


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Row]:
    made: dict[tuple[str, str], Row] = {}

    def row(name: str, form: str = "") -> Row:
        if (name, form) not in made:
            home = tmp_path_factory.mktemp(name)
            plain = folder = write(home / "plain", name)
            if form:
                folder = home / form
                FORMS[form](plain, folder)
                plain = home / "twin"
                dequantised(folder, plain)
            made[name, form] = Row(folder, name, plain)
        return made[name, form]

    return row


def weighed(network: Network, prompt: Prompt, answer: list[int]) -> torch.Tensor:
    """Logits [T, V] behind the prompt and behind each token of an answer that is given."""
    state = network.begin()
    while state.length < len(prompt.tokens):
        last = network.read(state, prompt, 50)  # parts that end in the middle of a picture
    return torch.cat([last[None], network.step(state, answer)]).float().cpu()


def stock(row: Row, writer: Writer, *, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """What the stock model weighs behind each token of the prompt, [T, V]."""
    model = oracle(row.plain, dtype).to(device)
    said = {name: value.to(device) for name, value in writer.stock().items()}
    with torch.inference_mode():
        return model(**said).logits[0].float().cpu()


def answered(row: Row, writer: Writer) -> list[int]:
    """The stock model's greedy answer, on the CPU in 32 bits."""
    said = oracle(row.plain).generate(
        **writer.stock(), max_new_tokens=COUNT, min_new_tokens=COUNT, do_sample=False
    )
    return said[0, len(writer.tokens) :].tolist()


def ours(row: Row, dtype: torch.dtype) -> Network:
    return open_network(row.folder, config.read(row.folder), device=GPU, dtype=dtype)


@pytest.mark.parametrize(("name", "asked"), SEEING + READING)
def test_a_gpu_writes_what_transformers_writes(
    rows: Callable[..., Row], name: str, asked: str
) -> None:
    row = rows(name)
    writer = row.prompt(asked)
    answer = answered(row, writer)
    logits = weighed(ours(row, torch.float32), writer.prompt(), answer[:-1])
    assert logits.argmax(-1).tolist() == answer


@pytest.mark.parametrize(("name", "asked"), SEEING + READING)
def test_bfloat16_is_as_near_as_transformers_is(
    rows: Callable[..., Row], name: str, asked: str
) -> None:
    row = rows(name)
    writer = row.prompt(asked)
    prompt, answer = writer.prompt(), answered(row, writer)[:-1]
    near = weighed(ours(row, torch.bfloat16), prompt, answer)  # [T, V]
    writer.answer(answer)
    right = stock(row, writer, device=torch.device("cpu"), dtype=torch.float32)[-COUNT:]
    theirs = stock(row, writer, device=GPU, dtype=torch.bfloat16)[-COUNT:]
    # medians: where two experts weigh the same, rounding sends a token to one or the other
    off, their_off = ((said - right).abs().mean(-1).median() for said in (near, theirs))
    assert off <= 1.5 * their_off + 0.005


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["glm4v_moe", "glm4v"])
def test_a_gpu_reads_every_format(rows: Callable[..., Row], name: str, form: str) -> None:
    row = rows(name, form)
    writer = row.prompt("both")
    answer = answered(row, writer)
    logits = weighed(ours(row, torch.float32), writer.prompt(), answer[:-1])
    assert logits.argmax(-1).tolist() == answer
