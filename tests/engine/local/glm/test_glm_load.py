from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from checkpoints import ROWS, write
from PIL import Image

from app.engine.local.generate import Finish, Job, Piece, generate
from app.engine.local.model import Loading, Model, load
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice
from app.engine.request.turn import Turn
from app.vocabulary import EngineFault, Frame, Source

GREEDY = Choice(temperature=0.0)


def picture(width: int, height: int) -> Frame:
    held = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(held, "PNG")
    source = Source("picture", "gradient.png")
    return Frame(held.getvalue(), "image/png", width, height, source)


def opened(folder: Path, **options: int) -> Model:
    return load(Loading("tiny", folder, gpus=0, dtype=torch.float32, **options))


def answer(model: Model, *turns: Turn, **options: bool) -> tuple[str, Finish]:
    job = Job(model.chat.prompt(turns, {}), 40, GREEDY, **options)
    pieces = list(generate(model, job, lambda: False))
    finish = pieces[-1]
    assert isinstance(finish, Finish)
    return "".join(piece.text for piece in pieces if isinstance(piece, Piece)), finish


@pytest.fixture(params=ROWS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / request.param, request.param)


def test_every_row_is_loaded_and_answers(folder: Path) -> None:
    text, finish = answer(opened(folder), Turn("user", ("What is this?",)))
    assert len(text) == 40
    assert finish.usage.completion == 40


def test_a_follow_up_about_the_same_pictures_reads_only_what_is_new(tmp_path: Path) -> None:
    model = opened(write(tmp_path / "glm4v", "glm4v"))
    pages = tuple(picture(90 + 40 * page, 120) for page in range(3))
    question = Turn("user", (*pages, "Compare."))
    text, _ = answer(model, question)
    told = (question, Turn("assistant", (text,)), Turn("user", ("And now?",)))
    after, finish = answer(model, *told)
    whole = len(model.chat.prompt(told, {}).tokens)
    assert finish.usage.cached > whole - 60
    fresh, _ = answer(opened(tmp_path / "glm4v"), *told)
    assert after == fresh


def test_guesses_do_not_change_an_answer(tmp_path: Path) -> None:
    model = opened(write(tmp_path / "mtp", "glm4_moe-mtp"))
    question = Turn("user", ("What is this?",))
    guessed, _ = answer(model, question, draft=True)
    plain, _ = answer(model, question, draft=False)
    assert guessed == plain


def test_the_ends_and_the_context_are_the_checkpoints(tmp_path: Path) -> None:
    folder = write(tmp_path / "glm4v", "glm4v")
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = opened(folder, context=100)
    assert model.defaults.ends == frozenset(said["text_config"]["eos_token_id"])
    assert len(model.defaults.ends) == 4  # the end of an answer too
    assert model.defaults.context == 100
    assert opened(folder).defaults.context == 8192


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "half", "glm4v_moe")
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(EngineFault, match="model-00002-of-00003") as fault:
        opened(folder)
    assert fault.value.kind == "damaged"


# --- over several devices -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_shared_out_answers_as_one_alone(tmp_path: Path) -> None:
    folder = write(tmp_path / "glm4v_moe", "glm4v_moe")
    question = Turn("user", (picture(90, 120), "What is this?"))
    alone, _ = answer(opened(folder), question)
    model = opened(folder, ranks=2)
    assert isinstance(model.network, Spread)
    try:
        text, _ = answer(model, question)
        assert model.defaults.context == 8192
        assert model.network.token_bytes == 2 * 3 * 1 * 24 * 4  # one key head of two
    finally:
        model.network.close()
    assert text == alone


def test_a_number_of_gpus_that_does_not_divide_the_heads_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "glm4v", "glm4v")
    with pytest.raises(EngineFault, match="on 1, 2 or 4 GPUs, not on 3; ask for") as fault:
        opened(folder, ranks=3)
    assert fault.value.kind == "unsupported"


def test_more_gpus_than_there_are_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "glm4v", "glm4v")
    with pytest.raises(EngineFault, match="--gpus asks for 64") as fault:
        load(Loading("tiny", folder, gpus=64))
    assert fault.value.kind == "engine_failed"
