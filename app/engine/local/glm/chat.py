"""A conversation → a GLM prompt: in the words of the checkpoint's own template, with a placeholder
for each piece of its pictures and videos. Knows no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from app.engine.local.chat import TextChat, own_template
from app.engine.local.glm.look import Look, read_look
from app.engine.local.glm.marks import BREAK, whole
from app.engine.local.glm.prompt import GlmPrompt
from app.engine.local.glm.scenes import Eyes, Scene
from app.engine.local.glm.script import Script
from app.engine.local.glm.strip import Strip
from app.engine.request.turn import Clip, Tool, Turn
from app.vocabulary import EndpointFault, EngineFault, Frame

_PICTURE, _VIDEO = "<|image|>", "<|video|>"
_OPEN, _CLOSE = "<|begin_of_image|>", "<|end_of_image|>"


def open_chat(folder: Path, *, name: str, context: int) -> GlmChat:
    """The chat of the checkpoint in `folder`; `name` is what sentences call the model, `context`
    how many tokens it holds.

    Raises EngineFault("damaged" | "unsupported").
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with suppress(FileNotFoundError):  # half a file is the usual damage, and `tokenizers` has
            json.loads((folder / "tokenizer.json").read_bytes())  # no error of its own for it
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        message = (
            f"The tokenizer of “{name}” can't be read; its files in {folder} may be missing or "
            "damaged. Download the model's small files again."
        )
        raise EngineFault("damaged", message, f"{type(error).__name__}: {error}") from error
    template = own_template(tokenizer) or _processors_template(folder)
    if not template:
        message = (
            f"“{name}” has no chat template, so nothing can be asked of it; put the "
            f"chat_template.jinja of its makers into {folder}, or choose a model for chats."
        )
        raise EngineFault("unsupported", message)
    tokenizer.chat_template = template
    eyes = Eyes(read_look(folder)) if "vision_config" in config else None
    return GlmChat(tokenizer, name=name, context=context, eyes=eyes)


