"""The trained model of drawn figures, in every format and on every path of the engine: a picture
that arrives wrong, in the wrong place or at the wrong position gives wrong answers here."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import quantise
import torch
from models.figures.draw import Scene, picture
from models.figures.talk import KINDS, Kind, Round, is_right, talk
from parrot import TOKEN, served

from app.engine.local.generate import Finish, Job, Piece, generate
from app.engine.local.model import Loading, Model, load
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice
from app.engine.request.turn import Clip, Part, Turn
from app.vocabulary import Frame, Source, Usage

FOLDER = Path(__file__).parents[2] / "models" / "figures" / "checkpoint"
ENOUGH = 0.95
EACH = 6  # fresh talks for each kind of question

Quantise = Callable[[Path, Path], Path]


@dataclass(frozen=True)
class Said:
    thought: str
    answer: str
    usage: Usage


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Such small matrices are not worth a second one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def plain() -> Model:
    return opened(FOLDER)


@pytest.mark.parametrize("thinks", [True, False], ids=["thinking", "at once"])
def test_the_model_answers_about_fresh_pictures(plain: Model, thinks: bool) -> None:
    assert share(plain, talks(1, KINDS), thinks=thinks) >= ENOUGH


@pytest.mark.parametrize(
    "form",
    [
        quantise.fp8,
        quantise.fp8_block,
        lambda folder, target: quantise.packed(folder, target, group=64),
        lambda folder, target: quantise.packed(folder, target, group=64, symmetric=False),
    ],
    ids=["FP8 by channel", "FP8 by block", "int4", "int4 with zero points"],
)
def test_a_quantised_model_answers_as_well(form: Quantise, tmp_path: Path) -> None:
    model = opened(form(FOLDER, tmp_path / "small"))
    found = [share(model, talks(2, KINDS, each=3), thinks=thinks) for thinks in (True, False)]
    assert sum(found) / 2 >= ENOUGH


def test_the_model_answers_in_bfloat16_as_well(tmp_path: Path) -> None:
    model = opened(FOLDER, torch.bfloat16)
    assert share(model, talks(3, KINDS, each=4)) >= ENOUGH


def test_two_ranks_answer_as_one_does(plain: Model) -> None:
    spread = load(Loading("figures", FOLDER, ranks=2, dtype=torch.float32))
    assert isinstance(spread.network, Spread)
    try:
        for rounds in talks(9, KINDS, each=1):
            assert ask(spread, turns(rounds)).answer == ask(plain, turns(rounds)).answer
    finally:
        spread.network.close()


@pytest.mark.parametrize("budget", [0, 1, 3, 5])
def test_a_thought_that_a_budget_cuts_off_still_leads_to_the_answer(
    plain: Model, budget: int
) -> None:
    said = [(asked, ask(plain, turns(asked), budget=budget)) for asked in talks(4, KINDS, each=3)]
    assert all(len(plain.chat.encode(each.thought)) <= budget for _, each in said)
    assert right(said) >= ENOUGH


def test_every_question_of_a_long_talk_is_answered_over_the_kept_cache(plain: Model) -> None:
    said = []
    for rounds in talks(5, ("colour", "shape", "count", "box", "later picture"), each=4, rounds=3):
        before: list[Turn] = []
        for place, asked in enumerate(rounds):
            before.append(question(asked))
            each = ask(plain, before)
            said.append(((asked,), each))
            assert place == 0 or each.usage.cached > 0
            before.append(Turn("assistant", (each.answer,), reasoning=each.thought))
    assert right(said) >= ENOUGH


def test_guesses_from_the_text_change_no_answer(plain: Model) -> None:
    for rounds in talks(6, ("box", "second picture", "video"), each=2):
        asked = turns(rounds)
        assert ask(plain, asked, lookup=4).answer == ask(plain, asked).answer


def test_the_thought_names_what_is_seen(plain: Model) -> None:
    asked = talks(7, KINDS, each=4)
    said = [ask(plain, turns(rounds)).thought for rounds in asked]
    same = sum(rounds[-1].thought == each for rounds, each in zip(asked, said, strict=True))
    assert same / len(asked) >= 0.9  # a thought must be right in every word


def test_a_streamed_answer_is_right_for_a_client_of_the_server(plain: Model) -> None:
    said = []
    with served(plain) as url, httpx.Client(base_url=url, timeout=20) as client:
        for rounds in talks(8, ("colour", "shape", "count", "box"), each=8):
            thought, answer = streamed(client, rounds)
            said.append((rounds, Said(thought, answer, Usage(0, 0, 0, 0.0))))
    assert all(each.thought for _, each in said)
    assert right(said) >= ENOUGH


# --- asking -----------------------------------------------------------------------------------


def opened(folder: Path, dtype: torch.dtype = torch.float32) -> Model:
    return load(Loading("figures", folder, gpus=0, dtype=dtype))


def talks(
    seed: int, kinds: Sequence[Kind], *, each: int = EACH, rounds: int | None = None
) -> list[tuple[Round, ...]]:
    """Talks that no training has seen."""
    rng = random.Random(f"fresh {seed}")
    made = (talk(rng, kind, rounds or rng.randint(1, 3)) for kind in kinds for _ in range(each))
    return list(made)


def share(model: Model, asked: list[tuple[Round, ...]], *, thinks: bool = True) -> float:
    return right([(rounds, ask(model, turns(rounds), thinks=thinks)) for rounds in asked])


def right(said: Sequence[tuple[tuple[Round, ...], Said]]) -> float:
    """The share of last questions that were answered rightly."""
    wrong = [
        (rounds[-1].question, rounds[-1].answer, each.answer)
        for rounds, each in said
        if not is_right(rounds[-1], each.answer)
    ]
    print(*wrong, sep="\n")  # shown where the test fails
    return 1 - len(wrong) / len(said)


def ask(
    model: Model,
    asked: Sequence[Turn],
    *,
    thinks: bool = True,
    budget: int | None = None,
    lookup: int = 0,
) -> Said:
    prompt = model.chat.prompt(asked, {} if thinks else {"enable_thinking": False})
    job = Job(prompt, 60, Choice(), thinking_budget=budget, lookup=lookup)
    with torch.inference_mode():
        given = list(generate(model, job, lambda: False))
    text = "".join(piece.text for piece in given if isinstance(piece, Piece))
    assert isinstance(given[-1], Finish)
    assert given[-1].reason == "stop"
    thought, closed, answer = text.rpartition("</think>")
    assert bool(closed) == thinks
    return Said(thought.partition("<think>")[2], answer.strip(), given[-1].usage)


def turns(rounds: tuple[Round, ...]) -> list[Turn]:
    """A talk up to its last question."""
    *before, last = rounds
    pairs = ((question(asked), Turn("assistant", (asked.answer,))) for asked in before)
    return [*(turn for pair in pairs for turn in pair), question(last)]


def question(asked: Round) -> Turn:
    parts: list[Part] = [framed(scene) for scene in asked.pictures]
    if asked.film:
        times = tuple(float(second) for second in range(len(asked.film)))
        parts.append(Clip("video/jpeg", frames=tuple(map(framed, asked.film)), times=times))
    return Turn("user", (*parts, asked.question))


def framed(scene: Scene) -> Frame:
    return Frame(png(scene), "image/png", scene.width, scene.height, Source("picture", "figures"))


def png(scene: Scene) -> bytes:
    held = io.BytesIO()
    picture(scene).save(held, "PNG")
    return held.getvalue()


def streamed(client: httpx.Client, rounds: tuple[Round, ...]) -> tuple[str, str]:
    """The thinking and the answer, as the chunks bring them."""
    messages: list[dict[str, object]] = []
    for asked in rounds:
        urls = [
            "data:image/png;base64," + base64.b64encode(png(s)).decode() for s in asked.pictures
        ]
        shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        content = [*shown, {"type": "text", "text": asked.question}]
        messages.append({"role": "user", "content": content})
        messages.append({"role": "assistant", "content": asked.answer})
    body = {"model": "figures", "messages": messages[:-1], "stream": True, "temperature": 0}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    thought = answer = ""
    with client.stream("POST", "/chat/completions", json=body, headers=headers) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {") and (choices := json.loads(line[6:])["choices"]):
                thought += choices[0]["delta"].get("reasoning_content") or ""
                answer += choices[0]["delta"].get("content") or ""
    return thought.strip(), answer.strip()
