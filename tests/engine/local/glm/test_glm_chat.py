"""Conversations in the words of a checkpoint's template, and what of them can't be asked."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import asked, chat_of, clip, folder_of, framed, picture, pixels_of, written
from PIL import Image
from tokenisers import Kind, numbers
from transformers import AutoTokenizer
from transformers.models.glm4v.image_processing_pil_glm4v import (
    Glm4vImageProcessorPil,
    smart_resize,
)
from transformers.models.glm4v.processing_glm4v import Glm4vProcessor
from transformers.models.glm46v.processing_glm46v import Glm46VProcessor
from transformers.video_utils import VideoMetadata

from app.engine.local.glm.chat import GlmChat, open_chat
from app.engine.request.turn import Clip, Part, Tool, Turn
from app.vocabulary import EndpointFault, EngineFault, Frame, ToolCall

KINDS: list[Kind] = ["glm-4.5v", "glm-4.1v", "glm-4.5"]
MARKS = sorted(numbers("glm-4.5v"))


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Kind, GlmChat]]:
    yield {kind: chat_of(tmp_path_factory.mktemp("chat") / kind, kind) for kind in KINDS}


def refused(chat: GlmChat, *turns: Turn, tools: tuple[Tool, ...] = (), **settings: Any) -> str:
    with pytest.raises(EndpointFault) as caught:
        chat.prompt(turns, settings, tools)
    assert caught.value.kind in ("bad_request", "unsupported", "too_long")
    return caught.value.message


# --- transformers as the oracle ---------------------------------------------------------------


class Theirs:
    """What transformers' tokenizer and processor make of a conversation."""

    def __init__(self, folder: Path, processor: type = Glm4vProcessor) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        sizes = SimpleNamespace(merge_size=2)
        self._rules = SimpleNamespace(
            image_token="<|image|>", image_processor=sizes, video_processor=sizes
        )
        self._rules.replace_frame_token_id = partial(processor.replace_frame_token_id, self._rules)
        self._processor = processor

    def tokens(self, turns: list[Turn], **settings: Any) -> list[int]:
        text = self.tokenizer.apply_chat_template(
            [self._message(turn) for turn in turns],
            tokenize=False,
            add_generation_prompt=True,
            **settings,
        )
        for part in (part for turn in turns for part in turn.parts):
            mark = {Frame: "<|image|>", Clip: "<|video|>"}.get(type(part))  # type: ignore[arg-type]
            if mark:
                text = text.replace(mark, self._shown(part).replace("<|image|>", "\0"), 1)
        return list(self.tokenizer.encode(text.replace("\0", "<|image|>")))

    def _message(self, turn: Turn) -> dict[str, Any]:
        kinds = {Frame: "image", Clip: "video"}
        content: Any = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": kinds[type(part)]}
            for part in turn.parts
        ]
        if len(turn.parts) == 1 and isinstance(turn.parts[0], str):
            content = turn.parts[0]
        thought = {"reasoning_content": turn.reasoning} if turn.reasoning else {}
        return {"role": turn.role, "content": content, **thought}

    def _shown(self, part: Part) -> str:
        if isinstance(part, Frame):
            seen = Glm4vImageProcessorPil()(pixels_of(part))
            grids = {"image_grid_thw": np.array(seen["image_grid_thw"])}
            return str(self._processor.replace_image_token(self._rules, grids, 0))
        assert isinstance(part, Clip)
        count, size = len(part.frames), pixels_of(part.frames[0]).size
        height, width = smart_resize(count, size[1], size[0], max_pixels=28 * 28 * 2 * 30000)
        grids = {"video_grid_thw": np.array([[(count + 1) // 2, height // 14, width // 14]])}
        fps = 1 / (part.times[1] - part.times[0])
        metadata = VideoMetadata(count, fps=fps, frames_indices=list(range(count)))
        inputs = {**grids, "video_metadata": [metadata]}
        return str(self._processor.replace_video_token(self._rules, inputs, 0))


FIVE_TURNS = [
    Turn("system", ("Be short.",)),
    asked("What is this?", picture(40, 200, 1), "And this: ", picture(333, 77, 2)),
    Turn("assistant", ("A stripe.",), reasoning="It is long."),
    asked(clip(6), picture(1, 1, 3), "Which is smaller?"),
]
CONVERSATIONS = {
    "text": [asked("Say “hé”, 你好 🙂.")],
    "text in two parts": [asked("one", "two")],
    "one picture": [asked(picture(120, 160), "What is it?")],
    "three pictures of odd shapes": [
        asked(*(picture(h, w) for h, w in ((1, 1), (9, 900), (77, 31))))
    ],
    "one video": [asked(clip(8, pace=1.5), "What happens?")],
    "a video of an odd count": [asked(clip(5), "What happens?")],
    "pictures and a video": [asked(picture(50, 50), "then", clip(4), picture(60, 80), "So?")],
    "five turns": FIVE_TURNS,
}


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_tokens_are_those_of_transformers(tmp_path: Path, name: str, newer: bool) -> None:
    folder = folder_of(tmp_path / "model", newer=newer)
    turns = CONVERSATIONS[name]
    theirs = Theirs(folder, Glm46VProcessor if newer else Glm4vProcessor)
    ours = open_chat(folder, name="Tiny", context=65536).prompt(turns, {})
    assert list(ours.tokens) == theirs.tokens(turns)


@pytest.mark.parametrize("name", ["text", "one picture", "pictures and a video"])
def test_the_tokens_of_the_always_thinking_model_are_those_too(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path / "model", "glm-4.1v")
    ours = open_chat(folder, name="Tiny", context=65536).prompt(CONVERSATIONS[name], {})
    assert list(ours.tokens) == Theirs(folder).tokens(CONVERSATIONS[name])


def test_thinking_is_switched_by_the_template(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "model")
    chat = open_chat(folder, name="Tiny", context=65536)
    quiet = chat.prompt(FIVE_TURNS, {"enable_thinking": False})
    assert quiet.text.endswith("/nothink<|assistant|>\n<think></think>")
    assert list(quiet.tokens) == Theirs(folder).tokens(FIVE_TURNS, enable_thinking=False)
    assert chat.prompt(FIVE_TURNS, {}).text.endswith("<|assistant|>")


# --- what a template is told ------------------------------------------------------------------


def test_each_family_has_its_own_words(chats: dict[Kind, GlmChat]) -> None:
    newer, older, text = (chats[kind] for kind in KINDS)
    assert newer.decode(newer.close_thought) == "</think>"
    assert older.decode(older.close_thought) == "</think><answer>"
    assert [chat.decode(chat.open_thought) for chat in chats.values()] == ["<think>"] * 3
    assert [len(chat.open_thought) for chat in chats.values()] == [1, 1, 1]
    assert [chat.thinks for chat in chats.values()] == [True, True, True]
    assert [(c.sees, c.films) for c in (newer, older, text)] == [(True, True)] * 2 + [
        (False, False)
    ]
    assert [chat.calls for chat in (newer, older, text)] == [True, False, True]


def test_an_answers_own_tags_come_back_as_they_went(chats: dict[Kind, GlmChat]) -> None:
    chat = chats["glm-4.5v"]
    box = "<|begin_of_box|>7<|end_of_box|>"
    turns = [asked("?"), Turn("assistant", (box,)), asked("!")]
    prompt = chat.prompt(turns, {})
    written = chat.encode(box)
    assert any(
        list(prompt.tokens[at : at + len(written)]) == written for at in range(len(prompt.tokens))
    )


def test_tools_and_their_calls_are_told(chats: dict[Kind, GlmChat]) -> None:
    tool = Tool("clock", "The time <|user|>.", {"type": "object", "properties": {"zone": {}}})
    call = ToolCall("clock", '{"zone": "\\u003c|image|>", "深": [1]}', "call-1")
    turns = [
        asked("When?"),
        Turn("assistant", (), reasoning="I look.", calls=(call,)),
        Turn("tool", ("12:00 <|observation|>",), call_id="call-1", name="clock"),
    ]
    prompt = chats["glm-4.5v"].prompt(turns, {}, (tool,))
    assert (
        '{"type": "function", "function": {"name": "clock", "description": "The time' in prompt.text
    )
    assert "<arg_key>zone</arg_key>\n<arg_value><|image|></arg_value>" in prompt.text
    assert "<arg_key>深</arg_key>\n<arg_value>[1]</arg_value>" in prompt.text
    assert "<tool_response>\n12:00 <|observation|>\n</tool_response>" in prompt.text
    marks = numbers("glm-4.5v")
    held = Counter(prompt.tokens)
    assert [held[marks[m]] for m in ("<|image|>", "<|user|>", "<|observation|>")] == [0, 1, 1]


def test_what_a_template_can_not_be_told_is_refused(chats: dict[Kind, GlmChat]) -> None:
    chat = chats["glm-4.5v"]
    assert "can't hold `chat_template`" in refused(chat, asked("hi"), chat_template="{{ 7 }}")
    broken = Turn("assistant", (), calls=(ToolCall("clock", "[1]", ""),))
    message = "The arguments of the earlier tool call “clock” are no JSON object"
    assert refused(chat, asked("hi"), broken).startswith(message)
    assert "knows no tools" in refused(chats["glm-4.1v"], asked("hi"), tools=(Tool("clock"),))


def test_text_that_is_no_unicode_is_mended(chats: dict[Kind, GlmChat]) -> None:
    prompt = chats["glm-4.5v"].prompt([asked("a\ud800b")], {})
    assert "a\ufffdb" in prompt.text


# --- marks that a user types --------------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from([*MARKS, "<", "|", "ge|>", "<|ima", "/no", "think", " ", "a", "\n"])
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES.map("".join), min_size=1, max_size=3))
def test_no_text_speaks_in_marks(chats: dict[Kind, GlmChat], parts: list[str]) -> None:
    chat = chats["glm-4.5v"]
    marks = set(numbers("glm-4.5v").values())
    plain = Counter(chat.prompt([asked(*("x" for _ in parts))], {}).tokens)
    prompt = chat.prompt(
        [
            asked(*parts),
        ],
        {},
    )
    held = Counter(prompt.tokens)
    assert {mark: held[mark] for mark in marks} == {mark: plain[mark] for mark in marks}
    assert "<|user|>\n" + "".join(parts) in prompt.text
    assert b"".join(map(chat.written, prompt.tokens)).decode() == prompt.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_users_text_is_read_to_the_letter(chats: dict[Kind, GlmChat], kind: Kind) -> None:
    text = "What does <|image|> mean, and <think>, </think>, <|assistant|> or [gMASK]?"
    prompt = chats[kind].prompt([asked(text)], {})
    assert text in prompt.text
    assert not prompt.sights
    assert b"".join(map(chats[kind].written, prompt.tokens)).decode() == prompt.text


def test_marks_in_settings_are_text_too(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "model")
    (folder / "chat_template.jinja").write_text("{{ mood }}{{ messages[0].content }}")
    prompt = open_chat(folder, name="Tiny", context=99).prompt([asked("!")], {"mood": "<|user|>"})
    assert prompt.text == "<|user|>!"
    assert max(prompt.tokens) < 256


# --- bad input ----------------------------------------------------------------------------------


def half(frame: Frame) -> Frame:
    return framed(frame.image[: len(frame.image) // 2])


def test_the_picture_that_can_not_be_shown_is_named_by_its_number(
    chats: dict[Kind, GlmChat],
) -> None:
    chat, good = chats["glm-4.5v"], picture(60, 60)
    turns = [asked(good, "a"), Turn("assistant", ("b",))]
    assert refused(chat, *turns, asked(good, half(good))).startswith("Picture 3 is damaged")
    assert refused(chat, *turns, asked(framed(b""))).startswith("Picture 2 is empty (0 bytes)")
    assert refused(chat, asked(framed(b"x" * 99))).startswith("Picture 1 is neither PNG")
    long = framed(written(Image.new("1", (20_000, 2))))
    assert refused(chat, asked(good, long)).startswith("Picture 2 is 20000 × 2 pixels: one side")
    film = Clip("video/jpeg", frames=(good, half(good)), times=(0.0, 1.0))
    assert refused(chat, asked(film)).startswith("Frame 2 of video 1 is damaged")
    assert chat.prompt([asked(good)], {}).sights


def test_400_pictures_are_counted_and_none_is_decoded(chats: dict[Kind, GlmChat]) -> None:
    head = bytearray(picture(60, 60).image[:40])  # no picture behind it: decoding would fail
    struct.pack_into(">II", head, 16, 1920, 1080)
    message = refused(chats["glm-4.5v"], asked(*[framed(bytes(head))] * 400, "Well?"))
    assert message == (
        "This conversation with its 400 pictures takes 1,077,210 tokens, and Tiny holds 65,536 "
        "with the answer; send fewer or smaller ones, or start a new conversation."
    )


def test_a_text_that_is_too_long_is_counted(tmp_path: Path) -> None:
    chat = chat_of(tmp_path / "model", context=100)
    message = refused(chat, asked("x" * 97))
    assert message.startswith("This conversation takes 102 tokens, and Tiny holds 100 with")
    assert len(chat.prompt([asked("x" * 94)], {}).tokens) == 99
    assert refused(chat, asked("x" * 95))


def test_a_model_that_reads_text_says_that_it_sees_no_pictures(chats: dict[Kind, GlmChat]) -> None:
    message = refused(chats["glm-4.5"], asked(picture(60, 60), "?"))
    assert message.startswith("Tiny reads text and sees no pictures")
    assert chats["glm-4.5"].prompt([asked("hi")], {}).tokens


def test_a_template_that_leaves_pictures_out_is_explained(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "model")
    template = "{% for m in messages if m.role == 'user' %}<|image|>{% endfor %}"
    (folder / "chat_template.jinja").write_text(template)
    chat = open_chat(folder, name="Tiny", context=65536)
    assert chat.prompt([asked(picture(60, 60))], {}).sights
    message = refused(chat, Turn("system", (picture(60, 60),)), asked(picture(60, 60)))
    assert message.startswith("The chat template of Tiny has a place for 1 of the 2 pictures")
    assert refused(chat, asked(clip(2))).startswith("Tiny sees pictures and no videos")


def test_a_tokenizer_without_a_template_is_refused_when_the_model_is_opened(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(EngineFault, match="“Tiny” has no chat template"):
        open_chat(folder, name="Tiny", context=99)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": "{{ 7 }}"}))
    assert open_chat(folder, name="Tiny", context=99).prompt([asked("?")], {}).text == "7"


@pytest.mark.parametrize("file", ["tokenizer.json", "config.json"])
def test_a_folder_with_a_damaged_file_is_refused(tmp_path: Path, file: str) -> None:
    folder = folder_of(tmp_path / "model")
    (folder / file).write_text("{")
    with pytest.raises(EngineFault, match="The tokenizer of “Tiny” can't be read") as caught:
        open_chat(folder, name="Tiny", context=99)
    assert caught.value.kind == "damaged"


def test_a_template_that_fails_is_refused_as_one_that_does(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "model")
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no system, please') }}")
    chat = open_chat(folder, name="Tiny", context=99)
    message = "The model's chat template refuses these messages: no system, please"
    assert refused(chat, asked("?")) == message