def _processors_template(folder: Path) -> str | None:
    """A template in a file of its own, as processors wrote it before chat_template.jinja."""
    try:
        said = json.loads((folder / "chat_template.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    template = said.get("chat_template") if isinstance(said, dict) else None
    return template if isinstance(template, str) else None


class GlmChat:
    """The chat of a model of the family (`app.engine.local.chat.Chat`); `eyes=None` is one that
    reads text only."""

    def __init__(self, tokenizer: Any, *, name: str, context: int, eyes: Eyes | None) -> None:
        self._words = TextChat(tokenizer)
        self._script = Script(tokenizer, own_template(tokenizer) or "")
        self._name = name
        self._context = context
        self._eyes = eyes
        self._look = eyes.look if eyes else Look()
        self._ids = {mark.content: n for n, mark in tokenizer.added_tokens_decoder.items()}

    @property
    def thinks(self) -> bool:
        return self._words.thinks

    @property
    def sees(self) -> bool:
        return self._eyes is not None and self._knows(_PICTURE)

    @property
    def films(self) -> bool:
        return self._eyes is not None and self._knows(_VIDEO)

    @property
    def calls(self) -> bool:
        return self._script.calls

    @property
    def open_thought(self) -> tuple[int, ...]:
        return tuple(self.encode("<think>")) if self.thinks else ()

    @property
    def close_thought(self) -> tuple[int, ...]:
        """`</think>`; GLM-4.1V, whose template leaves `<think>` to the model, opens its answer with
        a tag of its own."""
        if not self.thinks:
            return ()
        wraps = "<answer>" in self._ids and "<think>" not in self._script.template
        return tuple(self.encode("</think><answer>" if wraps else "</think>"))

    def prompt(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool] = ()
    ) -> GlmPrompt:
        parts = [part for turn in turns for part in turn.parts if not isinstance(part, str)]
        self._refuse_unseen(parts)
        text = self._script.written(turns, settings, tools)
        written = [token for piece in text.split(BREAK) for token in self.encode(piece)]
        scenes = self._measured(parts)
        self._refuse_lost(written, scenes)
        self._refuse_too_long(len(written), scenes)
        return self._placed(whole(text), written, scenes)

    def encode(self, text: str) -> list[int]:
        return self._words.encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return self._words.decode(tokens)

    def written(self, token: int) -> bytes:
        return self._words.written(token)

    # --- what can't be asked ------------------------------------------------------------------

    def _knows(self, mark: str) -> bool:
        return mark in self._ids and mark in self._script.template

    def _refuse_unseen(self, parts: Sequence[Frame | Clip]) -> None:
        if parts and not self.sees:
            message = (
                f"{self._name} reads text and sees no pictures; ask a model that sees, or send "
                "what they say as text."
            )
            raise EndpointFault("unsupported", message)
        if not self.films and any(isinstance(part, Clip) for part in parts):
            message = f"{self._name} sees pictures and no videos; send some frames as pictures."
            raise EndpointFault("unsupported", message)

    def _refuse_lost(self, written: Sequence[int], scenes: Sequence[Scene]) -> None:
        """A template may show pictures in some turns only."""
        for mark, what in ((_PICTURE, "pictures"), (_VIDEO, "videos")):
            sent = sum(scene.filmed == (mark == _VIDEO) for scene in scenes)
            shown = written.count(self._ids.get(mark, -1))
            if shown != sent:
                message = (
                    f"The chat template of {self._name} has a place for {shown} of the {sent} "
                    f"{what} in this conversation; send them in the user's messages."
                )
                raise EndpointFault("bad_request", message)

    def _refuse_too_long(self, written: int, scenes: Sequence[Scene]) -> None:
        needed = written + sum(self._length(scene) - 1 for scene in scenes)
        if needed < self._context:  # one token at least is left for the answer
            return
        films = sum(scene.filmed for scene in scenes)
        counts = ((len(scenes) - films, "picture"), (films, "video"))
        seen = " and ".join(f"{n} {what}{'s' * (n > 1)}" for n, what in counts if n)
        message = (
            f"This conversation{' with its ' * bool(seen)}{seen} takes {needed:,} tokens, and "
            f"{self._name} holds {self._context:,} with the answer; send "
            f"{'fewer or smaller ones' if seen else 'less text'}, or start a new conversation."
        )
        raise EndpointFault("too_long", message)

    # --- pictures -----------------------------------------------------------------------------

    def _measured(self, parts: Sequence[Frame | Clip]) -> list[Scene]:
        """Each with a name that a sentence can call it by: its number among its kind."""
        if self._eyes is None:
            return []
        counts = {"Picture": 0, "Video": 0}
        scenes = []
        for part in parts:
            kind = "Picture" if isinstance(part, Frame) else "Video"
            counts[kind] += 1
            scenes.append(self._eyes.measure(part, f"{kind} {counts[kind]}"))
        return scenes

    def _length(self, scene: Scene) -> int:
        """Tokens that a picture or a video takes instead of its mark."""
        pieces = scene.size[0] * scene.size[1] // self._look.factor**2
        if not scene.filmed:
            return pieces
        return sum(pieces + 2 + len(self.encode(stamp)) for stamp in scene.stamps)

    def _placed(self, text: str, written: Sequence[int], scenes: Sequence[Scene]) -> GlmPrompt:
        """The prompt, each mark replaced by what it stands for: the next one of its kind."""
        picture, video = self._ids.get(_PICTURE, -1), self._ids.get(_VIDEO, -1)
        shown = list(zip(scenes, self._eyes.show(scenes) if self._eyes else (), strict=True))
        pictures = iter([groups[0] for scene, groups in shown if not scene.filmed])
        videos = iter([(groups, scene.stamps) for scene, groups in shown if scene.filmed])
        strip = Strip(self._look, picture)  # a video's frames have the pictures' placeholder
        for token in written:
            if token == picture:
                strip.see(next(pictures))
            elif token == video:
                for group, stamp in zip(*next(videos), strict=True):
                    strip.say([self._ids[_OPEN]])
                    strip.see(group)
                    strip.say([self._ids[_CLOSE], *self.encode(stamp)])
            else:
                strip.say([token])
        return strip.prompt(text)
