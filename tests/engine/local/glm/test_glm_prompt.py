"""What a prompt carries of its pictures: where they stand, what they are known by, their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import asked, chat_of, clip, framed, noise, picture, written
from PIL import Image

from app.engine.local.glm.chat import GlmChat
from app.engine.local.glm.look import Look
from app.engine.local.glm.pixels import patches
from app.engine.local.glm.prompt import GlmPrompt, next_position
from app.engine.request.turn import Clip, Part, Turn

PIECES: list[Part] = [
    *("a", "b ", "<|image|>", "<|video|>\n"),
    *(picture(h, w, h + w) for h, w in ((30, 30), (30, 31), (90, 250))),
    *(clip(2), clip(3), clip(4, size=(200, 30), pace=0.3)),
]


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> GlmChat:
    return chat_of(tmp_path_factory.mktemp("prompt") / "model")


def kinds(prompt: GlmPrompt) -> list[int]:
    """How many frames each sight has."""
    return [len(sight.frames) for sight in prompt.sights]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=7), st.lists(st.sampled_from(PIECES), max_size=4))
def test_every_sight_stands_where_its_part_does(
    chat: GlmChat, first: list[Part], second: list[Part]
) -> None:
    prompt = chat.prompt([asked(*first), Turn("assistant", ("yes",)), asked(*second)], {})
    placeholders = [place for place, key in enumerate(prompt.keys) if key < 0]
    covered = []
    for sight in prompt.sights:
        _, high, wide = sight.grid
        covered += range(sight.start, sight.start + high * wide // 4)
        assert {shown.size for shown in sight.frames} == {(high * 14, wide * 14)}
    assert covered == placeholders
    assert len({prompt.tokens[place] for place in placeholders}) <= 1
    assert len(prompt.keys) == len(prompt.tokens) == prompt.positions.shape[1]
    assert all(k == t for k, t in zip(prompt.keys, prompt.tokens, strict=True) if k >= 0)
    counts = []
    for part in (*first, *second):
        if isinstance(part, Clip):
            counts += [2] * ((len(part.frames) + 1) // 2)
        elif not isinstance(part, str):
            counts.append(1)
    assert kinds(prompt) == counts


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5), st.sampled_from(PIECES))
def test_a_conversation_that_goes_on_begins_with_the_same_keys(
    chat: GlmChat, parts: list[Part], more: Part
) -> None:
    before = chat.prompt([asked(*parts)], {})
    after = chat.prompt([asked(*parts), Turn("assistant", ("so",)), asked(more)], {})
    assert after.keys[: len(before.keys)] == before.keys
    assert torch.equal(after.positions[:, : len(before.keys)], before.positions)
    assert [s.key for s in after.sights][: len(before.sights)] == [s.key for s in before.sights]


def test_pictures_are_known_by_what_is_seen_of_them(chat: GlmChat) -> None:
    same, other = picture(60, 60, 1), picture(60, 60, 2)
    prompt = chat.prompt([asked(same, other, same)], {})
    keys = [sight.key for sight in prompt.sights]
    assert keys[0] == keys[2] != keys[1]
    runs = [prompt.keys[s.start : s.start + s.grid[1] * s.grid[2] // 4] for s in prompt.sights]
    assert runs[0] == runs[2]
    assert set(runs[0]).isdisjoint(runs[1])
    assert len(set(runs[0])) == len(runs[0])
    assert all(-(2**63) <= key < 0 for run in runs for key in run)


def test_a_picture_that_is_seen_larger_in_a_video_has_another_key(chat: GlmChat) -> None:
    still = picture(60, 60)
    film = Clip("video/jpeg", frames=(still,) * 40, times=tuple(float(n) for n in range(40)))
    alone, first, *_ = chat.prompt([asked(still, film)], {}).sights
    assert alone.key != first.key


def test_a_picture_turned_by_its_file_is_seen_upright(chat: GlmChat) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = written(Image.fromarray(noise(60, 200)), "JPEG", exif=exif)
    for _ in range(2):  # at first sight, and when it is known
        (sight,) = chat.prompt([asked(framed(image))], {}).sights
        assert sight.grid[1] > 2 * sight.grid[2]


def test_a_video_whose_frames_are_turned_is_seen_upright(chat: GlmChat) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = written(Image.fromarray(noise(60, 200)), "JPEG", exif=exif)
    film = Clip("video/jpeg", frames=(framed(image),) * 2, times=(0.0, 1.0))
    (sight,) = chat.prompt([asked(film)], {}).sights
    assert sight.grid[1] > 2 * sight.grid[2]


def test_a_new_picture_comes_with_its_pixels_and_a_known_one_without(tmp_path: Path) -> None:
    chat = chat_of(tmp_path / "model")
    turns = [asked(picture(60, 90))]
    (new,) = chat.prompt(turns, {}).sights
    (known,) = chat.prompt(turns, {}).sights
    pixels = new.frames[0].pixels
    assert pixels is not None
    assert np.array_equal(pixels, noise(60, 90))
    assert known.frames[0].pixels is None
    assert known.key == new.key
    assert torch.equal(patches(new, Look(), "cpu"), patches(known, Look(), "cpu"))


def test_a_video_of_one_frame_shows_it_twice(chat: GlmChat) -> None:
    (sight,) = chat.prompt([asked(clip(1))], {}).sights
    assert len(sight.frames) == 2
    assert sight.frames[0].image == sight.frames[1].image


def test_what_follows_a_prompt_stands_behind_the_longer_side_of_its_picture(chat: GlmChat) -> None:
    prompt = chat.prompt([asked(picture(28, 280))], {})
    (sight,) = prompt.sights
    behind = len(prompt.tokens) - (sight.start + sight.grid[1] * sight.grid[2] // 4)
    assert next_position(prompt) == sight.start + max(sight.grid[1:]) // 2 + behind
    text = chat.prompt([asked("abc")], {})
    assert next_position(text) == len(text.tokens)
