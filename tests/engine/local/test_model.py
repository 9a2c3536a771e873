from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.engine.local.model import Loading, load, own_defaults
from app.engine.local.sampler import Choice
from app.vocabulary import EngineFault


def _said(folder: Path, **generation: object) -> Path:
    (folder / "generation_config.json").write_text(json.dumps(generation))
    return folder


def test_a_folder_without_settings_samples_as_transformers_would(tmp_path: Path) -> None:
    defaults = own_defaults(tmp_path, context=99, ends=[])
    assert (defaults.choice, defaults.context, defaults.ends) == (Choice(), 99, frozenset())


def test_all_that_names_an_end_is_heard(tmp_path: Path) -> None:
    folder = _said(tmp_path, eos_token_id=[3, 4])
    assert own_defaults(folder, context=9, ends=[4, None, [7, 8]]).ends == {3, 4, 7, 8}


def test_how_to_choose_is_read_as_it_is_written(tmp_path: Path) -> None:
    folder = _said(tmp_path, temperature=0.7, top_p=0.8, top_k=5, min_p=0.05)
    choice = own_defaults(folder, context=9, ends=[]).choice
    assert choice == Choice(temperature=0.7, top_p=0.8, top_k=5, min_p=0.05)


def test_settings_that_are_no_json_are_no_settings(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text("[1, 2")
    assert own_defaults(tmp_path, context=9, ends=[]).max_tokens == 2048


def _adapter(folder: Path, base: str) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    return folder


def test_an_adapter_without_its_model_says_which_one_it_wants(tmp_path: Path) -> None:
    folder = _adapter(tmp_path / "mine", "zai-org/GLM-4.5V")
    with pytest.raises(EngineFault, match=r"adapter for the model “zai-org/GLM-4\.5V”") as caught:
        load(Loading("mine", folder, gpus=0))
    assert caught.value.kind == "no_model"


def test_an_adapters_model_is_found_beside_it(tmp_path: Path) -> None:
    """Found: what is wrong then is the model and not that there is none."""
    base = tmp_path / "GLM-4.5V"
    base.mkdir()
    (base / "config.json").write_text('{"model_type": "no such kind"}')
    folder = _adapter(tmp_path / "mine", "zai-org/GLM-4.5V")
    with pytest.raises(EngineFault, match="no such kind"):
        load(Loading("mine", folder, gpus=0))
