"""A model's processor as we use it: what it makes of one picture by itself, or of a whole prompt,
and whether the one adds up to the other. Knows no template and no network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import torch
from PIL import Image

_SHELF = 256 * 2**20  # bytes of pictures that were made ready, kept for the next question
_TRIAL = ((64, 48), (40, 100))  # width and height of pictures to see what the processor does
_ALONE = frozenset(  # what may be said of a picture that stands for itself, in any family
    {"pixel_values", "pixel_attention_mask", "image_grid_thw", "image_sizes"}
)
_TOKENS = frozenset({"input_ids", "attention_mask", "mm_token_type_ids"})  # one of each a token
# what a processor raises over a picture, or a prompt, that it was not made for
FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, OSError)


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A picture made ready by itself: `text` stands for it in the prompt, with so many
    placeholders (`pieces`); `tensors` and `typed` are those of a `Picture`."""

    text: str
    pieces: int
    tensors: Mapping[str, torch.Tensor] = field(repr=False)
    typed: bool

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())


class Eyes:
    """`one` and `two` are prompts with one picture and with two, as the template writes them.

    `mark` is what stands for a picture there, empty where we can't tell; `piece` the placeholder's
    token; `apart` says that a picture by itself is what it is among others. Raises what processors
    raise (`FAULTS`) where this one can't be used at all.
    """

    def __init__(self, processor: Any, *, one: str, two: str) -> None:
        self._processor = processor
        self._tokenizer = processor.tokenizer
        self._shelf: OrderedDict[str, Ready] = OrderedDict()
        self._lock = Lock()  # of the shelf: several threads may prepare prompts
        self.marks = _marks(processor)
        found = (m for m in self.marks if one.count(m) == 1 and two.count(m) == 2)
        self.mark = next(found, "")
        self.piece = _piece(processor)
        pictures = [_gradient(size) for size in _TRIAL]
        tokens, _ = self.together(two, pictures)
        self.apart = bool(self.mark) and self._adds_up(two, pictures, tokens)

    def encode(self, text: str) -> list[int]:
        """A prompt's tokens, with the first one that some tokenizers put before every text; as
        `ProcessorMixin.apply_chat_template` decides it."""
        return list(self._tokenizer.encode(text, add_special_tokens=self._begins(text)))

    def together(
        self, text: str, pictures: Sequence[Image.Image]
    ) -> tuple[list[int], dict[str, torch.Tensor]]:
        """A whole prompt: its tokens, and what else the model wants to know of it."""
        said = self._processor(
            text=[text],
            images=[list(pictures)],
            return_tensors="pt",
            add_special_tokens=self._begins(text),
        )
        tensors = {name: part for name, part in said.items() if isinstance(part, torch.Tensor)}
        return tensors.pop("input_ids")[0].tolist(), tensors

    def alone(self, key: str, picture: Image.Image) -> Ready:
        """A picture by itself; `key` stands for its bytes."""
        with self._lock:
            ready = self._shelf.pop(key, None)
        ready = ready or self._made(picture)
        with self._lock:
            self._shelf[key] = ready
            while len(self._shelf) > 1 and sum(r.bytes for r in self._shelf.values()) > _SHELF:
                self._shelf.popitem(last=False)
        return ready

    def filled(self, text: str, ready: Sequence[Ready]) -> str:
        """A prompt's text with what stands for each picture in the place of its mark."""
        pieces = text.split(self.mark)
        return pieces[0] + "".join(
            r.text + piece for r, piece in zip(ready, pieces[1:], strict=True)
        )

    def _begins(self, text: str) -> bool:
        first = self._tokenizer.bos_token
        return first is None or not text.startswith(first)

    def _made(self, picture: Image.Image) -> Ready:
        said = self._processor(
            text=[self.mark], images=[[picture]], return_tensors="pt", add_special_tokens=False
        )
        tokens = said["input_ids"][0].tolist()
        text = self._tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        tensors = {name: part for name, part in said.items() if name not in _TOKENS}
        return Ready(text, tokens.count(self.piece), tensors, "mm_token_type_ids" in said)

    def _adds_up(self, text: str, pictures: Sequence[Image.Image], tokens: list[int]) -> bool:
        try:
            ready = [self._made(picture) for picture in pictures]
        except FAULTS:
            return False
        known = all(r.tensors.keys() <= _ALONE and r.pieces for r in ready)
        return known and self.encode(self.filled(text, ready)) == tokens


def _marks(processor: Any) -> tuple[str, ...]:
    """The ways in which a picture may be marked in this processor's prompts."""
    names = ("image_token", "boi_token", "image_placeholder", "video_token", "audio_token")
    found = (getattr(processor, name, None) for name in names)
    return tuple(str(mark) for mark in found if mark)


def _piece(processor: Any) -> int:
    number = getattr(processor, "image_token_id", None)
    if not isinstance(number, int):
        mark = str(getattr(processor, "image_token", ""))
        number = processor.tokenizer.convert_tokens_to_ids(mark)
    return number if isinstance(number, int) else -1


def _gradient(size: tuple[int, int]) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert("RGB")
