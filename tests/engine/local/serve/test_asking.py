from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parrot import speaker, words

from app.engine.local.model import Model
from app.engine.local.sampler import Choice
from app.engine.local.serve.answering import Ask
from app.engine.local.serve.asking import Asker
from app.engine.local.serve.reply import Refusal


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return speaker(words(tmp_path_factory.mktemp("words")), "Yes.")


def ask(model: Model, **more: Any) -> Ask:
    body = {"messages": [{"role": "user", "content": "Hi"}], **more}
    return Asker(model).ask(json.dumps(body).encode())


def test_a_question_alone_is_answered_as_the_model_itself_says(model: Model) -> None:
    asked = ask(model)
    assert (asked.job.max_tokens, asked.job.choice) == (500, Choice())
    assert (asked.job.guide, asked.job.logprobs, asked.schemas) == (None, None, None)
    assert asked.job.draft


def test_what_is_said_goes_before_the_models_own(model: Model) -> None:
    told = ask(model, temperature=0.5, top_k=-1, min_p=0.1, seed=7, stop="x").job
    assert told.choice == Choice(temperature=0.5, top_k=0, min_p=0.1, seed=7)
    assert told.stop == ("x",)


def test_one_who_says_how_to_choose_gets_no_penalty_of_ours_on_top(tmp_path: Path) -> None:
    model = speaker(words(tmp_path), "Yes.")
    model.defaults = replace(model.defaults, choice=Choice(word_penalty=1.3), stop=("END",))
    assert ask(model, seed=1).job.choice.word_penalty == 1.3
    assert ask(model, temperature=0).job.choice.word_penalty == 1.0
    assert ask(model, stop="x").job.stop == ("x", "END")


def test_guessing_and_the_thinkings_budget_reach_the_job(model: Model) -> None:
    told = ask(model, prompt_lookup_num_tokens=8, thinking_budget=20).job
    assert (told.lookup, told.draft, told.thinking_budget) == (8, True, 20)
    told = ask(model, prompt_lookup_num_tokens=8, speculative=False).job
    assert (told.lookup, told.draft) == (0, False)


def test_an_answer_is_no_longer_than_what_is_left_of_the_context(model: Model) -> None:
    told = ask(model, max_tokens=10**9).job
    assert told.tokens == model.defaults.context


def test_settings_and_tools_reach_the_template(model: Model) -> None:
    tool = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}
    assert "/nothink" in ask(model, enable_thinking=False).job.prompt.text
    asked = ask(model, tools=[tool])
    assert '"name": "now"' in asked.job.prompt.text
    assert asked.schemas == {"now": {"type": "object"}}
    untold = ask(model, tools=[tool], tool_choice="none")
    assert "now" not in untold.job.prompt.text
    assert untold.schemas is None


def test_what_can_not_be_done_is_a_refusal_that_names_the_field(model: Model) -> None:
    with pytest.raises(Refusal) as caught:
        ask(model, temperature="hot")
    assert (caught.value.param, caught.value.status) == ("temperature", 400)
