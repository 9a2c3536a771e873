"""Which frames of a video are shown and what time is written behind them, held against
transformers' own rules."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers.models import glm4v, glm46v
from transformers.models.glm4v.processing_glm4v import Glm4vProcessor
from transformers.models.glm46v.processing_glm46v import Glm46VProcessor
from transformers.video_utils import VideoMetadata

from app.engine.local.footage import Reel
from app.engine.local.glm.clips import sample, stamps, thinned
from app.engine.local.glm.look import Filming, Rule

RULES: list[Rule] = ["glm4v", "glm46v"]
NUMBERS = SimpleNamespace(fps=2, max_duration=300, temporal_patch_size=2)  # of both classes


def rule_of(module: ModuleType, file: str) -> Callable[..., Any]:
    """`sample_frames` cut out of transformers' own file: the file as a whole needs torchvision."""
    text = (Path(str(module.__file__)).parent / file).read_text(encoding="utf-8")
    found = next(
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == "sample_frames"
    )
    for argument in found.args.args:
        argument.annotation = None
    names: dict[str, Any] = {"np": np, "math": math}
    exec(compile(ast.Module([found], []), file, "exec"), names)
    return names["sample_frames"]  # type: ignore[no-any-return]


SAMPLERS = {
    "glm4v": rule_of(glm4v, "video_processing_glm4v.py"),
    "glm46v": rule_of(glm46v, "video_processing_glm46v.py"),
}
WRITERS = {"glm4v": Glm4vProcessor, "glm46v": Glm46VProcessor}


def theirs(rule: Rule, frames: int, fps: float) -> list[int]:
    metadata = VideoMetadata(total_num_frames=frames, fps=fps, duration=frames / fps)
    chosen: list[int] = SAMPLERS[rule](NUMBERS, metadata).tolist()
    return chosen


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(RULES),
    st.integers(1, 20_000),
    st.one_of(st.sampled_from([24000 / 1001, 25.0, 29.97, 30.0]), st.floats(0.2, 120)),
)
@example("glm4v", 1, 25.0)
@example("glm46v", 750, 25.0)
@example("glm46v", 180_000, 25.0)  # two hours
@example("glm4v", 180_000, 25.0)
def test_the_frames_are_those_that_transformers_samples(
    rule: Rule, frames: int, fps: float
) -> None:
    chosen = sample(Reel(frames, fps, 480, 640), Filming(sampling=rule))
    assert chosen == (theirs(rule, frames, fps) or [0, 0])
    assert len(chosen) % 2 == 0
    assert chosen == sorted(chosen)


@pytest.mark.parametrize(
    ("rule", "seconds", "count"),
    [
        ("glm4v", 1, 2),
        ("glm4v", 10, 20),
        ("glm4v", 300, 600),
        ("glm4v", 7200, 600),
        ("glm46v", 10, 60),  # 3 pairs a second up to 30 s
        ("glm46v", 60, 120),  # then one
        ("glm46v", 600, 600),  # half a pair from 5 minutes on
        ("glm46v", 7200, 640),
    ],
)
def test_so_many_frames_are_shown_of_a_video_of_so_many_seconds(
    rule: Rule, seconds: int, count: int
) -> None:
    chosen = sample(Reel(seconds * 25, 25.0, 480, 640), Filming(sampling=rule))
    assert len(chosen) == count
    assert chosen[-1] > 0.9 * (seconds * 25 - 1) - 25


def test_a_clip_of_one_frame_shows_it_twice() -> None:
    assert sample(Reel(1, 25.0, 480, 640), Filming(sampling="glm4v")) == [0, 0]
    assert sample(Reel(1, 25.0, 480, 640), Filming(sampling="glm46v")) == [0, 0]


@pytest.mark.parametrize(
    ("rule", "written"),
    [("glm4v", ("0", "1", "2")), ("glm46v", ("0.0 seconds", "1.2 seconds", "2.4 seconds"))],
)
def test_times_are_written_as_by_each_processor(rule: Rule, written: tuple[str, ...]) -> None:
    times = [0.0, 0.6, 1.2, 1.8, 2.4, 3.0]
    assert stamps(times, rule) == written
    parts = [
        WRITERS[rule].replace_frame_token_id(SimpleNamespace(image_token="#"), time)
        for time in times[::2]
    ]
    assert [part.split("<|end_of_image|>")[1] for part in parts] == list(written)


def test_frames_that_somebody_chose_are_all_shown_up_to_the_rules_own_most() -> None:
    assert thinned(599, Filming()) == list(range(599))
    thin = thinned(3000, Filming(sampling="glm46v"))
    assert (len(thin), thin[0], thin[-1]) == (640, 0, 2999)
    assert len(thinned(3000, Filming(fps=1, longest=100))) == 100
