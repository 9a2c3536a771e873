from __future__ import annotations

import io
import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import others
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer

from app.engine.local.generic.processor import load_processor
from app.engine.local.generic.reading import Reading
from app.engine.local.generic.sight import SightPrompt, WholePrompt
from app.engine.local.model import Loading, Model, load
from app.engine.local.network import Prompt
from app.engine.request.turn import Clip, Part, Turn
from app.vocabulary import EndpointFault, Frame, Source

pytestmark = pytest.mark.filterwarnings(  # what transformers 5.17 says of its own Mllama
    "ignore:`hidden_state` is deprecated:FutureWarning"
)
APART = ("qwen2_vl", "qwen3_vl", "idefics3", "smolvlm", "llava")  # picture by picture
WHOLE = ("gemma3", "mllama", "hunyuan_vl")  # all in one go
SIZES = ((50, 40), (37, 90), (300, 20))


class Families:
    """The families' small checkpoints, each made and opened once."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.model = cache(self._model)
        self.stock = cache(self._stock)

    def folder(self, row: str) -> Path:
        folder = self._home / row
        return folder if folder.exists() else others.write(folder, row)

    def _model(self, row: str) -> Model:
        model = _open(self.folder(row))
        torch.set_num_threads(1)  # these models are too small for more
        return model

    def _stock(self, row: str) -> others.Stock:
        return others.Stock(self.folder(row), sees=True)


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Families:
    return Families(tmp_path_factory.mktemp("families"))


def _open(folder: Path) -> Model:
    return load(Loading("m", folder, gpus=0, dtype=torch.float32))


def _picture(number: int, size: tuple[int, int] | None = None) -> Image.Image:
    random = torch.Generator().manual_seed(number)
    coarse = torch.randint(0, 256, (4, 5, 3), generator=random, dtype=torch.uint8)
    return Image.fromarray(coarse.numpy()).resize(size or SIZES[number % 3])


def _frame(picture: Image.Image) -> Frame:
    file = io.BytesIO()
    picture.save(file, "PNG")
    source = Source("picture", "p.png")
    return Frame(file.getvalue(), "image/png", picture.width, picture.height, source)


def _asked(*pictures: Image.Image, question: str = "What is it?") -> list[Turn]:
    parts: list[Part] = ["Look: ", *(_frame(picture) for picture in pictures), question]
    return [Turn("system", ("Be brief.",)), Turn("user", tuple(parts))]


def _answer(
    model: Model, prompt: Prompt, count: int, *, part: int = 16, state: Reading | None = None
) -> list[int]:
    """The likeliest tokens, the prompt read in parts."""
    state = state or model.network.begin()
    while state.length < len(prompt.tokens):
        left = len(prompt.tokens) - state.length
        logits = model.network.read(state, prompt, min(part, left))
    written = [int(logits.argmax())]
    while len(written) < count:
        logits = model.network.step(state, written[-1:])[-1]
        written.append(int(logits.argmax()))
    return written


def _as_transformers_has_it(
    folder: Path, turns: Sequence[Turn], pictures: Sequence[Image.Image]
) -> Mapping[str, torch.Tensor]:
    """What the family's processor makes of a whole conversation, by its own template."""
    left = iter(pictures)
    messages = [
        {
            "role": turn.role,
            "content": [
                {"type": "text", "text": part}
                if isinstance(part, str)
                else {"type": "image", "image": next(left)}
                for part in turn.parts
            ],
        }
        for turn in turns
    ]
    processor = load_processor(folder, AutoTokenizer.from_pretrained(folder))
    return processor.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
    )


