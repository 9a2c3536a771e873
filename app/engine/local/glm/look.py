"""How a checkpoint wants its pictures and videos: sizes, colours and paces, read from its own
files. Knows no pixels and no prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from app.vocabulary import EngineFault

Rule = Literal["glm4v", "glm46v"]  # the family has two generations of processors
Colour: TypeAlias = tuple[float, float, float]  # red, green, blue

_NEWER = "Glm46V"  # how the names of the newer generation's classes begin
_PROCESSOR, _PICTURES, _VIDEOS = (
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
)
# where transformers looks for the processor's class, in this order (AutoProcessor)
_NAMING = (_PROCESSOR, _PICTURES, _VIDEOS, "tokenizer_config.json", "config.json")


@dataclass(frozen=True, slots=True)
class Filming:
    """How a video is cut into frames. `sampling` and `stamps` name the generation that chooses the
    frames and that writes their times; `fps` and `longest` (seconds) are the older one's pace and
    limit; `least` and `most` count pixels over all frames.

    Defaults: transformers' Glm4vVideoProcessor and Glm46VVideoProcessor, which agree.
    """

    sampling: Rule = "glm4v"
    stamps: Rule = "glm4v"
    fps: float = 2.0
    longest: float = 300.0
    least: int = 112 * 112
    most: int = 28 * 28 * 2 * 30_000


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is resized and normalised. `patch` is a patch's side in pixels, `temporal` the
    frames that go into one, `merge` how many patches a side make one token; `rescale` comes before
    `mean` and `std`; `least` and `most` count pixels over `temporal` frames, a single picture's
    too.

    Defaults: transformers' Glm4vImageProcessor and Glm46VImageProcessor, which agree.
    """

    patch: int = 14
    temporal: int = 2
    merge: int = 2
    mean: Colour = (0.48145466, 0.4578275, 0.40821073)
    std: Colour = (0.26862954, 0.26130258, 0.27577711)
    rescale: float = 1 / 255
    least: int = 112 * 112
    most: int = 28 * 28 * 15_000
    filming: Filming = field(default_factory=Filming)

    @property
    def factor(self) -> int:
        """What a resized picture's sides are multiples of, in pixels: a token's side."""
        return self.patch * self.merge


def read_look(folder: Path) -> Look:
    """The look of the checkpoint in `folder`; what its files leave out is as in transformers.

    Raises EngineFault("damaged") naming the file that can't be used.
    """
    pictures = _section(folder, "image_processor", (_PICTURES,))
    videos = _section(folder, "video_processor", (_VIDEOS, _PICTURES))
    plain = Look()
    try:
        scales, normal = pictures.get("do_rescale", True), pictures.get("do_normalize", True)
        least, most = _budget(pictures, plain.least, plain.most)
        return Look(
            patch=int(pictures.get("patch_size") or plain.patch),
            temporal=int(pictures.get("temporal_patch_size") or plain.temporal),
            merge=int(pictures.get("merge_size") or plain.merge),
            mean=_colour(pictures.get("image_mean"), plain.mean) if normal else (0.0, 0.0, 0.0),
            std=_colour(pictures.get("image_std"), plain.std) if normal else (1.0, 1.0, 1.0),
            rescale=float(pictures.get("rescale_factor") or plain.rescale) if scales else 1.0,
            least=least,
            most=most,
            filming=_filming(folder, videos),
        )
    except (TypeError, ValueError) as error:
        raise _damaged(folder / _PICTURES, error) from error


def _filming(folder: Path, videos: Mapping[str, Any]) -> Filming:
    plain = Filming()
    least, most = _budget(videos, plain.least, plain.most)
    writer = _processor(folder)
    chooser = str(videos.get("video_processor_type") or writer)
    return Filming(
        sampling=_rule(chooser),
        stamps=_rule(writer or chooser),
        fps=float(videos.get("fps") or plain.fps),
        longest=float(videos.get("max_duration") or plain.longest),
        least=least,
        most=most,
    )


def _rule(name: str) -> Rule:
    return "glm46v" if name.startswith(_NEWER) else "glm4v"


def _processor(folder: Path) -> str:
    """The name of the processor's class; of the model's family where no file says it."""
    for name in _NAMING:
        said = _read(folder / name).get("processor_class")
        if isinstance(said, str) and said:
            return said
    model_type = str(_read(folder / "config.json").get("model_type") or "")
    return _NEWER if model_type.startswith("glm46v") else ""


def _section(folder: Path, name: str, files: tuple[str, ...]) -> dict[str, Any]:
    """A processor's settings: its part of the whole processor's file, else the first of its own
    files there is (transformers' order)."""
    part = _read(folder / _PROCESSOR).get(name)
    if isinstance(part, dict):
        return part
    return next((said for file in files if (said := _read(folder / file))), {})


def _budget(said: Mapping[str, Any], least: int, most: int) -> tuple[int, int]:
    """The least and the most pixels; older files write them as `min_pixels` and `max_pixels`."""
    size = said.get("size")
    size = size if isinstance(size, dict) else {}
    least = int(size.get("shortest_edge") or said.get("min_pixels") or least)
    most = int(size.get("longest_edge") or said.get("max_pixels") or most)
    if not 0 < least <= most:
        raise ValueError(f"{least} to {most} pixels")
    return least, most


def _colour(said: object, plain: Colour) -> Colour:
    if said is None:
        return plain
    if not isinstance(said, list) or len(said) != 3:
        raise ValueError(f"{said!r} is no colour")
    red, green, blue = (float(value) for value in said)
    return red, green, blue


def _read(file: Path) -> dict[str, Any]:
    """A file's JSON object; empty where there is no such file."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(file, error) from error
    return said if isinstance(said, dict) else {}


def _damaged(file: Path, error: Exception) -> EngineFault:
    message = f"The file {file} can't be used; download this model's small files again."
    return EngineFault("damaged", message, f"{type(error).__name__}: {error}")
