"""How a checkpoint says what its pictures and videos shall be like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
from transformers.models.glm4v.video_processing_glm4v import Glm4vVideoProcessor

from app.engine.local.glm.look import Filming, Look, read_look
from app.vocabulary import EngineFault


def folder(path: Path, **files: object) -> Path:
    for name, value in files.items():
        (path / f"{name}.json").write_text(json.dumps(value))
    return path


def test_without_files_it_is_the_look_of_transformers_own_classes(tmp_path: Path) -> None:
    look, processor = read_look(tmp_path), Glm4vImageProcessorPil()
    assert (look.least, look.most) == (processor.size.shortest_edge, processor.size.longest_edge)
    assert (look.mean, look.std) == (tuple(processor.image_mean), tuple(processor.image_std))
    assert (look.patch, look.temporal, look.merge) == (14, 2, 2)
    video = Glm4vVideoProcessor
    assert look.filming == Filming(
        fps=video.fps,
        longest=video.max_duration,
        least=video.size["shortest_edge"],
        most=video.size["longest_edge"],
    )


def test_each_file_speaks_for_its_own_kind(tmp_path: Path) -> None:
    pictures = {"size": {"shortest_edge": 784, "longest_edge": 9633792}, "patch_size": 16}
    videos = {"size": {"shortest_edge": 100, "longest_edge": 200}, "fps": 4, "max_duration": 60}
    look = read_look(
        folder(tmp_path, preprocessor_config=pictures, video_preprocessor_config=videos)
    )
    assert (look.least, look.most, look.patch, look.factor) == (784, 9633792, 16, 32)
    assert look.filming == Filming(fps=4.0, longest=60.0, least=100, most=200)


def test_the_whole_processors_file_comes_first(tmp_path: Path) -> None:
    whole = {
        "image_processor": {"size": {"shortest_edge": 1, "longest_edge": 2}},
        "video_processor": {"size": {"shortest_edge": 3, "longest_edge": 4}},
    }
    own = {"size": {"shortest_edge": 5, "longest_edge": 6}}
    look = read_look(folder(tmp_path, processor_config=whole, preprocessor_config=own))
    assert (look.least, look.most, look.filming.least, look.filming.most) == (1, 2, 3, 4)


def test_videos_without_a_file_of_their_own_follow_the_pictures_one(tmp_path: Path) -> None:
    own = {"min_pixels": 5000, "max_pixels": 6000}
    look = read_look(folder(tmp_path, preprocessor_config=own))
    assert (look.most, look.filming.most) == (6000, 6000)


@pytest.mark.parametrize(
    ("files", "sampling", "stamps"),
    [
        ({}, "glm4v", "glm4v"),
        ({"config": {"model_type": "glm46v"}}, "glm46v", "glm46v"),
        ({"preprocessor_config": {"processor_class": "Glm46VProcessor"}}, "glm46v", "glm46v"),
        ({"preprocessor_config": {"processor_class": "Glm4vProcessor"}}, "glm4v", "glm4v"),
        (
            {
                "preprocessor_config": {"processor_class": "Glm4vProcessor"},
                "video_preprocessor_config": {"video_processor_type": "Glm46VVideoProcessor"},
            },
            "glm46v",
            "glm4v",
        ),
    ],
)
def test_the_generation_is_read_from_the_processors_names(
    tmp_path: Path, files: dict[str, object], sampling: str, stamps: str
) -> None:
    filming = read_look(folder(tmp_path, **files)).filming
    assert (filming.sampling, filming.stamps) == (sampling, stamps)


def test_colours_are_left_alone_where_the_checkpoint_says_so(tmp_path: Path) -> None:
    look = read_look(
        folder(tmp_path, preprocessor_config={"do_rescale": False, "do_normalize": False})
    )
    assert (look.rescale, look.mean, look.std) == (1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert look.most == Look().most


@pytest.mark.parametrize(
    "text", ["{", '{"image_mean": [1, 2]}', '{"size": {"longest_edge": -5}}', '{"patch_size": "x"}']
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(EngineFault, match=r"preprocessor_config\.json can't be used") as caught:
        read_look(tmp_path)
    assert caught.value.kind == "damaged"
