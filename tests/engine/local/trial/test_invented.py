"""Weights that are made as they are asked for: the real code above them, no files below."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from app.engine.headers import contents
from app.engine.local.generate import Finish, Job, generate
from app.engine.local.model import Loading, load
from app.engine.local.sampler import Choice
from app.engine.local.trial.active import active
from app.engine.local.trial.asked import screenshot, spread, text
from app.engine.local.trial.made import write
from app.engine.local.trial.size import MODELS, described, kind_of
from app.engine.local.weights.invented import Invented, Steady, shards_for
from app.engine.local.weights.opened import Weights
from app.engine.local.weights.share import Share
from app.engine.request.turn import Turn

CPU = torch.device("cpu")
LAYER = "model.language_model.layers.1"


def opened(folder: Path, share: Share | None = None) -> Weights:
    return Weights.open(
        folder,
        device=CPU,
        dtype=torch.float32,
        say=lambda *_: None,
        share=share or Share(),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("invented") / "big"
    write(place, "4.5v-fp8", small=True)
    return place


def test_a_checkpoint_of_the_real_size_takes_no_disk(tmp_path: Path) -> None:
    size = write(tmp_path, "4.5v-fp8")
    file = tmp_path / "model.safetensors"
    assert 109e9 < size < file.stat().st_size
    assert file.stat().st_blocks * 512 < 16e6
    assert sum(header.bytes for header in contents(tmp_path).values()) == size


def test_the_same_name_has_the_same_numbers_each_time(folder: Path) -> None:
    name = f"{LAYER}.self_attn.o_proj"
    with opened(folder) as one, opened(folder) as other:
        assert torch.equal(
            one.linear(name).dense(torch.float32), other.linear(name).dense(torch.float32)
        )
        another = one.linear(f"{LAYER}.mlp.shared_experts.down_proj").dense(torch.float32)
        assert not torch.equal(another[:, :8], one.linear(name).dense(torch.float32)[:, :8])


def test_the_shares_of_two_ranks_make_up_the_whole(folder: Path) -> None:
    prefix = f"{LAYER}.mlp.experts"
    with opened(folder) as weights:
        whole = weights.experts(prefix, 16).down.dense(torch.float32)
    parts = []
    for rank in range(2):
        with opened(folder, Share(rank, 2)) as weights:
            parts.append(weights.experts(prefix, 16).down.dense(torch.float32))
    assert torch.equal(torch.cat(parts, -1), whole)


def test_eight_bit_numbers_are_finite_and_keep_the_size_of_what_goes_in(folder: Path) -> None:
    with opened(folder) as weights:
        layer = weights.linear(f"{LAYER}.self_attn.v_proj")
    x = torch.randn(64, layer.in_features)
    y = layer.with_bias(None)(x)
    assert y.isfinite().all()
    assert 0.7 < float(y.std()) < 1.5


def test_only_a_folder_that_says_so_is_invented(folder: Path, tmp_path: Path) -> None:
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for value, kind in ((True, Invented), ("steady", Steady)):
        (tmp_path / "config.json").write_text(json.dumps(said | {"invented": value}))
        assert shards_for(tmp_path) is kind
    del said["invented"]
    (tmp_path / "config.json").write_text(json.dumps(said))
    assert not issubclass(shards_for(tmp_path), Invented)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_of_each_kind_answers(model: str, tmp_path: Path) -> None:
    write(tmp_path, model, small=True)
    loaded = load(Loading("trial", tmp_path, gpus=0))
    prompt = loaded.chat.prompt((Turn("user", (text(40, 1),)),), {})
    *_, finish = generate(loaded, Job(prompt, 2, Choice()), lambda: False)
    assert len(prompt.tokens) == 40
    assert isinstance(finish, Finish)


def test_other_words_leave_the_marks_and_the_pictures(folder: Path) -> None:
    chat = load(Loading("trial", folder, gpus=0)).chat
    prompt = chat.prompt((screenshot(1),), {})
    other = spread(prompt, 1)
    kept = [a == b for a, b in zip(prompt.tokens, other.tokens, strict=True)]
    assert kept.count(False) >= 15
    assert all(same for same, token in zip(kept, prompt.tokens, strict=True) if token > 1000)


def test_a_token_of_the_real_model_reads_what_its_makers_say() -> None:
    for model, least, most in (("4.5v-fp8", 13.0e9, 13.6e9), ("9b-bf16", 17.5e9, 17.7e9)):
        config = described(model)
        assert least < active(config, kind_of(model), ranks=1, context=0) < most
        shared = active(config, kind_of(model), ranks=4, context=0)
        assert shared < most / 3.8
