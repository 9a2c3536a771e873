"""The trained model of drawn figures on GPUs, token by token through the captured kernels: on one,
two and four of them it says what it says on the CPU. Without a GPU there is nothing to see here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import quantise
import torch
from models.figures.talk import KINDS
from test_figures import ENOUGH, FOLDER, ask, opened, right, talks, turns

from app.engine.local.generate import Job, generate
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.model import Loading, Model, load
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

COUNTS = [count for count in (1, 2, 4) if count <= torch.cuda.device_count()]


@contextmanager
def on_gpus(folder: Path, count: int, dtype: torch.dtype = torch.bfloat16) -> Iterator[Model]:
    model = load(Loading("figures", folder, gpus=count, dtype=dtype))
    own = model.network.own if isinstance(model.network, Spread) else model.network
    assert isinstance(own, GlmNetwork)
    assert own.stepper is not None, "the kernels serve this model"
    try:
        yield model
    finally:
        if isinstance(model.network, Spread):
            model.network.close()


@pytest.mark.parametrize("count", COUNTS)
def test_it_says_what_it_says_on_the_cpu(count: int) -> None:
    asked = talks(21, KINDS, each=4)
    here = opened(FOLDER)
    with on_gpus(FOLDER, count, torch.float32) as there:
        for rounds in asked:
            assert ask(there, turns(rounds)).answer == ask(here, turns(rounds)).answer


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("form", [None, "fp8", "int4"])
def test_it_is_right_in_every_format(count: int, form: str | None, tmp_path: Path) -> None:
    folder = FOLDER
    if form == "fp8":
        folder = quantise.fp8(FOLDER, tmp_path / "small")
    if form == "int4":
        if count > 1:
            pytest.skip("a share of 32 columns has no whole words")
        folder = quantise.packed(FOLDER, tmp_path / "small", group=64)
    with on_gpus_or_reference(folder, count, form) as model:
        said = [(rounds, ask(model, turns(rounds))) for rounds in talks(22, KINDS, each=4)]
    assert right(said) >= ENOUGH


@contextmanager
def on_gpus_or_reference(folder: Path, count: int, form: str | None) -> Iterator[Model]:
    """Experts of 4 bits have no kernel: the reference reads them."""
    if form != "int4":
        with on_gpus(folder, count) as model:
            yield model
        return
    yield load(Loading("figures", folder, gpus=count, dtype=torch.bfloat16))


@pytest.mark.parametrize("count", COUNTS)
def test_an_answer_comes_out_the_same_ten_times(count: int) -> None:
    with on_gpus(FOLDER, count) as model:
        model.defaults = replace(model.defaults, ends=frozenset(), context=4096)
        prompt = model.chat.prompt(turns(talks(23, KINDS, each=1)[0]), {})
        for choice in (Choice(), Choice(1.0, seed=7)):
            job = Job(prompt, 2000, choice)
            said = {tuple(t for t in _tokens(model, job)) for _ in range(10)}
            assert len(said) == 1


def _tokens(model: Model, job: Job) -> list[str]:
    model.memory.clear()
    with torch.inference_mode():
        return [str(given) for given in generate(model, job, lambda: False)][:-1]
