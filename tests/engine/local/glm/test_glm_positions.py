from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import KINDS, oracle, write
from conversations import Film, Part, Picture, Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenisers import numbers

from app.engine.local.glm.positions import positions
from app.engine.local.glm.prompt import next_position

ROW = "glm4v_moe"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("positions") / ROW, ROW)


@pytest.fixture(scope="module")
def stock(folder: Path) -> Any:
    return oracle(folder).model


def counted(stock: Any, writer: Writer) -> torch.Tensor:
    """The ids [3, T] as transformers has them, and its delta checked against ours."""
    ids = torch.tensor([writer.tokens])
    given_ids, delta = stock.get_rope_index(ids, **writer.counted())
    assert int(delta) == next_position(writer.prompt()) - len(writer.tokens)
    return given_ids[:, 0]


@pytest.mark.parametrize(
    "parts",
    [
        ("only words",),
        (Picture(100, 180), "what is it?"),
        ("these:", Picture(30, 300, 1), Picture(400, 28, 2), "and", Picture(112, 112, 3), "?"),
        (Film(6, 100, 150), "what happens?"),
        ("a", Picture(90, 200), Film(4, 60, 160), "b", Picture(60, 60), Film(2, 120, 90)),
    ],
    ids=["text", "picture", "three pictures", "video", "pictures and videos"],
)
def test_positions_are_those_of_transformers(
    folder: Path, stock: Any, parts: tuple[Part, ...]
) -> None:
    writer = Writer(numbers(KINDS[ROW]), folder).say(*parts)
    assert torch.equal(writer.prompt().positions, counted(stock, writer))


def test_new_pictures_in_a_later_turn_stand_where_transformers_has_them(
    folder: Path, stock: Any
) -> None:
    writer = Writer(numbers(KINDS[ROW]), folder)
    for turn in range(5):
        writer.say(f"turn {turn}", Picture(80 + 30 * turn, 150, turn), Film(2, 90, 90, turn))
        assert torch.equal(writer.prompt().positions, counted(stock, writer))
        writer.answer(b"an answer")


grids = st.tuples(st.just(1), st.integers(1, 5), st.integers(1, 5)).map(
    lambda grid: (1, 2 * grid[1], 2 * grid[2])
)


@given(st.lists(st.tuples(st.integers(1, 4), grids), max_size=6), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_any_order_of_text_and_pictures_is_counted_as_in_transformers(
    stock: Any, runs: list[tuple[int, tuple[int, int, int]]], end: int
) -> None:
    kinds: list[int] = []
    spans: list[tuple[int, tuple[int, int, int]]] = []
    for text, grid in runs:
        kinds += [0] * text
        spans.append((len(kinds), grid))
        kinds += [1] * (grid[1] * grid[2] // 4)
    kinds += [0] * end
    shown = torch.tensor([grid for _, grid in spans]) if spans else None
    ids, _ = stock.get_rope_index(
        torch.zeros(1, len(kinds), dtype=torch.int64),
        torch.tensor([kinds], dtype=torch.int32),
        image_grid_thw=shown,
    )
    assert torch.equal(positions(len(kinds), spans, 2), ids[:, 0])


@pytest.mark.parametrize("spans", [[(0, (1, 4, 4)), (2, (1, 4, 4))], [(1, (1, 4, 4))]])
def test_pictures_that_overlap_or_hang_over_the_end_are_refused(
    spans: list[tuple[int, tuple[int, int, int]]],
) -> None:
    with pytest.raises(ValueError, match="picture"):
        positions(4, spans, 2)