def _same(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = zip(one, other, strict=False)
    unlike = (place for place, (left, right) in enumerate(pairs) if left != right)
    return next(unlike, min(len(one), len(other)))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("row", [*APART, *WHOLE])
def test_a_family_that_sees_writes_what_transformers_writes(
    families: Families, row: str, count: int
) -> None:
    pictures = [_picture(number) for number in range(1, count + 1)]
    turns, model = _asked(*pictures), families.model(row)
    inputs = _as_transformers_has_it(families.folder(row), turns, pictures)
    prompt = model.chat.prompt(turns, {})
    assert list(prompt.tokens) == inputs["input_ids"][0].tolist()
    assert len(prompt.keys) == len(prompt.tokens)
    stock = families.stock(row)
    assert _answer(model, prompt, 64) == stock.look(inputs, 64)


@pytest.mark.parametrize("row", [*APART, *WHOLE])
def test_another_picture_gives_another_answer(families: Families, row: str) -> None:
    model = families.model(row)
    one, other = (
        _answer(model, model.chat.prompt(_asked(_picture(number, (50, 40))), {}), 24)
        for number in (1, 2)
    )
    assert one != other


@pytest.mark.parametrize("row", APART)
def test_pictures_are_read_one_after_the_other(families: Families, row: str) -> None:
    model = families.model(row)
    prompt = model.chat.prompt(_asked(_picture(1), _picture(2)), {})
    assert isinstance(prompt, SightPrompt)
    state = model.network.begin()
    ends = []
    while state.length < len(prompt.tokens):
        model.network.read(state, prompt, 8)
        ends.append(state.length)
    assert {picture.end for picture in prompt.pictures} <= set(ends)


@pytest.mark.parametrize("row", APART)
def test_equal_pictures_have_equal_keys_and_no_others(families: Families, row: str) -> None:
    chat = families.model(row).chat
    keys = [chat.prompt(_asked(_picture(number, (50, 40))), {}).keys for number in (1, 1, 2)]
    marks = [sorted(key for key in each if key < 0) for each in keys]
    assert keys[0] == keys[1]
    assert len(set(marks[0])) == len(marks[0]) == len(marks[2])
    assert not set(marks[0]) & set(marks[2])


@pytest.mark.parametrize("row", WHOLE)
def test_a_prompt_that_is_read_in_one_go_is_like_no_other(families: Families, row: str) -> None:
    chat = families.model(row).chat
    one, other = (chat.prompt(_asked(_picture(1)), {}) for _ in range(2))
    assert isinstance(one, WholePrompt)
    assert one.tokens == other.tokens
    assert not set(one.keys) & set(other.keys)


@pytest.mark.parametrize("row", APART)
def test_five_turns_with_pictures_go_on_in_what_was_read_before(
    families: Families, row: str
) -> None:
    model, stock = families.model(row), families.stock(row)
    state, keys = model.network.begin(), ()
    turns: list[Turn] = []
    pictures: list[Image.Image] = []
    for number in range(5):
        new = [_picture(number)] if number in (0, 2, 3) else []  # more pictures over a kept cache
        pictures += new
        turns += _asked(*new, question=f"And the {number}th?")[bool(turns) :]
        prompt = model.chat.prompt(turns, {})
        known = min(_same(keys, prompt.keys), len(prompt.keys) - 1)
        assert known >= len(keys) - 16
        assert state.keep(known)
        written = _answer(model, prompt, 12, state=state)
        inputs = _as_transformers_has_it(families.folder(row), turns, pictures)
        assert written == stock.look(inputs, 12)
        keys = (*prompt.keys, *written[:-1])
        turns.append(Turn("assistant", (model.chat.decode(written),)))


@pytest.mark.parametrize("row", ["qwen2_vl", "qwen3_vl", "idefics3", "mllama", "hunyuan_vl"])
def test_two_conversations_about_pictures_do_not_know_each_other(
    families: Families, row: str
) -> None:
    model = families.model(row)
    asked = [_asked(_picture(1)), _asked(_picture(2), _picture(3)), _asked()]
    prompts = [model.chat.prompt(turns, {}) for turns in asked]
    alone = [_answer(model, prompt, 12) for prompt in prompts]
    states = [model.network.begin() for _ in prompts]
    pairs = list(zip(states, prompts, strict=True))
    written = [_answer(model, prompt, 1, state=state) for state, prompt in pairs]
    for _ in range(11):
        for state, tokens in zip(states, written, strict=True):
            tokens.append(int(model.network.step(state, tokens[-1:])[-1].argmax()))
    assert written == alone


@pytest.mark.parametrize("row", ["qwen2_vl", "llava"])
def test_a_conversation_is_not_wound_back_into_a_picture(families: Families, row: str) -> None:
    model = families.model(row)
    prompt = model.chat.prompt(_asked(_picture(1)), {})
    assert isinstance(prompt, SightPrompt)
    state = model.network.begin()
    expected = _answer(model, prompt, 8, state=state)
    inside = prompt.pictures[0].start + 1
    assert not state.keep(inside)
    assert state.copy(inside) is None
    other = state.copy(prompt.pictures[0].start)
    assert other is not None
    assert _answer(model, prompt, 8, state=other) == expected


@pytest.mark.parametrize("row", ["idefics3", "gemma3"])
def test_what_is_no_picture_is_named(families: Families, row: str) -> None:
    chat = families.model(row).chat
    broken = Frame(b"", "image/png", 1, 1, Source("picture", "p.png"))
    with pytest.raises(EndpointFault, match="Picture 2 can't be shown") as caught:
        chat.prompt([Turn("user", (_frame(_picture(1)), broken, "?"))], {})
    assert caught.value.kind == "bad_request"


@pytest.mark.parametrize("size", [(1, 1), (2, 2000), (2000, 3)])
@pytest.mark.parametrize("row", ["qwen2_vl", "idefics3", "llava", "gemma3"])
def test_a_picture_of_an_odd_shape_is_read_or_refused_in_words(
    families: Families, row: str, size: tuple[int, int]
) -> None:
    model = families.model(row)
    try:
        prompt = model.chat.prompt(_asked(_picture(1, size)), {})
    except EndpointFault as fault:
        assert fault.kind == "bad_request"
        assert "Picture 1 can't be shown" in fault.message
    else:
        assert len(_answer(model, prompt, 3)) == 3


@pytest.mark.parametrize("row", ["llava", "gemma3"])
def test_far_too_many_pictures_are_refused_before_all_are_read(
    families: Families, row: str
) -> None:
    chat = load(Loading("m", families.folder(row), gpus=0, context=64, dtype=torch.float32)).chat
    with pytest.raises(EndpointFault, match="of these 400") as caught:
        chat.prompt(_asked(*[_picture(1)] * 400), {})
    assert caught.value.kind == "too_long"


def test_a_video_is_refused_with_what_to_do(families: Families) -> None:
    chat = families.model("qwen2_vl").chat
    assert (chat.sees, chat.films) == (True, False)
    with pytest.raises(EndpointFault, match="send frames of the video") as caught:
        chat.prompt([Turn("user", (Clip("video/mp4", b"0"), "?"))], {})
    assert caught.value.kind == "unsupported"


def test_a_mark_in_the_users_text_is_no_picture(families: Families) -> None:
    model = families.model("idefics3")
    turns = [Turn("user", (_frame(_picture(1)), "what does <image> mean?"))]
    prompt = model.chat.prompt(turns, {})
    assert isinstance(prompt, SightPrompt)
    assert len(prompt.pictures) == 1


@pytest.mark.parametrize("missing", ["chat_template.jinja", "preprocessor_config.json"])
def test_a_model_that_can_not_be_shown_pictures_still_reads_text(
    families: Families, tmp_path: Path, missing: str
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(families.folder("qwen2_vl"), folder)
    (folder / missing).unlink()
    model = _open(folder)
    assert not model.chat.sees
    assert len(_answer(model, model.chat.prompt(_asked(), {}), 3)) == 3
    with pytest.raises(EndpointFault, match="can't be shown to this model here") as caught:
        model.chat.prompt(_asked(_picture(1)), {})
    assert caught.value.kind == "unsupported"
