from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoints import ROWS, write

from app.engine.local.glm import config
from app.engine.local.glm.config import Rope, understand
from app.vocabulary import EngineFault


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """config.json of each row."""
    base = tmp_path_factory.mktemp("configs")
    texts = {row: (write(base / row, row) / "config.json").read_text("utf-8") for row in ROWS}
    return {row: json.loads(text) for row, text in texts.items()}


def test_the_kinds_of_rope_are_told_apart(said: dict[str, dict[str, Any]]) -> None:
    assert understand(said["glm4v_moe"]).text.rope == Rope(12, 10000.0, (1, 2, 3))
    assert understand(said["glm4v"]).text.rope == Rope(16, 10000.0, (2, 3, 3), interleaved=True)
    assert understand(said["glm4_moe"]).text.rope == Rope(12, 10000.0)


def test_norms_experts_and_guessers_are_read(said: dict[str, dict[str, Any]]) -> None:
    dense, reading = understand(said["glm4v"]).text, understand(said["glm4_moe"]).text
    assert (dense.sandwich, dense.experts, dense.query_norm) == (True, None, False)
    assert reading.query_norm
    assert not reading.sandwich
    assert reading.experts is not None
    assert (reading.experts.groups, reading.experts.kept, reading.experts.scale) == (2, 1, 2.5)
    assert (reading.guessers, understand(said["glm4_moe-mtp"]).text.guessers) == (0, 1)


def test_a_reading_model_has_no_vision(said: dict[str, dict[str, Any]]) -> None:
    assert understand(said["glm4_moe"]).vision is None
    vision = understand(said["glm4v_moe"]).vision
    assert vision is not None
    assert (vision.depth, vision.patch, vision.merge) == (2, 14, 2)


def test_the_flat_form_of_older_checkpoints_means_the_same(said: dict[str, dict[str, Any]]) -> None:
    nested = said["glm4v"]
    flat = {**nested["text_config"], **{k: v for k, v in nested.items() if k != "text_config"}}
    assert understand(flat) == understand(nested)


def test_a_width_that_is_left_out_comes_from_the_heads(said: dict[str, dict[str, Any]]) -> None:
    assert understand(said["glm4v"]).text.width == 128 // 4
    assert understand(said["glm4v_moe"]).text.width == 24  # said, and other than 144 // 4


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "glm5_next"},
        {"text_config": {"model_type": "llama"}},
        {"text_config": {"hidden_act": "gelu"}},
        {"text_config": {"rope_scaling": {"rope_type": "yarn", "factor": 2}}},
        {"text_config": {"rope_scaling": {"mrope_section": [8, 12, 12]}}},
        {"vision_config": {"hidden_act": "relu"}},
    ],
)
def test_what_the_engine_does_not_know_is_refused_in_words(
    said: dict[str, dict[str, Any]], change: dict[str, Any]
) -> None:
    changed = dict(said["glm4v_moe"])
    for key, value in change.items():
        changed[key] = {**changed[key], **value} if isinstance(value, dict) else value
    with pytest.raises(EngineFault) as fault:
        understand(changed)
    assert fault.value.kind == "unsupported"
    assert "choose another model" in fault.value.message


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", '{"model_type": "glm4v"}', '{"model_type": "glm4_moe", "hidden_size": "x"}'],
)
def test_a_config_that_is_no_config_is_called_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(EngineFault) as fault:
        config.read(tmp_path)
    assert fault.value.kind == "damaged"


def test_a_folder_without_a_config_is_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match="config"):
        config.read(tmp_path)


# --- on several GPUs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heads", "numbers"),
    [
        ((96, 8), [1, 2, 4, 8]),  # GLM-4.5V
        ((32, 2), [1, 2, 4, 8]),  # GLM-4.1V-9B: on four, two keep the same key head
        ((12, 4), [1, 2, 4]),
        ((15, 3), [1, 3]),
        ((7, 7), [1, 7]),
        ((4, 4), [1, 2, 4]),
    ],
    ids=str,
)
def test_heads_say_how_many_gpus_can_share_them_out(
    said: dict[str, dict[str, Any]], heads: tuple[int, int], numbers: list[int]
) -> None:
    text = replace(understand(said["glm4v"]).text, heads=heads[0], key_heads=heads[1])
    assert [count for count in range(1, 9) if text.runs_on(count)] == numbers
    for count in range(1, 9):
        assert text.most_of(count) == max(number for number in numbers if number <= count)
        if count in numbers:
            config.check_gpus(text, count)
            continue
        with pytest.raises(EngineFault, match=f"not on {count}; ask for such") as caught:
            config.check_gpus(text, count)
        assert caught.value.kind == "unsupported"
        assert f"or {numbers[-1]} GPUs" in caught.value.message


def test_gpus_share_out_key_heads_or_keep_the_same_one(said: dict[str, dict[str, Any]]) -> None:
    text = replace(understand(said["glm4v_moe"]).text, heads=32, key_heads=2)
    assert [text.key_heads_of(count) for count in (1, 2, 4, 8)] == [2, 1, 1, 1]
