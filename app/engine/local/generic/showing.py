"""Conversations with pictures, for any family that sees and has a processor of its own: pictures
in their order, and the prompt that they and the text make. Knows no network."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from PIL import Image, ImageOps

from app.engine.local.chat import TextChat
from app.engine.local.generic.eyes import FAULTS, Eyes
from app.engine.local.generic.sight import Picture, SightPrompt, WholePrompt
from app.engine.local.network import Prompt
from app.engine.request.turn import Clip, Part, Tool, Turn
from app.vocabulary import EndpointFault, Frame, Source

_LARGEST = 100_000_000  # pixels of a picture: more than any screen or page, less than a bomb
_NOTHING = Frame(b"", "image/png", 0, 0, Source("picture", ""))
_KEY_BYTES = 7  # of a picture's hash, in the keys of its placeholders
_FEW = 8  # pictures that are made ready at once before it is known how much room they take


class BlindError(Exception):
    """The model can't be shown pictures after all; says why."""


class SightChat(TextChat):
    """A tokenizer, a template and a processor: the chat of a model that sees pictures.

    Where a picture is the same by itself as among others, and `parts` says that the network reads
    them so, it stands for itself in the prompt; else the whole prompt is the processor's. Raises
    BlindError where neither can be had.
    """

    def __init__(self, tokenizer: Any, processor: Any, *, context: int, parts: bool) -> None:
        template = getattr(processor, "chat_template", None)
        super().__init__(tokenizer, template if isinstance(template, str) else None, listed=True)
        self._context = context
        try:
            one, two = (self.rendered([_asked(count)], {}) for count in (1, 2))
            self._eyes = Eyes(processor, one=one, two=two)
        except (EndpointFault, *FAULTS) as error:
            raise BlindError(f"{type(error).__name__}: {error}") from error
        self._marks += [mark for mark in self._eyes.marks if mark not in self._marks]
        self._apart = parts and self._eyes.apart

    @property
    def sees(self) -> bool:
        return True

    def prompt(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool] = ()
    ) -> Prompt:
        for turn in turns:
            for part in turn.parts:
                self._check(part)
        text = self.rendered(turns, settings, tools)
        frames = [part for turn in turns for part in turn.parts if isinstance(part, Frame)]
        if not frames:
            tokens = tuple(self._eyes.encode(text))
            return Prompt(text, tokens, tokens)
        self._check_count(text, len(frames))
        return self._apart_prompt(text, frames) if self._apart else self._whole_prompt(text, frames)

    def _check(self, part: Part) -> None:
        if isinstance(part, Clip):
            raise EndpointFault(
                "unsupported",
                "This model sees pictures and no videos; send frames of the video as pictures.",
            )

    def _check_count(self, text: str, count: int) -> None:
        shown = text.count(self._eyes.mark) if self._eyes.mark else count
        if shown != count:
            message = f"The model's chat template shows {shown} of these {count} pictures."
            raise EndpointFault("bad_request", message)

    def _apart_prompt(self, text: str, frames: Sequence[Frame]) -> Prompt:
        ready, digests, room = [], [_digest(frame) for frame in frames], self._context
        for number, (frame, digest) in enumerate(zip(frames, digests, strict=True), 1):
            with _saying(number):
                ready.append(self._eyes.alone(digest.hex(), _opened(frame)))
            room -= ready[-1].pieces
            self._check_room(room, number, len(frames))
        tokens = self._eyes.encode(self._eyes.filled(text, ready))
        places = [place for place, token in enumerate(tokens) if token == self._eyes.piece]
        if len(places) != sum(one.pieces for one in ready):
            return self._whole_prompt(text, frames)
        keys, pictures, left = list(tokens), [], iter(places)
        for one, digest in zip(ready, digests, strict=True):
            own = list(islice(left, one.pieces))
            for count, place in enumerate(own):
                keys[place] = _key(digest, count)
            pictures.append(Picture(own[0], own[-1] + 1, one.tensors, one.typed))
        return SightPrompt(text, tuple(tokens), tuple(keys), tuple(pictures))

    def _whole_prompt(self, text: str, frames: Sequence[Frame]) -> Prompt:
        pictures, room = [], self._context
        for number, frame in enumerate(frames, 1):
            with _saying(number):
                pictures.append(_opened(frame))
                if len(frames) > _FEW:
                    room -= len(self._eyes.together(self._eyes.mark, pictures[-1:])[0])
            self._check_room(room, number, len(frames))
        with _saying():
            tokens, tensors = self._eyes.together(text, pictures)
        secret = secrets.token_bytes(_KEY_BYTES)
        keys = tuple(_key(secret, count) for count in range(len(tokens)))
        return WholePrompt(text, tuple(tokens), keys, tensors)

    def _check_room(self, room: int, number: int, count: int) -> None:
        """Stop where the pictures so far are too much already: the others could be many more."""
        if room <= 0:
            raise EndpointFault(
                "too_long",
                f"The first {number} of these {count} pictures are more than the "
                f"{self._context} tokens that the model holds; send fewer.",
            )


def _asked(count: int) -> Turn:
    return Turn("user", (*[_NOTHING] * count, "What is this?"))


def _digest(frame: Frame) -> bytes:
    return hashlib.sha256(frame.image).digest()


def _key(digest: bytes, piece: int) -> int:
    """Below zero, and another one for each piece of each picture."""
    return -1 - (int.from_bytes(digest[:_KEY_BYTES]) << 24 | piece)


def _opened(frame: Frame) -> Image.Image:
    """The picture, upright, as transformers' `load_image` gives it. Raises what Pillow raises."""
    with Image.open(io.BytesIO(frame.image)) as picture:
        if picture.width * picture.height > _LARGEST:
            raise ValueError(f"{picture.width} x {picture.height} pixels are too many")
        return ImageOps.exif_transpose(picture).convert("RGB")


@contextmanager
def _saying(number: int | None = None) -> Iterator[None]:
    """Say of which picture it was what a decoder or a processor found wrong."""
    which = f"Picture {number}" if number else "These pictures"
    try:
        yield
    except (*FAULTS, SyntaxError, Image.DecompressionBombError) as error:
        message = f"{which} can't be shown to this model: {error}."
        raise EndpointFault("bad_request", message, type(error).__name__) from error
