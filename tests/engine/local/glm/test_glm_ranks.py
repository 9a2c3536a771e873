"""Every row, shared out among two and four ranks over gloo: each writes what one writes alone.

One set of processes does all of it, for each of them takes seconds to begin."""

from __future__ import annotations

from pathlib import Path

import pytest
import quantise
import torch
from checkpoints import ROWS, write
from torch import multiprocessing

from app.engine.local.glm import config
from app.engine.local.glm.mtp import GlmDrafter
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.opening import open_network
from app.engine.local.glm.state import GlmState
from app.engine.local.network import Prompt
from app.engine.local.ranks.group import ALONE, Group

CPU = torch.device("cpu")
CLOSE = 1e-4  # of two logits in 32 bits
WORDS = tuple(range(40, 90))
PROMPT = Prompt("", WORDS, WORDS)
UNEVEN = 331  # words that neither two nor four ranks can share out evenly
LONG = (*ROWS, "fp8", "packed")  # for 64 tokens
SHORT = ("fp8 by blocks", "awq", "uneven")  # for 16
GROUPS = {2: ROWS, 4: (*LONG, *SHORT)}  # what is asked of how many ranks
RANKS = [(2, 0), (2, 1), (4, 0), (4, 3)]
ASKED = [(rank, name) for rank in RANKS for name in GROUPS[rank[0]]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Said = dict[str, tuple[list[int], torch.Tensor]]  # by folder: tokens, and their logits [T, V]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("rows")
    made = {row: write(base / row, row) for row in ROWS}
    moe, dense = made["glm4v_moe"], made["glm4v"]
    made["fp8"] = quantise.fp8(moe, base / "fp8")
    made["fp8 by blocks"] = quantise.fp8_block(moe, base / "fp8_block")
    made["packed"] = quantise.packed(dense, base / "packed", group=64)
    made["awq"] = quantise.awq(dense, base / "awq", group=64)
    made["uneven"] = write(base / "uneven", "glm4v_moe", text={"vocab_size": UNEVEN})
    return made


@pytest.fixture(scope="module")
def said(
    folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[int, int], Said]:
    """What each rank of each group says; that of one is (1, 0)."""
    target = tmp_path_factory.mktemp("said")
    multiprocessing.spawn(_speak, (folders, target), nprocs=4)
    found = {rank: torch.load(target / f"{rank}.pt") for rank in RANKS}
    return {(1, 0): _said(folders, ALONE), **found}


def _speak(rank: int, folders: dict[str, Path], target: Path) -> None:
    torch.set_num_threads(1)
    for count, names in GROUPS.items():
        if rank < count:
            group = Group.join(rank, count, device=CPU, address=target / f"meeting of {count}")
            asked = {name: folders[name] for name in names}
            torch.save(_said(asked, group), target / f"{count, rank}.pt")
            group.barrier()
            group.close()


def _said(folders: dict[str, Path], group: Group) -> Said:
    return {
        name: _written(_opened(folder, group), 64 if name in LONG else 16)
        for name, folder in folders.items()
    }


def _opened(folder: Path, group: Group = ALONE) -> GlmNetwork:
    return open_network(folder, config.read(folder), device=CPU, dtype=torch.float32, group=group)


def _written(network: GlmNetwork, count: int) -> tuple[list[int], torch.Tensor]:
    """The likeliest tokens, and the logits that they were chosen by; behind them what the guessing
    layer guessed, where there is one."""
    state = network.begin()
    while state.length < len(WORDS):
        rows = [network.read(state, PROMPT, 20)]
    tokens = [int(rows[0].argmax())]
    while len(tokens) < count:
        rows.append(network.step(state, tokens[-1:])[-1])
        tokens.append(int(rows[-1].argmax()))
    return tokens + _guessed(network, state, tokens), torch.stack(rows)


def _guessed(network: GlmNetwork, state: GlmState, tokens: list[int]) -> list[int]:
    drafter = network.drafter(state)
    return list(drafter.propose(tokens)) if isinstance(drafter, GlmDrafter) else []


@pytest.mark.parametrize(("rank", "name"), ASKED, ids=str)
def test_each_rank_of_several_writes_what_one_alone_does(
    said: dict[tuple[int, int], Said], rank: tuple[int, int], name: str
) -> None:
    tokens, logits = said[rank][name]
    alone, true = said[1, 0][name]
    assert tokens == alone
    torch.testing.assert_close(logits, true, atol=CLOSE, rtol=0)


@pytest.mark.parametrize("count", GROUPS)
def test_all_ranks_have_the_same_bits(said: dict[tuple[int, int], Said], count: int) -> None:
    for name in GROUPS[count]:
        first, last = (said[count, rank][name][1] for rank in (0, count - 1))
        assert torch.equal(first, last)
