"""A checkpoint folder of a real size, as a hub would hold it, but without the numbers: these are
made on the device when it is loaded (weights/invented.py). For timing, not for answers."""

from __future__ import annotations

import json
import math
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from app.engine.local.trial.parts import Part, parts
from app.engine.local.trial.size import Json, described, group_of, kind_of

_BYTES = {"BF16": 2, "F8_E4M3": 1, "F32": 4, "I32": 4, "I64": 8}
_FIRST, _LAST = 151329, 151364  # special tokens
_MARKS = {  # the vocabulary of the family from its first special token on
    151329: "<|endoftext|>",
    151331: "[gMASK]",
    151333: "<sop>",
    151335: "<|system|>",
    151336: "<|user|>",
    151337: "<|assistant|>",
    151338: "<|observation|>",
    151339: "<|begin_of_image|>",
    151340: "<|end_of_image|>",
    151341: "<|begin_of_video|>",
    151342: "<|end_of_video|>",
}
_TEMPLATE = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>\n"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text }}"
    "{% else %}<|begin_of_image|><|image|><|end_of_image|>{% endif %}{% endfor %}{% endif %}"
    "{% endfor %}<|assistant|>\n"
)


def write(
    folder: Path,
    model: str,
    *,
    layers: int | None = None,
    small: bool = False,
    steady: bool = False,
) -> int:
    """Write one of `MODELS`; gives the bytes that it would hold.

    `layers` are fewer at full width. `small` keeps the layout and the vocabulary, and makes
    everything else tiny. `steady` is for comparing rather than timing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = described(model, layers=layers, small=small, steady=steady)
    _json(folder / "config.json", config)
    _json(folder / "generation_config.json", {"eos_token_id": [151329, 151336, 151338]})
    _json(folder / "preprocessor_config.json", _preprocessor())
    _tokenizer(config).save_pretrained(folder)
    held = list(parts(config, kind_of(model), group=group_of(small=small)))
    return _hollow(folder / "model.safetensors", held)


def _hollow(file: Path, held: list[Part]) -> int:
    """A file with a header and, where the numbers would be, a hole."""
    header: Json = {}
    end = 0
    for part in held:
        start, end = end, end + math.prod(part.shape) * _BYTES[part.dtype]
        header[part.name] = {
            "dtype": part.dtype,
            "shape": list(part.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        out.truncate(8 + len(text) + end)
    return end


def _preprocessor() -> Json:
    """As GLM-4.1V-9B-Thinking's, whose pixel budget is 6,144 tokens a picture."""
    return {
        "size": {"shortest_edge": 12544, "longest_edge": 9633792},
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "image_processor_type": "Glm4vImageProcessor",
        "processor_class": "Glm4vProcessor",
    }


def _tokenizer(config: Json) -> PreTrainedTokenizerFast:
    """Bytes, filled up to the first special token so that each has its own number."""
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    filled = [*bytes_, *(f"<filler {number}>" for number in range(len(bytes_), _FIRST))]
    tokenizer = Tokenizer(BPE({text: number for number, text in enumerate(filled)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    seen = {config["image_token_id"]: "<|image|>", config["video_token_id"]: "<|video|>"}
    marks = _MARKS | seen
    names = [marks.get(n, f"<|unused {n}|>") for n in range(_FIRST, _LAST + 1)]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", chat_template=_TEMPLATE
    )


def _json(file: Path, value: Json) -> None:
    file.write_text(json.dumps(value), encoding="utf-8")
