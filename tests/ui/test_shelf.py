from __future__ import annotations

import json
from pathlib import Path

import pytest
from folders_of_models import adapter, checkpoint, half

from app.engine.models import DEFAULT
from app.ui.shelf import adopt, known, read
from app.vocabulary import EngineFault


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    return folder


def refusal(path: Path, data: Path) -> str:
    with pytest.raises(EngineFault) as refused:
        adopt(path, data)
    return refused.value.message


def test_the_shelf_holds_each_model_and_marks_the_chosen_one(models: Path) -> None:
    checkpoint(models / "seer", vision_config={})
    checkpoint(models / "reader")
    shelf = read(models.parent, "seer")
    rows = {listed.called: listed for listed in shelf.models if listed.called != DEFAULT}
    assert list(rows) == ["reader", "seer"]
    assert (rows["seer"].chosen, rows["reader"].chosen) == (True, False)
    assert rows["seer"].model.sees_pictures
    assert (shelf.folder, shelf.wrong) == (models, "")


def test_a_model_that_lies_elsewhere_is_listed_while_it_is_chosen(
    models: Path, tmp_path: Path
) -> None:
    path = checkpoint(tmp_path / "far" / "mine")
    chosen = [listed for listed in read(models.parent, str(path)).models if listed.chosen]
    assert [(one.called, one.model.name) for one in chosen] == [(str(path), "mine")]


def test_a_chosen_model_that_is_gone_is_said(models: Path) -> None:
    shelf = read(models.parent, "gone")
    assert "There is no model “gone” here" in shelf.wrong
    assert not any(listed.chosen for listed in shelf.models)


def test_an_unfinished_download_is_on_the_shelf(models: Path) -> None:
    half(models, "big", "owner/Big")
    found = read(models.parent, DEFAULT).halves
    assert [(one.name, one.asked, one.done, one.bytes) for one in found] == [
        ("big", "owner/Big", 3000, 4000)
    ]


def test_an_adapter_knows_whether_its_base_is_here(models: Path) -> None:
    checkpoint(models / "base")
    adapter(models / "with", base="owner/base")
    adapter(models / "without", base="owner/other")
    rows = {listed.called: listed for listed in read(models.parent, "base").models}
    assert (rows["with"].base, rows["with"].lost) == ("base", False)
    assert (rows["without"].base, rows["without"].lost) == ("other", True)


def test_a_folder_among_the_models_is_called_by_its_name(models: Path, tmp_path: Path) -> None:
    assert adopt(checkpoint(models / "near"), models.parent) == "near"
    far = checkpoint(tmp_path / "far")
    assert adopt(far, models.parent) == str(far)


def test_a_folder_that_is_no_model_is_refused_in_a_sentence(models: Path, tmp_path: Path) -> None:
    assert refusal(tmp_path, models.parent) == (
        f"The folder {tmp_path} holds no model: it has no config.json."
    )


def test_a_model_that_is_cut_short_is_refused_with_the_name_of_the_file(
    models: Path, tmp_path: Path
) -> None:
    folder = checkpoint(tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-3])
    assert "model.safetensors" in refusal(folder, models.parent)
    assert "cut short" in refusal(folder, models.parent)


def test_an_adapter_without_its_base_is_refused_with_the_way_to_get_it(
    models: Path, tmp_path: Path
) -> None:
    folder = adapter(tmp_path / "lora", base="owner/base")
    assert refusal(folder, models.parent) == (
        "“lora” is an adapter for owner/base, which is not on this machine. "
        "`sightline models get owner/base` fetches it."
    )


TEMPLATE = "{% if enable_thinking %}<think>{% endif %}</think>"


@pytest.mark.parametrize(
    ("words", "thinks"),
    [
        ({}, False),
        ({"chat_template.jinja": TEMPLATE}, True),
        ({"chat_template.json": json.dumps({"chat_template": TEMPLATE})}, True),
        ({"tokenizer_config.json": json.dumps({"chat_template": TEMPLATE})}, True),
        ({"chat_template.jinja": "</think> always"}, False),
        ({"chat_template.jinja": "enable_thinking alone"}, False),
        (
            {
                "chat_template.jinja": "{{ enable_thinking }}",
                "tokenizer.json": json.dumps({"added_tokens": [{"content": "</think>"}]}),
            },
            True,
        ),
    ],
)
def test_thinking_can_be_switched_where_the_template_and_its_tags_say_so(
    models: Path, words: dict[str, str], thinks: bool
) -> None:
    checkpoint(models / "m", words=words)
    assert known("m", models.parent).thinks is thinks


def test_an_adapter_thinks_as_its_base_does(models: Path) -> None:
    checkpoint(models / "base", words={"chat_template.jinja": TEMPLATE}, vision_config={})
    adapter(models / "lora", base="owner/base")
    found = known("lora", models.parent)
    assert (found.name, found.sees_pictures, found.thinks) == ("lora", True, True)


def test_of_a_model_that_is_not_here_only_the_name_is_known(models: Path) -> None:
    found = known("owner/gone", models.parent)
    assert (found.name, found.sees_pictures, found.thinks) == ("gone", False, False)
