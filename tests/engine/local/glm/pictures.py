"""Pictures, clips and folders of checkpoints without weights. A library for the tests beside it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tokenisers import Kind, write_tokeniser

from app.engine.local.glm.chat import GlmChat, open_chat
from app.engine.request.turn import Clip, Part, Turn
from app.vocabulary import Frame, Source


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Pixels [H, W, 3] of which many are at the ends of their range."""
    chance = np.random.default_rng(seed)
    pixels = chance.integers(-80, 336, (height, width, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def written(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def framed(image: bytes) -> Frame:
    return Frame(image, "image/png", 0, 0, Source("picture", ""))


def picture(height: int, width: int, seed: int = 0) -> Frame:
    return framed(written(Image.fromarray(noise(height, width, seed))))


def clip(count: int, *, size: tuple[int, int] = (60, 90), pace: float = 2.0) -> Clip:
    """A video as its frames, `pace` of them a second."""
    frames = tuple(picture(*size, seed) for seed in range(count))
    return Clip("video/jpeg", frames=frames, times=tuple(n / pace for n in range(count)))


def pixels_of(frame: Frame) -> Image.Image:
    return Image.open(BytesIO(frame.image))


def asked(*parts: Part) -> Turn:
    return Turn("user", parts)


def folder_of(path: Path, kind: Kind = "glm-4.5v", *, newer: bool = False) -> Path:
    """A checkpoint's small files, those of the newer processors if asked."""
    path.mkdir(parents=True, exist_ok=True)
    write_tokeniser(path, kind)
    config: dict[str, object] = {"model_type": "glm4_moe"}
    if kind != "glm-4.5":
        config = {"model_type": "glm4v_moe", "vision_config": {}}
    (path / "config.json").write_text(json.dumps(config))
    processor = {"processor_class": "Glm46VProcessor" if newer else "Glm4vProcessor"}
    (path / "preprocessor_config.json").write_text(json.dumps(processor))
    return path


def chat_of(path: Path, kind: Kind = "glm-4.5v", *, context: int = 65536) -> GlmChat:
    return open_chat(folder_of(path, kind), name="Tiny", context=context)
