"""A conversation that goes on by itself says what one that is told each token says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from checkpoints import write

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.glm.network import GlmNetwork
from app.engine.local.glm.run import Run, User
from app.engine.local.glm.state import GlmState
from app.engine.local.glm.text import LanguageModel
from app.engine.local.model import Loading, Model, load
from app.engine.local.network import Prompt
from app.engine.local.sampler import Choice, Drawing, Given, Sampler, drawn
from app.engine.request.turn import Turn

ASKED = "What is this thing called, love?"


class HostStep:
    """A step without kernels: the reference's own arithmetic, the token chosen behind it."""

    device = torch.device("cpu")
    failed = False

    def __init__(self, text: LanguageModel, *, lost: frozenset[int] = frozenset()) -> None:
        self._text, self._lost = text, lost
        self.user: User | None = None
        self.launches = 0
        self._written: list[int | None] = []

    def logits(self, state: GlmState, token: int) -> torch.Tensor:
        self.show(None, state, token, Drawing(Choice(), 1))
        return self._read(state)

    def show(self, user: User | None, state: GlmState, token: int, drawing: Drawing) -> None:
        before, self.user = self.user, None
        if before is not None:
            before.give_way()
        self.user, self._token, self._drawing, self._written = user, token, drawing, []

    def release(self, user: User) -> None:
        if self.user is user:
            self.user = None

    def launch(self, state: GlmState) -> None:
        self.launches += 1
        logits, number = self._read(state), len(self._written)
        said = self._drawing
        before = [t for t in self._written if t is not None] if said.seen else []
        fixed = Choice(repetition_penalty=said.choice.repetition_penalty)
        scores = Sampler(fixed, Given((*said.seen, *before)))._penalised(logits, ())
        if said.choice.temperature <= 0:
            self._token = int(scores.argmax())
        else:
            self._token = drawn(scores, said.choice, said.drawn[number])
        self._written.append(None if self.launches in self._lost else self._token)

    def written(self, number: int) -> int | None:
        return self._written[number]

    def _read(self, state: GlmState) -> torch.Tensor:
        outputs = self._text.decode([self._token], state)
        state.length += 1
        return self._text.logits(outputs)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("run") / "glm4v_moe", "glm4v_moe")


def opened(folder: Path, **lost: frozenset[int]) -> tuple[Model, HostStep]:
    model = load(Loading("small", folder, gpus=0, dtype=torch.float32))
    network = model.network
    assert isinstance(network, GlmNetwork)
    step = HostStep(network.text, **lost)
    network.stepper = step
    return model, step


def answer(model: Model, job: Job, cancel: int = 10**9) -> tuple[str, Finish]:
    text, pieces = "", 0

    def cancelled() -> bool:
        return pieces >= cancel

    for given in generate(model, job, cancelled):
        if isinstance(given, Finish):
            return text, given
        text += given.text
        pieces += 1
    raise AssertionError("it never ended")


def job(model: Model, choice: Choice, **more: object) -> Job:
    prompt = model.chat.prompt((Turn("user", (ASKED,)),), {})
    return Job(prompt, 60, choice, **more)  # type: ignore[arg-type]


CHOICES = {
    "the likeliest": Choice(),
    "drawn": Choice(0.9, seed=3),
    "drawn from few": Choice(1.3, top_p=0.8, top_k=20, min_p=0.01, seed=4),
    "penalised": Choice(0.7, repetition_penalty=1.3, seed=5),
    "penalised, the likeliest": Choice(repetition_penalty=1.2),
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_it_writes_the_same(folder: Path, choice: Choice) -> None:
    plain = load(Loading("small", folder, gpus=0, dtype=torch.float32))
    model, step = opened(folder)
    said = answer(plain, job(plain, choice))
    ours = answer(model, job(model, choice))
    assert ours[0] == said[0]
    assert ours[1].usage.completion == said[1].usage.completion
    assert step.launches >= ours[1].usage.completion - 1


def test_what_the_device_cannot_choose_is_chosen_on_the_host(folder: Path) -> None:
    plain = load(Loading("small", folder, gpus=0, dtype=torch.float32))
    model, _ = opened(folder, lost=frozenset({1, 7, 8, 30}))
    choice = Choice(0.9, seed=11)
    assert answer(model, job(model, choice))[0] == answer(plain, job(plain, choice))[0]


def test_answers_that_take_turns_do_not_disturb_each_other(folder: Path) -> None:
    model, _ = opened(folder)
    jobs = [job(model, Choice(0.9, seed=seed)) for seed in range(3)]
    alone = [answer(model, each)[0] for each in jobs]
    turns = [generate(model, each, lambda: False) for each in jobs]
    texts, open_turns = ["", "", ""], {0, 1, 2}
    while open_turns:
        for place in sorted(open_turns):
            given = next(turns[place])
            if isinstance(given, Finish):
                open_turns.remove(place)
            else:
                texts[place] += given.text
    assert texts == alone


@pytest.mark.parametrize("cancel", [3, 10, 33])
def test_a_conversation_that_was_stopped_can_go_on(folder: Path, cancel: int) -> None:
    model, _ = opened(folder)
    _, finish = answer(model, job(model, Choice()), cancel)
    assert finish.reason == "cancelled"
    assert model.memory.kept == 1
    plain = load(Loading("small", folder, gpus=0, dtype=torch.float32))
    again, usage = answer(model, job(model, Choice()))
    assert again == answer(plain, job(plain, Choice()))[0]
    assert usage.usage.cached > 0


def test_one_that_is_dropped_is_whole(folder: Path) -> None:
    model, _ = opened(folder)
    steps = generate(model, job(model, Choice()), lambda: False)
    for _ in range(9):
        next(steps)
    steps.close()
    assert model.memory.kept == 1


def test_the_next_step_is_under_way_when_a_token_is_told(folder: Path) -> None:
    model, step = opened(folder)
    network = model.network
    assert isinstance(network, GlmNetwork)
    state = network.begin()
    tokens = model.chat.encode(ASKED)
    network.read(state, Prompt(ASKED, tuple(tokens), tuple(tokens)), len(tokens))
    run = Run(step, state, 5, Drawing(Choice(), 4))
    told: Sequence[int | None] = [run.next() for _ in range(5)]
    assert step.launches == 4
    assert None not in told[:4]
    assert told[4] is None
    assert state.length == len(tokens) + 4
