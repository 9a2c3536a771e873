"""A trial tried in small: every part tells its figure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from app.engine.local.trial.parts import parts
from app.engine.local.trial.size import MODELS, described, group_of, kind_of

PLAIN = ("9b-bf16",)


def trial(folder: Path, *given: str) -> list[dict[str, object]]:
    ran = subprocess.run(
        [sys.executable, "-m", "app.engine.local.trial", "--folder", str(folder), *given],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_part_tells_its_figures(tmp_path: Path) -> None:
    parts_ = "decode,first,follow,memory,kernels"
    said = trial(tmp_path / "m", "--model", "4.5v-fp8", "--small", "--runs", "1", "--parts", parts_)
    told = [str(figure["what"]) for figure in said]
    assert all(figure["runs"] for figure in said)
    for what in ("load", "decode at 48", "first token, 80 tokens", "memory a GPU at 65536 tokens"):
        assert what in told


@pytest.mark.parametrize("model", MODELS)
def test_the_tensors_are_those_of_transformers(model: str) -> None:
    config = described(model, small=True)
    ours = {p.name: p.shape for p in parts(config, kind_of(model), group=group_of(small=True))}
    given = {key: value for key, value in config.items() if key != "quantization_config"}
    with torch.device("meta"):
        whole = AutoModelForImageTextToText.from_config(
            AutoConfig.for_model(given.pop("model_type"), **given)
        )
    theirs = {name: tuple(tensor.shape) for name, tensor in whole.state_dict().items()}
    shared = {name for name in theirs if ".experts." not in name}
    if model in PLAIN:
        assert ours == theirs
    missing = {name for name in shared - set(ours) if not name.endswith("_proj.weight")}
    assert not missing
    for name in shared & set(ours):
        assert ours[name] == theirs[name], name
