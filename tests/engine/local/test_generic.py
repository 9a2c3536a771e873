from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.generic import Loading, Model, load
from app.engine.local.sampler import Choice
from app.vocabulary import EngineFault


def _copied(source: Path, place: Path, **generation: object) -> Path:
    shutil.copytree(source, place)
    (place / "generation_config.json").write_text(json.dumps(generation))
    return place


def test_a_folders_own_defaults_are_used(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _copied(
        tiny_folder, tmp_path / "m", temperature=0.7, top_p=0.8, top_k=5, eos_token_id=[3, 4]
    )
    defaults = load(Loading("m", folder, gpus=0)).defaults
    assert defaults.choice == Choice(temperature=0.7, top_p=0.8, top_k=5)
    assert defaults.ends >= {3, 4}


def test_a_folders_own_ways_to_end_and_vary_an_answer_are_used(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = _copied(
        tiny_folder, tmp_path / "m", word_penalty=1.3, repeat_limit=9, stop_strings=["\nQ:"]
    )
    defaults = load(Loading("m", folder, gpus=0)).defaults
    assert (defaults.choice.word_penalty, defaults.repeat) == (1.3, 9)
    assert defaults.stop == ("\nQ:",)


def test_a_folder_that_does_not_sample_takes_the_likeliest(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = _copied(tiny_folder, tmp_path / "m", do_sample=False, temperature=0.7)
    assert load(Loading("m", folder, gpus=0)).defaults.choice.temperature == 0


def test_the_context_can_be_lowered_and_not_raised(tiny_folder: Path) -> None:
    assert load(Loading("m", tiny_folder, gpus=0, context=50)).defaults.context == 50
    assert load(Loading("m", tiny_folder, gpus=0, context=5000)).defaults.context == 128


def test_damaged_weights_are_one_sentence_that_names_the_folder(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(EngineFault, match="may be damaged") as caught:
        load(Loading("m", folder, gpus=0))
    assert str(folder) in caught.value.message


def test_more_gpus_than_there_are_is_one_sentence(tiny_folder: Path) -> None:
    with pytest.raises(EngineFault, match="--gpus asks for 99"):
        load(Loading("m", tiny_folder, gpus=99))


@pytest.mark.slow
def test_the_built_in_model_gives_nearly_the_same_logits_packed(built_in: Path) -> None:
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    model: Model = load(Loading("built-in", built_in, gpus=0))
    prompt = model.chat.encode("The invoice number is 2026-0417 and the total due is")
    model.recall(prompt)
    ours = list(model.read(prompt))[-1].float()
    exact = AutoModelForCausalLM.from_pretrained(built_in, dtype=torch.float32)
    with torch.inference_mode():
        theirs = exact(torch.tensor([prompt])).logits[0, -1]
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.99
    assert ours.argmax() == theirs.argmax()


@pytest.mark.slow
def test_the_built_in_model_does_not_repeat_itself_endlessly(built_in: Path) -> None:
    model = load(Loading("built-in", built_in, gpus=0))
    question = "List the buttons.\nBackup Assistant\nTry again\nChoose another drive\nCancel"
    prompt = model.chat.encode(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n")
    *_, finish = generate(model, Job(tuple(prompt), 400, model.defaults.choice), lambda: False)
    assert isinstance(finish, Finish)
    assert finish.reason == "stop"
